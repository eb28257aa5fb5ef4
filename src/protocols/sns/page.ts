import { invalidParameter } from './errors.ts';
import { snsLimits } from './limits.ts';

/** A page of a list, and the token for the next one. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | undefined;
}

/**
 * The page of a sorted list that a token asks for. A token is the key of the last item before the page, so
 * that items that come and go meanwhile shift nothing. Throws InvalidParameter.
 */
export function pageOf<T>(
  list: readonly T[],
  keyOf: (item: T) => string,
  token: string | undefined,
): Page<T> {
  const after = token === undefined || token === '' ? '' : keyIn(token);
  let from = 0;
  for (let end = list.length; from < end;) {
    const middle = (from + end) >>> 1;
    if (keyOf(list[middle]!) <= after) from = middle + 1;
    else end = middle;
  }
  const items = list.slice(from, from + snsLimits.listedMax);
  const isLast = from + items.length >= list.length;
  return { items, next: isLast ? undefined : tokenOf(keyOf(items.at(-1)!)) };
}

/** The token for the page behind an item. */
export function tokenOf(key: string): string {
  return Buffer.from(key).toString('base64url');
}

/** The key in a token. Throws InvalidParameter for a text that is none. */
export function keyIn(token: string): string {
  const key = Buffer.from(token, 'base64url').toString();
  if (token.length > 2_000 || tokenOf(key) !== token) throw invalidParameter('NextToken');
  return key;
}
