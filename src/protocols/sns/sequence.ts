import type { Clock } from '../../util/index.ts';

/**
 * The sequence numbers of messages in FIFO topics: twenty digits, ascending in all topics, across restarts
 * too, because the time is in front. They are not consecutive, as those of SNS are not.
 */
export class SequenceNumbers {
  readonly #clock: Clock;
  #lastMs = 0;
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `1` and 13 digits of milliseconds and 6 of a count. */
  next(): string {
    const nowMs = this.#clock.now();
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs;
      this.#count = 0;
    } else if (++this.#count === 1_000_000) {
      // More than a million in a millisecond, or the clock was set back: the number runs ahead of the time.
      this.#lastMs++;
      this.#count = 0;
    }
    return `1${String(this.#lastMs).padStart(13, '0')}${String(this.#count).padStart(6, '0')}`;
  }
}
