import { namePattern } from '../amqp/index.ts';
import { inTurns, pickInTurns, sortInTurns, type TurnTaker } from '../connections/index.ts';
import { columnsOf, withColumns } from './columns.ts';
import { ApiError, badRequest } from './errors.ts';
import { pageSizeDefault, pageSizeMax } from './limits.ts';
import { json, type ApiReply } from './reply.ts';
import type { ApiRequest } from './request.ts';

/** Things of one kind that a request lists, in the order in which they are listed. */
export interface Collection<T> {
  readonly entries: readonly T[];
  /** The name that a page is filtered by. */
  readonly nameOf: (entry: T) => string;
  readonly describe: (entry: T) => object;
}

/**
 * Answers a request for a list: sorted (`sort`, `sort_reverse`), with some fields only (`columns`), and with
 * `page` a page of those whose names match (`page_size`, `name`, `use_regex`). Throws an ApiError.
 */
export async function listed<T>(
  { query, turns }: Pick<ApiRequest, 'query' | 'turns'>,
  collection: Collection<T>,
): Promise<ApiReply> {
  const columns = columnsOf(query);
  const part = (entry: object): object => (columns ? withColumns(entry, columns) : entry);
  const page = pageOf(query);
  const all = await sorted(query, turns, collection);
  if (page === undefined) return { kind: 'list', entries: described(all, part) };
  const matches = nameFilterOf(query);
  const found = matches ? await filtered(all, turns, matches) : all;
  const from = (page.number - 1) * page.size;
  if (from > found.length)
    throw new ApiError(
      400,
      'page_out_of_range',
      `Page out of range, page: ${page.number} page size: ${page.size}, len: ${found.length}`,
    );
  const items = [...described(found.slice(from, from + page.size), part)];
  return json({
    filtered_count: found.length,
    item_count: items.length,
    items,
    page: page.number,
    page_count: Math.ceil(found.length / page.size),
    page_size: page.size,
    total_count: all.length,
  });
}

/** Answers a request for one thing: all of it, or the fields that `columns` names. */
export function shown(query: URLSearchParams, object: object): ApiReply {
  const columns = columnsOf(query);
  return json(columns ? withColumns(object, columns) : object);
}

interface Listed {
  readonly name: string;
  describe(): object;
}

function* described(entries: readonly Listed[], part: (entry: object) => object): Iterable<object> {
  for (const entry of entries) yield part(entry.describe());
}

async function sorted<T>(
  query: URLSearchParams,
  turns: TurnTaker,
  { entries, nameOf, describe }: Collection<T>,
): Promise<readonly Listed[]> {
  const listed = entries.map((entry) => ({ name: nameOf(entry), describe: () => describe(entry) }));
  const column = query.get('sort') ?? '';
  if (column !== '') {
    const path = column.split('.');
    const keyed = await inTurns(listed, turns, ({ name, describe }) => {
      const whole = describe();
      return { name, describe: () => whole, key: valueAt(whole, path) };
    });
    return inOrder(await sortInTurns(keyed, turns, (one, other) => compare(one.key, other.key)), query);
  }
  return inOrder(listed, query);
}

function filtered(
  all: readonly Listed[],
  turns: TurnTaker,
  matches: (name: string) => boolean,
): Promise<readonly Listed[]> {
  return pickInTurns(all, turns, (entry) => (matches(entry.name) ? entry : undefined));
}

function inOrder<L>(entries: readonly L[], query: URLSearchParams): readonly L[] {
  return query.get('sort_reverse') === 'true' ? entries.toReversed() : entries;
}

/** What is missing counts as 0. */
function valueAt(object: object, path: readonly string[]): unknown {
  let value: unknown = object;
  for (const name of path)
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, name)
        ? (value as { readonly [name: string]: unknown })[name]
        : undefined;
  return value ?? 0;
}

/** Numbers come before texts, as in Erlang. */
function compare(one: unknown, other: unknown): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  if (typeof one === 'number') return -1;
  if (typeof other === 'number') return 1;
  const [first, second] = [String(one), String(other)];
  return first < second ? -1 : first > second ? 1 : 0;
}

interface Page {
  /** From 1. */
  readonly number: number;
  readonly size: number;
}

/** Undefined: no page is asked for. */
function pageOf(query: URLSearchParams): Page | undefined {
  const given = query.get('page');
  if (given === null) return undefined;
  const [number, size] = [given, query.get('page_size') ?? String(pageSizeDefault)].map((text) =>
    /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN,
  ) as [number, number];
  if (Number.isNaN(number) || Number.isNaN(size)) throw badRequest('Pagination parameters are invalid');
  if (number > 0 && size > 0 && size <= pageSizeMax) return { number, size };
  throw new ApiError(
    400,
    'invalid_pagination_parameters',
    `Invalid pagination parameters: page number ${number}, page size ${size}`,
  );
}

/** The filter by name; letters count whatever their case. */
function nameFilterOf(query: URLSearchParams): ((name: string) => boolean) | undefined {
  const text = query.get('name') ?? '';
  if (text === '') return undefined;
  if (query.get('use_regex') === 'true') {
    const pattern = namePattern(text, { ignoresCase: true });
    if (typeof pattern === 'string') throw badRequest(`use_regex: ${pattern}`);
    return (name) => pattern.matches(name);
  }
  const wanted = text.toLowerCase();
  return (name) => name.toLowerCase().includes(wanted);
}
