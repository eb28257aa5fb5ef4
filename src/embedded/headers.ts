import type { Header } from '../broker/index.ts';
import { textOf } from '../util/index.ts';
import { BoxError } from './errors.ts';
import { shownValue } from './options.ts';

type HeaderValue = string | Uint8Array;

/** Headers to publish: `{ name: value }`, with an array for a repeated name, or pairs in their order. */
export type HeadersInit =
  | { readonly [name: string]: HeaderValue | readonly HeaderValue[] }
  | Iterable<readonly [name: string, value: HeaderValue]>;

/** The headers of a message: an ordered list of names and values. Names are case-sensitive and may repeat. */
export class MessageHeaders implements Iterable<[name: string, value: string]> {
  readonly #list: readonly Header[];

  constructor(list: readonly Header[]) {
    this.#list = list;
  }

  get size(): number {
    return this.#list.length;
  }

  has(name: string): boolean {
    return this.#list.some((header) => header.name === name);
  }

  /** The first value of a name, as text. */
  get(name: string): string | undefined {
    const header = this.#list.find((header) => header.name === name);
    return header && valueText(header);
  }

  getAll(name: string): string[] {
    return this.#list.filter((header) => header.name === name).map(valueText);
  }

  /** The first value of a name, as bytes. */
  getBytes(name: string): Uint8Array | undefined {
    return this.#list.find((header) => header.name === name)?.value ?? undefined;
  }

  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (const header of this.#list) yield [header.name, valueText(header)];
  }

  /** A plain object with the first value of each name. */
  toJSON(): { [name: string]: string } {
    return Object.fromEntries([...this].reverse());
  }
}

/** Headers in the broker's form. */
export function headerList(init: HeadersInit): Header[] {
  const list: Header[] = [];
  const add = (name: string, value: HeaderValue): void => {
    if (typeof name !== 'string' || (typeof value !== 'string' && !(value instanceof Uint8Array)))
      throw headerInvalid(name, value);
    list.push({ name, value: typeof value === 'string' ? Buffer.from(value, 'utf8') : value });
  };
  if (typeof init !== 'object' || init === null) throw headerInvalid('headers', init);
  if (Symbol.iterator in init) {
    for (const pair of init) {
      if (!Array.isArray(pair)) throw headerInvalid('a pair of name and value', pair);
      add(pair[0], pair[1]);
    }
    return list;
  }
  for (const [name, value] of Object.entries(init)) {
    if (typeof value === 'string' || value instanceof Uint8Array) add(name, value);
    else if (Array.isArray(value)) for (const each of value) add(name, each as HeaderValue);
    else throw headerInvalid(name, value);
  }
  return list;
}

function headerInvalid(name: unknown, value: unknown): BoxError {
  return new BoxError(
    'option-invalid',
    `Headers are names with texts, bytes, or lists of these: ${shownValue(name)} cannot be ${shownValue(value)}.`,
  );
}

function valueText({ value }: Header): string {
  return value === null ? '' : textOf(value, 0, value.length);
}
