/** Kafka's `quota.window.num` and `quota.window.size.seconds`. */
export const windows = 11;
export const windowMs = 1000;

/**
 * A windowed rate is the sum of the last windows, per second, as Kafka measures it. The time counts as at
 * least ten windows, so that a burst is spread over ten seconds.
 */
export class WindowedRate {
  readonly #startsMs = new Float64Array(windows).fill(-Infinity);
  readonly #totals = new Float64Array(windows);
  #current = 0;

  record(value: number, nowMs: number): void {
    if (nowMs - this.#startsMs[this.#current]! >= windowMs) {
      this.#current = (this.#current + 1) % windows;
      this.#startsMs[this.#current] = nowMs;
      this.#totals[this.#current] = 0;
    }
    this.#totals[this.#current]! += value;
  }

  /**
   * How long the client has to pause until its rate is `limit` per second again; 0 if it is within the limit.
   */
  throttleMs(limit: number, nowMs: number): number {
    let total = 0;
    let oldestMs = nowMs;
    for (let at = 0; at < windows; at++) {
      const startMs = this.#startsMs[at]!;
      if (nowMs - startMs >= windows * windowMs) continue;
      total += this.#totals[at]!;
      oldestMs = Math.min(oldestMs, startMs);
    }
    let elapsedMs = nowMs - oldestMs;
    const full = Math.floor(elapsedMs / windowMs);
    if (full < windows - 1) elapsedMs += (windows - 1 - full) * windowMs;
    const rate = total / (elapsedMs / 1000);
    return rate <= limit ? 0 : Math.round(((rate - limit) / limit) * elapsedMs);
  }
}
