import type { Header } from '../broker/index.ts';
import { textOf } from '../util/index.ts';

type HeaderValue = string | Uint8Array;

/** Headers to publish: `{ name: value }`, with an array where a name repeats, or pairs in the order they should have. */
export type HeadersInit =
  | { readonly [name: string]: HeaderValue | readonly HeaderValue[] }
  | Iterable<readonly [name: string, value: HeaderValue]>;

/** The headers of a message: an ordered list of name and value. Names are told apart by case, and may repeat. */
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

  /** As a plain object, with the first value of each name. */
  toJSON(): { [name: string]: string } {
    return Object.fromEntries([...this].reverse());
  }
}

/** Headers as the broker takes them. */
export function headerList(init: HeadersInit): Header[] {
  const list: Header[] = [];
  const add = (name: string, value: HeaderValue): void => {
    list.push({ name, value: typeof value === 'string' ? Buffer.from(value, 'utf8') : value });
  };
  if (Symbol.iterator in init) {
    for (const [name, value] of init) add(name, value);
    return list;
  }
  for (const [name, value] of Object.entries(init)) {
    if (typeof value === 'string' || value instanceof Uint8Array) add(name, value);
    else for (const each of value) add(name, each);
  }
  return list;
}

function valueText({ value }: Header): string {
  return value === null ? '' : textOf(value, 0, value.length);
}
