import type { RecordsSource } from './writer.ts';
import type { Uuid } from './uuid.ts';

/*
 * The language of the message tables in apis/. It follows Kafka's own message definitions, including names
 * (except for their first letter): each field has a type and the versions that contain it. A message is an
 * object with all fields of all versions. A version that lacks a field reads it as its default and does not
 * write it.
 */

/** The type of a decoded value, for each type of field. */
export interface Scalars {
  readonly bool: boolean;
  readonly int8: number;
  readonly int16: number;
  readonly int32: number;
  /** Exact up to 2^53. */
  readonly int64: number;
  readonly float64: number;
  readonly string: string;
  readonly uuid: Uuid;
  /** A view of the frame. */
  readonly bytes: Buffer;
  /** Undecoded record batches, a view of the frame. */
  readonly records: Buffer;
}

export type ScalarName = keyof Scalars;

interface FieldRules {
  /** `'3+'`, `'0-12'` or `'4'`. Absent: all versions of the enclosing struct. */
  readonly versions?: string;
  /** The versions in which the field is nullable; `true` for all. */
  readonly nullable?: true | string;
  /** The default. Absent: 0, false or empty; a struct of defaults; null for records. */
  readonly default?: boolean | number | string | null;
  /**
   * The field is one of the optional tagged fields at the end. It is written only if it differs from its
   * default.
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

/** The fields of a message or a struct, in the order of the encoding. */
export interface Fields {
  readonly [name: string]: Field;
}

/** A decoded message, with all fields. */
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
 * A message to write. Tagged fields, fields with a default of their own, and fields that some versions lack
 * may be left out.
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

/** A range of versions, both ends included; `max` is Infinity if it is open. */
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
