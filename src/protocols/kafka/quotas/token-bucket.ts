import { windows } from './windowed-rate.ts';

/**
 * A token bucket is what a client may still change at once (KIP-599): it fills with `limit` tokens a second, up
 * to those of eleven seconds, and may be overdrawn by the last change.
 */
export class TokenBucket {
  #tokens = 0;
  #filledMs = -Infinity;

  record(tokens: number, limit: number, nowMs: number): void {
    this.#fill(limit, nowMs);
    this.#tokens = Math.min(limit * windows, this.#tokens - tokens);
  }

  /** Until when it is overdrawn, from now; 0: it is not. */
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
