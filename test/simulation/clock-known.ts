/** A time in which the wall clock was not set while a broker was up. All times in milliseconds. */
interface Period {
  /** Readings of the wall clock in it. */
  fromMs: number;
  toMs: number;
  /** How far the wall clock is ahead of steady time. */
  readonly aheadMs: number;
}

/** Readings are whole milliseconds. */
const roundingMs = 1;

/**
 * The clients' knowledge of the wall clock. Rules compare steady times, as they are promised: wall-clock time
 * without the jumps while a broker was up. A jump while none was up cannot be told from time without one.
 */
export class ClockKnown {
  #now: Period = { fromMs: -Infinity, toMs: Infinity, aheadMs: 0 };
  readonly #periods: Period[] = [this.#now];
  /** Jumps that may not be on disk yet, by the index of the event, and whether the broker told of them. */
  readonly #pending: { readonly at: number; readonly byMs: number; isTold: boolean }[] = [];
  /**
   * All jumps back together: times of before them may count as later by so much after a restart, and what
   * stands behind such a message stays with it.
   */
  setBackMs = 0;
  wasSet = false;
  /** Steady time went back, with the clock, while no broker was up. */
  wentBack = false;
  /** The last steady time before the clock was set while no broker was up. */
  #latestMs = -Infinity;
  /** A process died before the jump was surely on disk: nobody knows what the next one makes of it. */
  isUnsure = false;

  /** The clock was set at that steady time. */
  set(at: number, steadyMs: number, byMs: number, isDown: boolean): void {
    this.wasSet = true;
    this.setBackMs += Math.max(0, -byMs);
    const readMs = steadyMs + this.#now.aheadMs;
    if (isDown) {
      this.wentBack ||= byMs < 0;
      this.#latestMs = Math.max(this.#latestMs, steadyMs);
      // Steady time goes with it.
      this.#now.fromMs = Math.min(this.#now.fromMs, readMs + byMs);
      return;
    }
    this.#now.toMs = readMs;
    this.#now = { fromMs: readMs + byMs, toMs: Infinity, aheadMs: this.#now.aheadMs + byMs };
    this.#periods.push(this.#now);
    this.#pending.push({ at, byMs, isTold: false });
  }

  told(byMs: number): void {
    const jump = this.#pending.find(({ isTold }) => !isTold);
    if (jump && Math.abs(jump.byMs - byMs) <= 2 * roundingMs) jump.isTold = true;
  }

  /** Requests up to that event are on disk. Returns the jump among them of which nothing was told. */
  durable(upTo: number): number | undefined {
    const settled = this.#pending.filter(({ at }) => at <= upTo);
    this.#pending.splice(0, settled.length);
    return settled.find(({ isTold }) => !isTold)?.byMs;
  }

  ended(): void {
    if (this.#pending.length > 0) this.isUnsure = true;
  }

  /** The last time there was until now. */
  latest(nowMs: number): number {
    return Math.max(nowMs, this.#latestMs);
  }

  /** Whether a time had surely not come, now or before the clock was set back. */
  isAhead(dueMs: number, nowMs: number): boolean {
    return dueMs > this.latest(nowMs) + (this.wasSet ? 2 * roundingMs : 0);
  }

  /** The steady times that a reading of the wall clock may have been taken at, not before that one. */
  timesOf(wallMs: number, notBeforeMs: number): number[] {
    if (!this.wasSet) return [wallMs];
    const times = this.#periods
      .filter(({ fromMs, toMs }) => wallMs >= fromMs - roundingMs && wallMs <= toMs + roundingMs)
      .map(({ aheadMs }) => wallMs - aheadMs)
      .filter((ms) => ms >= notBeforeMs - roundingMs);
    return times.length > 0
      ? times.sort((a, b) => a - b)
      : [Math.max(wallMs - this.#now.aheadMs, notBeforeMs)];
  }
}
