import type { RecordsSource } from './writer.ts';
import type { Uuid } from './uuid.ts';

/*
 * The language of the message tables in apis/, as in the message definitions of Kafka itself, names included (but for their first letter):
 * each field has a type and the versions that have it. A message is an object with all fields of all versions: a version that lacks
 * a field reads it as its default and does not write it.
 */

/** What a value of each type is when it was read. */
export interface Scalars {
  readonly bool: boolean;
  readonly int8: number;
  readonly int16: number;
  readonly int32: number;
  /** Exact to 2^53. */
  readonly int64: number;
  readonly float64: number;
  readonly string: string;
  readonly uuid: Uuid;
  /** A view of the frame. */
  readonly bytes: Buffer;
  /** Record batches as they are, a view of the frame. */
  readonly records: Buffer;
}

export type ScalarName = keyof Scalars;

interface FieldRules {
  /** `'3+'`, `'0-12'` or `'4'`; absent: all versions that have the struct around it. */
  readonly versions?: string;
  /** The versions that know null besides other values; `true`: all. */
  readonly nullable?: true | string;
  /** Absent: 0, false, empty; a struct of defaults; for records null. */
  readonly default?: boolean | number | string | null;
  /**
   * The field is optional and stands among the tagged fields at the end. It is written only when it is not
   * its default.
   */
  readonly tag?: number;
}

interface ScalarField extends FieldRules {
  readonly type: ScalarName | `[]${ScalarName}`;
}

interface StructField extends FieldRules {
  readonly type: 'struct' | '[]struct';
  readonly fields: Fields;
}

export type Field = ScalarField | StructField;

/** The fields of a message or a struct, in the order they are written in. */
export interface Fields {
  readonly [name: string]: Field;
}

/** A message as it was read: every field is there. */
export type Message<S extends Fields> = { readonly [K in keyof S]: Value<S[K]> | Null<S[K]> };

type Value<F extends Field> = F extends { readonly type: 'struct'; readonly fields: infer S extends Fields }
  ? Message<S>
  : F extends { readonly type: '[]struct'; readonly fields: infer S extends Fields }
    ? readonly Message<S>[]
    : F extends { readonly type: `[]${infer T extends ScalarName}` }
      ? readonly Scalars[T][]
      : F extends { readonly type: infer T extends ScalarName }
        ? Scalars[T]
        : never;

type Null<F extends Field> = F extends { readonly nullable: unknown } ? null : never;

/**
 * A message to write: fields that some versions lack, tagged ones and those with a default of their own may
 * be left out.
 */
export type Draft<S extends Fields> = {
  readonly [K in keyof S as S[K] extends MayBeAbsent ? K : never]?: DraftValue<S[K]> | Null<S[K]>;
} & {
  readonly [K in keyof S as S[K] extends MayBeAbsent ? never : K]: DraftValue<S[K]> | Null<S[K]>;
};

type MayBeAbsent = { readonly versions: string } | { readonly tag: number } | { readonly default: unknown };

type DraftValue<F extends Field> = F extends {
  readonly type: 'struct';
  readonly fields: infer S extends Fields;
}
  ? Draft<S>
  : F extends { readonly type: '[]struct'; readonly fields: infer S extends Fields }
    ? readonly Draft<S>[]
    : F extends { readonly type: 'records' }
      ? RecordsSource
      : F extends { readonly type: 'bytes' }
        ? Uint8Array
        : Value<F>;

/** A range of versions, both ends in it; `max` is Infinity where it is open. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

const every: VersionRange = { min: 0, max: Infinity };
const none: VersionRange = { min: Infinity, max: -1 };

export function parseVersions(text: string): VersionRange {
  const match = /^(\d+)(\+|-(\d+))?$/.exec(text);
  if (!match) throw new TypeError(`"${text}" is no range of versions.`);
  const min = Number(match[1]);
  if (match[2] === undefined) return { min, max: min };
  return { min, max: match[3] === undefined ? Infinity : Number(match[3]) };
}

export function versionsOf(field: Field): VersionRange {
  return field.versions === undefined ? every : parseVersions(field.versions);
}

export function nullableVersionsOf(field: Field): VersionRange {
  if (field.nullable === undefined) return none;
  return field.nullable === true ? every : parseVersions(field.nullable);
}

export function includes(range: VersionRange, version: number): boolean {
  return version >= range.min && version <= range.max;
}
