/*
 * The language of the tables in operations/. It follows AWS's own models: a structure has named members, and
 * each member has a type. One table serves both protocols, AWS JSON 1.0 and Query:
 *
 *   'string'                          a scalar; `!` behind it: the request must contain it
 *   { list: 'string', as: 'Tag' }     a list; in Query `Tag.1`, `Tag.2`
 *   { list: 'string' }                a list with members of its own: `TagKeys.member.1`
 *   { map: 'string', as: 'Attribute', key: 'Name', value: 'Value' }
 *                                     a map; in Query `Attribute.1.Name`, `Attribute.1.Value`
 *   { map: 'string', key: 'key', value: 'value' }
 *                                     a map with entries of its own: `Attributes.entry.1.key`
 *
 * Instead of a scalar a list or a map may have the name of a structure in structures.ts.
 */

import type { structures } from './operations/structures.ts';

/** The values of scalars as they are read and written, by the names of their types. */
export interface Scalars {
  readonly string: string;
  /** 32 bits. */
  readonly integer: number;
  /** Exact up to 2^53. */
  readonly long: number;
  readonly boolean: boolean;
  /** Bytes; on the wire they are base64. */
  readonly blob: Uint8Array;
}

export type ScalarName = keyof Scalars;
export type StructureName = keyof typeof structures;
export type ElementName = ScalarName | StructureName;

export interface ListMember {
  readonly list: ElementName;
  /** The name of each element in Query. Absent: the name of the member with `.member`. */
  readonly as?: string;
  /** `'entries'`: the entries of a batch, which must not be empty. */
  readonly required?: true | 'entries';
}

export interface MapMember {
  readonly map: ElementName;
  /** The name of each entry in Query. Absent: the name of the member with `.entry`. */
  readonly as?: string;
  readonly key: string;
  readonly value: string;
  readonly required?: true;
}

export type Member = ScalarName | `${ScalarName}!` | ListMember | MapMember;

/** The members of a structure, in the order in which they are written. */
export interface Members {
  readonly [name: string]: Member;
}

type Element<E> = E extends ScalarName
  ? Scalars[E]
  : E extends StructureName
    ? Structure<(typeof structures)[E]>
    : never;

type Value<M> = M extends `${infer S extends ScalarName}!`
  ? Scalars[S]
  : M extends ScalarName
    ? Scalars[M]
    : M extends { readonly list: infer E }
      ? readonly Element<E>[]
      : M extends { readonly map: infer E }
        ? ReadonlyMap<string, Element<E>>
        : never;

type IsRequired<M> = M extends `${string}!` ? true : M extends { readonly required: unknown } ? true : false;

/**
 * A structure as a value: an object with the names of AWS JSON. Lists are arrays. Maps are `Map`s, because
 * their keys come from clients.
 */
export type Structure<S extends Members> = {
  readonly [N in keyof S as IsRequired<S[N]> extends true ? N : never]: Value<S[N]>;
} & {
  readonly [N in keyof S as IsRequired<S[N]> extends true ? never : N]?: Value<S[N]> | undefined;
};
