import { decodeBody, isEmptyBody, type Decoded, type Shape } from '../json.ts';
import { apiError } from '../errors.ts';

/** Names have 1,024 entries to a page, infos 256. */
export const namesPerPage = 1024;
export const infosPerPage = 256;

export interface Page<T> {
  readonly items: readonly T[];
  readonly total: number;
  readonly offset: number;
  readonly limit: number;
}

/** The page of a list that begins at `offset`. */
export function pageOf<T>(list: readonly T[], offset: number | undefined, limit: number): Page<T> {
  const from = Math.min(Math.max(0, offset ?? 0), list.length);
  return { items: list.slice(from, from + limit), total: list.length, offset: from, limit };
}

/** Decodes a body that counts only if it is an object or a list; any other body counts as empty. */
export function decodeOptional<const S extends Shape>(body: Uint8Array, shape: S): Decoded<S> {
  let at = 0;
  while (at < body.length && body[at]! <= 32) at++;
  return body[at] === 0x7b || body[at] === 0x5b
    ? decodeBody(body, shape)
    : decodeBody(new Uint8Array(0), shape);
}

/** Checks that there is no body, for verbs that take none. Throws 10038. */
export function requireEmpty(body: Uint8Array): void {
  if (!isEmptyBody(body)) throw apiError('notEmptyRequest');
}
