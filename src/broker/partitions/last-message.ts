import { Record, type Batch } from '../../log/index.ts';
import { Filter, KeyReader, keyFromText, textFromKey } from './filter.ts';
import type { KeyIndex, KeyState } from './key-index.ts';
import { storedMessage } from './message.ts';
import type { StoredMessage } from '../model.ts';
import type { RecordReader } from './record-reader.ts';

/** The part of a partition that a search for last messages uses. */
interface SearchedPartition {
  readonly index: number;
  readonly topic: { readonly name: string };
  readonly keyIndex: KeyIndex | undefined;
  readonly firstOffset: number;
  readonly stableEnd: number;
  isLive(offset: number): boolean;
  keys(pattern: string): Iterable<[key: string, state: KeyState]>;
  get(offset: number): Promise<StoredMessage | undefined>;
  reader(): RecordReader;
  batchAt(offset: number): Promise<Batch | undefined>;
  scan(
    fromOffset: number,
    options: { patterns?: readonly string[]; toOffset?: number },
  ): AsyncIterable<Record>;
}

/** Offsets read per step backwards. */
const stepOffsets = 512;

/** See {@link Partition.last}. */
export async function lastMessage(
  partition: SearchedPartition,
  pattern: string,
): Promise<StoredMessage | undefined> {
  if (!partition.keyIndex) return lastByScan(partition, pattern);
  let best = -1;
  const stale: [key: string, state: KeyState][] = [];
  for (const [key, state] of partition.keys(pattern)) {
    if (state.lastStale || !partition.isLive(state.last) || state.last >= partition.stableEnd)
      stale.push([key, state]);
    else if (state.last > best) best = state.last;
  }
  if (stale.length > oneByOneMax) {
    const highest = stale.reduce((max, [, { last }]) => Math.max(max, last), best);
    best = Math.max(best, await searchBack(partition, pattern, highest + 1, best + 1));
  } else {
    for (const [key, state] of stale)
      best = Math.max(best, await resolveLast(partition, keyFromText(key), state));
  }
  if (best < 0) return undefined;
  return best < partition.stableEnd ? partition.get(best) : lastByScan(partition, pattern);
}

/**
 * Up to this number of keys are searched one by one, each backwards from its last known offset. More keys are
 * searched in one pass over the log.
 */
const oneByOneMax = 8;

/** Offsets below `end` of the last messages of these keys, which the key index does not know. */
export async function lastOffsets(
  partition: SearchedPartition,
  keys: ReadonlySet<string>,
  end: number,
): Promise<readonly number[]> {
  if (keys.size > oneByOneMax) return lastOffsetsByScan(partition, keys, end);
  const offsets: number[] = [];
  for (const key of keys) {
    const offset = (await lastMessage(partition, key))?.offset ?? -1;
    if (offset >= 0 && offset < end) offsets.push(offset);
  }
  return offsets;
}

async function lastOffsetsByScan(
  partition: SearchedPartition,
  keys: ReadonlySet<string>,
  end: number,
): Promise<readonly number[]> {
  const found = new Map<string, number>();
  const reader = new KeyReader();
  for await (const record of partition.scan(partition.firstOffset, { toOffset: end })) {
    const key = textFromKey(reader.read(record));
    if (keys.has(key)) found.set(key, record.offset);
  }
  return [...found.values()];
}

async function lastByScan(partition: SearchedPartition, pattern: string): Promise<StoredMessage | undefined> {
  let last: StoredMessage | undefined;
  for await (const record of partition.scan(partition.firstOffset, { patterns: [pattern] })) {
    last = storedMessage(partition.topic.name, partition.index, record);
  }
  return last;
}

/**
 * Finds the last live offset of a key whose last message was removed, by reading backwards batch by batch.
 */
async function resolveLast(partition: SearchedPartition, key: string, state: KeyState): Promise<number> {
  const { last } = state;
  const isAll = last < partition.stableEnd;
  const found = await searchBack(partition, textFromKey(key), last + 1, 0);
  if (found >= 0 && isAll && state.last === last) {
    state.last = found;
    state.lastStale = false;
  }
  return found;
}

/**
 * Finds the last matching live message in `[floor, end)` by reading backwards in steps; -1 if there is none.
 */
async function searchBack(
  partition: SearchedPartition,
  pattern: string,
  end: number,
  floor: number,
): Promise<number> {
  const filter = new Filter([pattern]);
  const reader = partition.reader();
  const record = new Record();
  let to = Math.min(end, partition.stableEnd);
  while (to > Math.max(floor, partition.firstOffset)) {
    const from = Math.max(floor, partition.firstOffset, to - stepOffsets);
    let found = -1;
    for (let at = from; at < to;) {
      const batch = await partition.batchAt(at);
      if (!batch || batch.baseOffset >= to) break;
      reader.reset(batch, at);
      while (reader.next(record) && record.offset < to) {
        if (partition.isLive(record.offset) && filter.matchesRecord(record)) found = record.offset;
      }
      at = batch.endOffset;
    }
    if (found >= 0) return found;
    to = from;
  }
  return -1;
}
