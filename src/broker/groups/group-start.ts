import { textFromKey, type Filter } from '../partitions/filter.ts';
import type { GroupStart } from './group-config.ts';
import type { GroupPartition } from './group-partition.ts';
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
  const offsets: number[] = [];
  const toFind = new Set<string>();
  partition.visitKeys(filter, (state, key) => {
    if (state.lastStale || state.last >= end) toFind.add(textFromKey(key));
    else offsets.push(state.last);
  });
  if (toFind.size > 0) for (const offset of await lastOffsets(partition, toFind, end)) offsets.push(offset);
  return ascending(offsets);
}

/** Sorts in place. Last offsets come in the order of their keys, which is nearly theirs or is theirs. */
function ascending(offsets: number[]): number[] {
  for (let at = 1; at < offsets.length; at++)
    if (offsets[at - 1]! > offsets[at]!) return offsets.sort((a, b) => a - b);
  return offsets;
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
    partition.visitKeys(filter, (state) => (count += state.count));
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
