import { compileStruct, type Struct } from './compile.ts';
import type { Reader } from './reader.ts';
import { includes, type Draft, type Fields, type Message, type VersionRange } from './schema.ts';
import type { Writer } from './writer.ts';

/** A codec of any message. */
export interface AnyCodec {
  readonly fields: Fields;
  decode(reader: Reader, version: number): object;
  encode(writer: Writer, version: number, draft: object): void;
}

/** A codec reads and writes one message in all of its versions. A version is compiled at its first use. */
export class Codec<S extends Fields> implements AnyCodec {
  readonly fields: S;
  readonly #name: string;
  readonly #versions: VersionRange;
  readonly #flexible: VersionRange;
  readonly #compiled: Struct[] = [];

  constructor(name: string, fields: S, versions: VersionRange, flexible: VersionRange) {
    this.#name = name;
    this.fields = fields;
    this.#versions = versions;
    this.#flexible = flexible;
  }

  /**
   * Decodes a message and leaves the reader after it. Throws a WireError. The caller has checked that the
   * version is known.
   */
  decode(reader: Reader, version: number): Message<S> {
    return this.#struct(version).read(reader) as Message<S>;
  }

  /**
   * Throws a TypeError for a null that the version does not allow, and a RangeError for a string that is too
   * long.
   */
  encode(writer: Writer, version: number, draft: Draft<S>): void {
    this.#struct(version).write(writer, draft);
  }

  #struct(version: number): Struct {
    return (this.#compiled[version] ??= this.#compile(version));
  }

  #compile(version: number): Struct {
    if (!includes(this.#versions, version)) throw new RangeError(`${this.#name} has no version ${version}.`);
    return compileStruct(this.fields, version, includes(this.#flexible, version), this.#name);
  }
}
