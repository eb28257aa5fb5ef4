import { syncBounds, type SyncTimes } from '../sync-times.ts';
import type { Reading } from './alarm.ts';
import { bytesText, countText, shareText, spanText } from './figures.ts';

/** The figures of the server that its rules measure. */
export interface ServerFigures {
  readonly diskFreeBytes: number | undefined;
  /** Publishes are refused while the disk has less free. */
  readonly diskMarkBytes: number;
  readonly diskTimeToFullMs: number | undefined;
  readonly memoryBytes: number;
  readonly memoryMarkBytes: number;
  readonly heapBytes: number;
  readonly heapMarkBytes: number;
  readonly dataDirectory: string;
}

/** Measures the server by its rules. */
export function readServer(figures: ServerFigures, syncs: SyncWindow): Reading[] {
  const { diskFreeBytes, diskMarkBytes, diskTimeToFullMs, dataDirectory } = figures;
  const { memoryBytes, memoryMarkBytes, heapBytes, heapMarkBytes } = figures;
  const disk = `The disk of ${dataDirectory} has ${bytesText(diskFreeBytes ?? 0)} free`;
  const freeDisk = 'Consume or purge topics, set limits of size or age, or give the disk more room.';
  const shares = [memoryBytes / memoryMarkBytes, heapBytes / heapMarkBytes] as const;
  const isHeap = shares[1] > shares[0];
  const [used, mark] = isHeap ? [heapBytes, heapMarkBytes] : [memoryBytes, memoryMarkBytes];
  return [
    {
      rule: 'disk',
      value: diskFreeBytes === undefined || diskMarkBytes === 0 ? undefined : diskFreeBytes / diskMarkBytes,
      tell: () => ({
        reason: `${disk}; below ${bytesText(diskMarkBytes)} publishes are refused.`,
        remedy: freeDisk,
      }),
    },
    {
      rule: 'disk-time-to-full',
      value: diskTimeToFullMs,
      tell: () => ({
        reason: `${disk}, and publishes are refused in ${spanText(diskTimeToFullMs ?? 0)} if it fills on as in the last minute.`,
        remedy: freeDisk,
      }),
    },
    {
      rule: 'memory',
      value: Math.max(...shares),
      tell: () => ({
        reason: `The broker uses ${bytesText(used)} of ${isHeap ? 'JavaScript heap' : 'memory'}, ${shareText(used / mark)} of the mark of ${bytesText(mark)} beyond which publishes are refused.`,
        remedy: `Close connections that are behind, consume or purge topics, or raise ${isHeap ? 'heap-max (and --max-old-space-size)' : 'memory-max'}.`,
      }),
    },
    {
      rule: 'sync-time',
      value: syncs.slowMs,
      tell: () => ({
        reason: `One write of 100 to ${dataDirectory} took about ${spanText(syncs.slowMs ?? 0)} to reach the disk in the last minute (of ${countText(syncs.writes)}); every acknowledgement waits for one.`,
        remedy:
          'Look at what else writes to that disk, or move the data directory to a faster one; pillarbox doctor measures it.',
      }),
    },
  ];
}

const windowMs = 60_000;
const stepMs = 10_000;
/** With fewer writes a percentile says nothing. */
const writesMin = 20;
const slowPercentile = 0.99;

/** The times of the writes of about the last minute, from the histogram of all of them. */
export class SyncWindow {
  readonly #times: SyncTimes;
  #before: { readonly atMs: number; readonly counts: readonly number[] }[] = [];
  writes = 0;
  /**
   * The time in which 99 of 100 of these writes were durable (upper bound of its bucket), in milliseconds.
   */
  slowMs: number | undefined = undefined;

  constructor(times: SyncTimes) {
    this.#times = times;
  }

  look(nowMs: number): void {
    const counts = this.#times.counts.slice();
    const last = this.#before[this.#before.length - 1];
    if (!last || nowMs - last.atMs >= stepMs) this.#before.push({ atMs: nowMs, counts });
    while (this.#before.length > 1 && nowMs - this.#before[1]!.atMs >= windowMs) this.#before.shift();
    const [first] = this.#before;
    const made = counts.map((count, at) => count - (first?.counts[at] ?? 0));
    this.writes = made.reduce((sum, count) => sum + count, 0);
    this.slowMs = undefined;
    if (this.writes < writesMin) return;
    let left = Math.ceil(this.writes * slowPercentile);
    const at = made.findIndex((count) => (left -= count) <= 0);
    this.slowMs = (syncBounds[at] ?? syncBounds[syncBounds.length - 1]! * 2) * 1000;
  }
}
