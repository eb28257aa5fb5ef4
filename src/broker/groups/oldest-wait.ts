import type { GroupPartition } from './group-partition.ts';
import type { GroupState } from './group-state.ts';

/**
 * Pending messages whose time has to be read from the log (delivered before the last restart), of one
 * partition and look.
 */
const readsMax = 1000;

/** The first message that was not delivered yet, as long as the position stands there. */
interface Known {
  readonly from: number;
  readonly offset: number;
  readonly timestampMs: number;
}
const undelivered = new WeakMap<GroupPartition, Known>();

/**
 * The time of the oldest message that a group has still to do, on any partition, pending or not delivered
 * yet; undefined when there is none. To look for the first message that passes a filter can take a while:
 * `signal` ends that, and then it does not count.
 */
export async function oldestTimestampMs(
  group: GroupState,
  signal?: AbortSignal,
): Promise<number | undefined> {
  let oldestMs = Infinity;
  for (const position of group.positions.opened.slice()) {
    oldestMs = Math.min(oldestMs, await oldestPendingMs(position));
    if (position.lag > position.held)
      oldestMs = Math.min(oldestMs, await firstUndeliveredMs(group, position, signal));
  }
  return Number.isFinite(oldestMs) ? oldestMs : undefined;
}

/** Timestamps are the publishers': the first that is pending need not be the oldest. */
async function oldestPendingMs({ partition, pending }: GroupPartition): Promise<number> {
  let oldestMs = Infinity;
  let reads = 0;
  for (const entry of pending.values()) {
    if (!partition.isLive(entry.offset)) continue;
    if (entry.timestampMs === undefined && reads++ < readsMax)
      entry.timestampMs = (await partition.get(entry.offset))?.timestampMs;
    oldestMs = Math.min(oldestMs, entry.timestampMs ?? Infinity);
  }
  return oldestMs;
}

async function firstUndeliveredMs(
  group: GroupState,
  position: GroupPartition,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { partition, cursor, backfill } = position;
  const from = backfill[0] ?? cursor;
  const known = undelivered.get(position);
  if (known?.from === from && partition.isLive(known.offset)) return known.timestampMs;
  const options = { patterns: group.filter?.patterns ?? [], ...(signal ? { signal } : {}) };
  try {
    for await (const { offset, timestampMs } of partition.scan(from, options)) {
      undelivered.set(position, { from, offset, timestampMs });
      return timestampMs;
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
  return Infinity;
}
