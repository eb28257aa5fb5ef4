import { syncBounds, type SyncTimes } from '../sync-times.ts';

const windowMs = 60_000;

/** The times of syncs of the last minute or so. */
export class RecentSyncs {
  readonly #times: SyncTimes;
  readonly #marks: { readonly atMs: number; readonly counts: readonly number[] }[] = [];

  constructor(times: SyncTimes) {
    this.#times = times;
  }

  /** Marks a point in time; called now and then. */
  note(nowMs: number): void {
    this.#marks.push({ atMs: nowMs, counts: [...this.#times.counts] });
    while ((this.#marks[1]?.atMs ?? Infinity) <= nowMs - windowMs) this.#marks.shift();
  }

  /**
   * The time within which 99 of 100 syncs were done, as the upper bound of its bucket, in milliseconds; null
   * without syncs.
   */
  p99Ms(): number | null {
    const before = this.#marks[0]?.counts ?? [];
    const counts = this.#times.counts.map((count, at) => count - (before[at] ?? 0));
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) return null;
    let seen = 0;
    for (const [at, count] of counts.entries()) {
      seen += count;
      if (seen >= total * 0.99) return (syncBounds[at] ?? syncBounds.at(-1)! * 2) * 1000;
    }
    return null;
  }
}
