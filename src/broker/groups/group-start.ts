import type { Filter } from '../partitions/filter.ts';
import type { GroupStart } from './group-config.ts';
import type { GroupPartition } from './group-partition.ts';
import type { KeyState } from '../partitions/key-index.ts';
import { lastOffsets } from '../partitions/last-message.ts';

/** Sets the position of a group on one partition to its start, and counts the messages to deliver. */
export async function startPosition(
  position: GroupPartition,
  filter: Filter | undefined,
  start: GroupStart,
): Promise<void> {
  const { partition } = position;
  await partition.accounting.run();
  // Messages of undecided transactions count as new. So do the messages behind them, which no group has seen
  // yet.
  const end = partition.undecidedFrom;
  const countedEnd = partition.nextOffset;
  // If the start cannot be determined, the position does not change.
  const from = await startOffset(position, filter, start, end);
  const isNumber = typeof from === 'number';
  const waitsBeyond = start.kind === 'offset' && start.beyondEnd === true;
  const limit = waitsBeyond ? Infinity : countedEnd;
  position.place(isNumber ? Math.min(from, limit) : end, isNumber ? undefined : from);
  if (filter) await countLag(position, filter);
}

/** Counts the lag of a group with a filter again. */
export async function countLag(position: GroupPartition, filter: Filter): Promise<void> {
  const end = position.partition.nextOffset;
  position.filteredLag = 0; // new messages add to the count from here on
  const counted = await countMatching(position, filter, position.cursor, end);
  position.filteredLag += counted;
}

async function startOffset(
  position: GroupPartition,
  filter: Filter | undefined,
  start: GroupStart,
  end: number,
): Promise<number | number[]> {
  const { partition } = position;
  switch (start.kind) {
    case 'all':
      return partition.firstOffset;
    case 'new':
      return end;
    case 'offset':
      return start.offset;
    case 'time':
      return partition.offsetAtTime(start.timestampMs);
    case 'last': {
      let last = -1;
      for (const pattern of filter?.patterns ?? ['>'])
        last = Math.max(last, await lastOffset(position, pattern));
      return last < 0 ? end : last;
    }
    case 'last-per-key':
      return lastPerKey(position, filter, end);
    default:
      return start satisfies never;
  }
}

async function lastOffset(position: GroupPartition, pattern: string): Promise<number> {
  const { partition } = position;
  if (pattern === '>' && partition.count > 0) {
    for (let offset = partition.undecidedFrom - 1; offset >= partition.firstOffset; offset--) {
      if (partition.isLive(offset)) return offset;
    }
  }
  return (await partition.last(pattern))?.offset ?? -1;
}

async function lastPerKey(
  position: GroupPartition,
  filter: Filter | undefined,
  end: number,
): Promise<number[]> {
  const { partition } = position;
  const offsets = new Set<number>();
  const toFind = new Set<string>();
  for (const pattern of filter?.patterns ?? ['>']) {
    for (const [key, state] of partition.keys(pattern)) {
      if (state.lastStale || state.last >= end) toFind.add(key);
      else offsets.add(state.last);
    }
  }
  for (const offset of await lastOffsets(partition, toFind, end)) offsets.add(offset);
  return [...offsets].sort((a, b) => a - b);
}

/**
 * Counts live messages in `[from, end)` that pass the filter: from the key index if it covers them, else by
 * reading.
 */
async function countMatching(
  position: GroupPartition,
  filter: Filter,
  from: number,
  end: number,
): Promise<number> {
  const { partition } = position;
  let count = 0;
  if (partition.keyIndex && from <= partition.firstOffset) {
    const states = new Set<KeyState>(); // a key may match several patterns
    for (const pattern of filter.patterns) for (const [, state] of partition.keys(pattern)) states.add(state);
    for (const state of states) count += state.count;
    return count - position.filteredLag;
  }
  for await (const record of partition.scan(from, {
    patterns: filter.patterns,
    toOffset: end,
    undecided: true,
  })) {
    if (record.offset < end) count++;
  }
  return count;
}
