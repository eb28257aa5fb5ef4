import { windows } from './windowed-rate.ts';

/**
 * A token bucket limits the changes of a client (KIP-599). It fills with `limit` tokens a second, up to the
 * tokens of eleven seconds; the last change may overdraw it.
 */
export class TokenBucket {
  #tokens = 0;
  #filledMs = -Infinity;

  record(tokens: number, limit: number, nowMs: number): void {
    this.#fill(limit, nowMs);
    this.#tokens = Math.min(limit * windows, this.#tokens - tokens);
  }

  /** Time until the bucket is no longer overdrawn; 0 if it is not. */
  throttleMs(limit: number, nowMs: number): number {
    this.#fill(limit, nowMs);
    return this.#tokens >= 0 ? 0 : Math.round((-this.#tokens / limit) * 1000);
  }

  #fill(limit: number, nowMs: number): void {
    const most = limit * windows;
    const elapsedMs = nowMs - this.#filledMs;
    this.#tokens = elapsedMs === Infinity ? most : Math.min(most, this.#tokens + (elapsedMs / 1000) * limit);
    this.#filledMs = nowMs;
  }
}
