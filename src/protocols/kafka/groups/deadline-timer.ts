import type { Clock, Timer } from '../../../util/index.ts';

/**
 * A deadline timer fires at the earliest of many deadlines, most of which are extended before they pass. The
 * timer is reset only for an earlier deadline, and checks all deadlines when it fires. So a heartbeat does
 * not set a timer.
 */
export class DeadlineTimer {
  readonly #clock: Clock;
  readonly #expire: () => number;
  #timer: Timer | undefined = undefined;
  #dueMs = Infinity;

  /**
   * `expire` handles what is due and returns the earliest remaining deadline (monotonic clock); Infinity for
   * none.
   */
  constructor(clock: Clock, expire: () => number) {
    this.#clock = clock;
    this.#expire = expire;
  }

  /** Notes a deadline. */
  note(dueMs: number): void {
    if (dueMs >= this.#dueMs) return;
    this.#timer?.cancel();
    this.#dueMs = dueMs;
    this.#timer = this.#clock.setTimer(dueMs - this.#clock.monotonic(), this.#onDue);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dueMs = Infinity;
  }

  readonly #onDue = (): void => {
    this.stop();
    this.note(this.#expire());
  };
}
