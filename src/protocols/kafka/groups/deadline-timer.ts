import type { Clock, Timer } from '../../../util/index.ts';

/**
 * A deadline timer goes off at the earliest of many deadlines that mostly move on before they pass: it is set
 * anew only for an earlier one, and looks at all of them when it goes off. A heartbeat so costs no timer.
 */
export class DeadlineTimer {
  readonly #clock: Clock;
  readonly #expire: () => number;
  #timer: Timer | undefined = undefined;
  #dueMs = Infinity;

  /**
   * `expire` handles what is due and returns the earliest deadline that is left (monotonic clock), Infinity
   * for none.
   */
  constructor(clock: Clock, expire: () => number) {
    this.#clock = clock;
    this.#expire = expire;
  }

  /** There is a deadline then. */
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
