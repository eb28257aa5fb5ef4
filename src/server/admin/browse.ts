import { setTimeout as sleep } from 'node:timers/promises';
import type { MessageJson, MessagesJson, ValueForm } from '../../admin-api/index.ts';
import type { Partition, Record, Topic } from '../../broker/index.ts';
import { invalidRequest } from './errors.ts';
import { matchesFilter, type MessageFilter, readMessageFilter } from './message-filter.ts';
import { messageJson, valueForms } from './message-json.ts';
import { oneOf, time, wholeNumber } from './shape.ts';

/** Offsets read in one step. Between steps, the time and the client are checked. */
const windowOffsets = 4096;
/**
 * A filter may match nothing in millions of messages. After this time the answer says how far the search
 * came.
 */
const searchMs = 2000;
/** A filter looks at the time after so many offsets. */
const lookEvery = 64;
const pollMs = 50;
const limitMax = 1000;
/** The maximum bytes of values in one answer. */
const answerBytesMax = 8 * 2 ** 20;

/** The start and the contents of a page. Browsing takes nothing from a group, and needs none. */
export interface BrowseQuery {
  readonly start:
    | { readonly kind: 'first' }
    | { readonly kind: 'offset'; readonly offset: number }
    | { readonly kind: 'time'; readonly timestampMs: number }
    | { readonly kind: 'last'; readonly count: number }
    | { readonly kind: 'cursor'; readonly offsets: readonly number[] };
  readonly partition: number | undefined;
  readonly key: string | undefined;
  readonly filter: MessageFilter | undefined;
  readonly limit: number;
  readonly as: ValueForm;
  readonly valueBytesMax: number;
  readonly waitMs: number;
}

const queryNames = new Set([
  'offset',
  'time',
  'last',
  'cursor',
  'partition',
  'key',
  'header',
  'text',
  'path',
  'limit',
  'as',
  'valueBytes',
  'waitMs',
]);

export function readBrowseQuery(query: URLSearchParams): BrowseQuery {
  for (const name of query.keys())
    if (!queryNames.has(name))
      throw invalidRequest(
        `The query has an unknown name "${name}"; known are ${[...queryNames].join(', ')}.`,
      );
  const read = <T>(name: string, field: (value: unknown, name: string) => T): T | undefined => {
    const value = query.get(name);
    return value === null ? undefined : field(value, name);
  };
  const starts = ['offset', 'time', 'last', 'cursor'].filter((name) => query.has(name));
  if (starts.length > 1) throw invalidRequest(`Give one of ${starts.join(', ')}, not several.`);
  const offset = read('offset', wholeNumber());
  const timestampMs = read('time', time);
  const count = read('last', wholeNumber());
  const cursor = query.get('cursor');
  return {
    start:
      offset !== undefined
        ? { kind: 'offset', offset }
        : timestampMs !== undefined
          ? { kind: 'time', timestampMs }
          : count !== undefined
            ? { kind: 'last', count }
            : cursor !== null
              ? {
                  kind: 'cursor',
                  offsets: cursor.split('.').map((digits) => wholeNumber()(digits, 'cursor')),
                }
              : { kind: 'first' },
    partition: read('partition', wholeNumber()),
    key: query.get('key') ?? undefined,
    filter: readMessageFilter(query),
    limit: read('limit', wholeNumber(1, limitMax)) ?? 50,
    as: read('as', oneOf(...valueForms)) ?? 'auto',
    valueBytesMax: read('valueBytes', wholeNumber(0, answerBytesMax)) ?? 65_536,
    waitMs: read('waitMs', wholeNumber(0, 60_000)) ?? 0,
  };
}

/** Reads one page. With `waitMs` it waits for the first message if there is none. */
export async function browse<T extends MessageJson>(
  topic: Topic,
  query: BrowseQuery,
  signal: AbortSignal,
  extend: (message: MessageJson, record: Record) => T,
): Promise<MessagesJson<T>> {
  const indexes = query.partition === undefined ? topic.partitions.indexes() : [query.partition];
  const partitions = indexes.flatMap((index) => topic.partitions.at(index) ?? []);
  if (partitions.length === 0)
    throw invalidRequest(`Topic "${topic.name}" has no partition ${query.partition}.`);
  const starts = await startOffsets(partitions, query);
  const readers = partitions.map((partition, at) => new PartitionReader<T>(partition, starts[at] ?? 0));
  const deadlineMs = performance.now() + query.waitMs;
  for (;;) {
    const page = await readPage(readers, topic.name, query, signal, extend);
    if (
      page.messages.length > 0 ||
      !page.atEnd ||
      performance.now() >= deadlineMs ||
      signal.aborted ||
      topic.isDeleted
    )
      return page;
    await sleep(pollMs, undefined, { signal }).catch(() => {});
  }
}

async function startOffsets(
  partitions: readonly Partition[],
  { start, key, filter }: BrowseQuery,
): Promise<readonly number[]> {
  switch (start.kind) {
    case 'first':
      return partitions.map(({ firstOffset }) => firstOffset);
    case 'offset':
      return partitions.map(() => start.offset);
    case 'time':
      return Promise.all(partitions.map((partition) => partition.offsetAtTime(start.timestampMs)));
    case 'last':
      return Promise.all(partitions.map((partition) => offsetOfLast(partition, start.count, key, filter)));
    case 'cursor':
      if (start.offsets.length !== partitions.length)
        throw invalidRequest('The cursor belongs to another topic or to other partitions.');
      return start.offsets;
    default:
      return start satisfies never;
  }
}

/** The offset of the first of the last `count` matching messages, searched backwards in growing steps. */
async function offsetOfLast(
  partition: Partition,
  count: number,
  key: string | undefined,
  filter: MessageFilter | undefined,
): Promise<number> {
  if (count === 0) return partition.stableEnd;
  if (key === undefined && !filter) return Math.min(partition.offsetOfLast(count), partition.stableEnd);
  const patterns = key === undefined ? {} : { patterns: [key] };
  const deadlineMs = performance.now() + searchMs;
  let found: number[] = [];
  let end = partition.stableEnd;
  for (let step = windowOffsets; end > partition.firstOffset && performance.now() < deadlineMs; step *= 2) {
    const from = Math.max(partition.firstOffset, end - step);
    const offsets: number[] = [];
    for await (const record of partition.scan(from, { ...patterns, toOffset: end }))
      if (!filter || matchesFilter(record, filter)) offsets.push(record.offset);
    found = [...offsets, ...found];
    if (found.length >= count) return found.at(-count) ?? from;
    end = from;
  }
  return found[0] ?? end;
}

interface Found<T> {
  readonly offset: number;
  readonly timestampMs: number;
  readonly message: T;
}

/** The progress of the reader of one partition, and the found messages that are not handed out yet. */
class PartitionReader<T> {
  readonly partition: Partition;
  /** The next offset to read. */
  offset: number;
  found: Found<T>[] = [];

  constructor(partition: Partition, offset: number) {
    this.partition = partition;
    this.offset = offset;
  }

  get isAtEnd(): boolean {
    return this.offset >= this.partition.stableEnd;
  }
}

async function readPage<T extends MessageJson>(
  readers: readonly PartitionReader<T>[],
  topic: string,
  query: BrowseQuery,
  signal: AbortSignal,
  extend: (message: MessageJson, record: Record) => T,
): Promise<MessagesJson<T>> {
  const patterns = query.key === undefined ? {} : { patterns: [query.key] };
  const deadlineMs = performance.now() + searchMs;
  const bytesEach = answerBytesMax / readers.length;
  for (const reader of readers) {
    const { partition, found } = reader;
    let bytes = 0;
    while (
      !reader.isAtEnd &&
      found.length < query.limit &&
      bytes < bytesEach &&
      performance.now() < deadlineMs &&
      !signal.aborted
    ) {
      const from = Math.max(reader.offset, partition.firstOffset);
      const toOffset = Math.min(from + windowOffsets, partition.stableEnd);
      reader.offset = toOffset;
      for await (const record of partition.scan(from, { toOffset, ...patterns })) {
        if (query.filter && !matchesFilter(record, query.filter)) {
          // Large values take their time: the search goes on from here in the next page.
          if (record.offset % lookEvery !== 0 || performance.now() < deadlineMs) continue;
          reader.offset = record.offset + 1;
          break;
        }
        const message = extend(messageJson(topic, partition.index, record, query), record);
        found.push({ offset: record.offset, timestampMs: record.timestampMs, message });
        bytes += Math.min(message.valueBytes, query.valueBytesMax);
        if (found.length < query.limit && bytes < bytesEach) continue;
        reader.offset = record.offset + 1;
        break;
      }
    }
  }
  const messages = withExpiry(
    readers.map(({ partition }) => partition),
    merge(readers, query.limit),
  );
  const isAtEnd = readers.every((reader) => reader.isAtEnd && reader.found.length === 0);
  return {
    messages,
    cursor: readers.map(({ offset, found: [next] }) => next?.offset ?? offset).join('.'),
    atEnd: isAtEnd,
  };
}

/** The messages, each with the time at which it expires, if it does. */
export function withExpiry<T extends MessageJson>(
  partitions: readonly Partition[],
  messages: readonly T[],
): T[] {
  const times = new Map(
    partitions.map((partition) => {
      const own = messages.filter((message) => message.partition === partition.index);
      return [partition.index, partition.topic.expiry.timesOf(partition, own)] as const;
    }),
  );
  return messages.map((message) => {
    const expiresMs = times.get(message.partition)?.get(message.offset);
    return expiresMs === undefined ? message : { ...message, expiresMs };
  });
}

/** Merges the partitions by time. Within a partition the order of offsets is kept, whatever the times. */
function merge<T>(readers: readonly PartitionReader<T>[], limit: number): T[] {
  const messages: T[] = [];
  while (messages.length < limit) {
    let earliest: PartitionReader<T> | undefined;
    for (const reader of readers) {
      const [next] = reader.found;
      if (next && next.timestampMs < (earliest?.found[0]?.timestampMs ?? Infinity)) earliest = reader;
    }
    const next = earliest?.found.shift();
    if (!next) break;
    messages.push(next.message);
  }
  return messages;
}
