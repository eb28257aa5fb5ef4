import { Codec, type AnyCodec } from './codec.ts';
import { parseVersions, type Fields, type VersionRange } from './schema.ts';

/** An API is one kind of request with its response: a key, and the versions both exist in. */
export interface Api<Q extends Fields, S extends Fields> extends AnyApi {
  readonly request: Codec<Q>;
  readonly response: Codec<S>;
}

/** Any API. */
export interface AnyApi {
  readonly key: number;
  readonly name: string;
  /** The versions that can be read and written here: those of Kafka 4.4. */
  readonly versions: VersionRange;
  /**
   * The versions that a broker advertises. The range may start before {@link versions}: old clients look for
   * versions that they do not use.
   */
  readonly advertised: VersionRange;
  /** Versions with compact types and tagged fields. */
  readonly flexible: VersionRange;
  readonly request: AnyCodec;
  readonly response: AnyCodec;
}

interface ApiDefinition<Q extends Fields, S extends Fields> {
  readonly key: number;
  readonly name: string;
  readonly versions: string;
  /** Absent: all of `versions`. */
  readonly advertised?: string;
  /** Absent: none. */
  readonly flexible?: string;
  readonly request: Q;
  readonly response: S;
}

const never: VersionRange = { min: Infinity, max: -1 };

export function defineApi<Q extends Fields, S extends Fields>(definition: ApiDefinition<Q, S>): Api<Q, S> {
  const { key, name } = definition;
  const versions = parseVersions(definition.versions);
  const flexible = definition.flexible === undefined ? never : parseVersions(definition.flexible);
  return {
    key,
    name,
    versions,
    advertised: definition.advertised === undefined ? versions : parseVersions(definition.advertised),
    flexible,
    request: new Codec(`${name} request`, definition.request, versions, flexible),
    response: new Codec(`${name} response`, definition.response, versions, flexible),
  };
}
