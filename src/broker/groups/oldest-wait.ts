import type { GroupPartition } from './group-partition.ts';
import type { GroupState } from './group-state.ts';

/**
 * Maximum number of pending messages whose timestamp is read from the log (those delivered before the last
 * restart), per partition and call.
 */
const readsMax = 1000;

/** The first message not yet delivered, valid while the position is at `from`. */
interface Known {
  readonly from: number;
  readonly offset: number;
  readonly timestampMs: number;
}
const undelivered = new WeakMap<GroupPartition, Known>();

/**
 * The timestamp of the oldest message that is not done, on any partition, pending or not yet delivered;
 * undefined if there is none. The search for the first message that passes a filter can take a while.
 * `signal` ends it; that message is then left out.
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

/**
 * Reads all pending entries, because timestamps are the publishers': the first entry need not be the oldest.
 */
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
      if (position.isAhead(offset)) continue;
      undelivered.set(position, { from, offset, timestampMs });
      return timestampMs;
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
  return Infinity;
}
