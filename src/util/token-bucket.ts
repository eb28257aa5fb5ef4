/** A rate: so many a second in the long run, and up to `burst` of them at once. */
export interface RateLimit {
  /** More than 0; may be a fraction. */
  readonly perSecond: number;
  /** 1 or more. */
  readonly burst: number;
}

/**
 * A token bucket keeps a {@link RateLimit}. It starts with `burst` tokens and gains `perSecond` of them a
 * second, up to `burst`.
 *
 * In any `t` seconds at most `burst + t * perSecond` tokens are taken. Only a take of more than `burst` at
 * once exceeds that: it needs a full bucket and leaves a debt, which later takes wait for.
 *
 * The bucket has no timer. Every call gets the time of a clock that never goes back (`Clock.monotonic`).
 */
export class TokenBucket {
  #limit: RateLimit;
  /** Negative: a debt. */
  #tokens: number;
  #filledMs: number;

  constructor(limit: RateLimit, nowMs: number) {
    this.#limit = limit;
    this.#tokens = limit.burst;
    this.#filledMs = nowMs;
  }

  get limit(): RateLimit {
    return this.#limit;
  }

  /** Whether {@link take} may follow: the tokens are there or, for more than `burst`, the bucket is full. */
  has(nowMs: number, count = 1): boolean {
    this.#fill(nowMs);
    return this.#tokens >= Math.min(count, this.#limit.burst);
  }

  /** Number of whole tokens that are there. */
  available(nowMs: number): number {
    this.#fill(nowMs);
    return Math.max(0, Math.floor(this.#tokens));
  }

  /** Takes the tokens, whether they are there or not; ask {@link has} before. */
  take(nowMs: number, count = 1): void {
    this.#fill(nowMs);
    this.#tokens -= count;
  }

  /** Gives back tokens that were taken and not used. */
  giveBack(count = 1): void {
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + count);
  }

  /**
   * Whole milliseconds until {@link has} is true; 0 if it is now. Rounding can leave it a hair short then:
   * ask again, the answer is 1.
   */
  waitMs(nowMs: number, count = 1): number {
    this.#fill(nowMs);
    const missing = Math.min(count, this.#limit.burst) - this.#tokens;
    return missing <= 0 ? 0 : Math.max(1, Math.ceil((missing / this.#limit.perSecond) * 1000));
  }

  /** Whether the bucket is full, so that a new one of this limit would do the same. */
  isFull(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#tokens >= this.#limit.burst;
  }

  /** Changes the limit from now on. Tokens that are there stay, up to the new burst; so does a debt. */
  change(limit: RateLimit, nowMs: number): void {
    this.#fill(nowMs);
    this.#limit = limit;
    this.#tokens = Math.min(this.#tokens, limit.burst);
  }

  #fill(nowMs: number): void {
    const { perSecond, burst } = this.#limit;
    if (this.#tokens < burst)
      this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#filledMs) / 1000) * perSecond);
    this.#filledMs = nowMs;
  }
}
