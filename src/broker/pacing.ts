import { Queue, type Clock } from '../util/index.ts';

/** Work that is paced gets so much of a turn of the event loop, beside everything that is done at once. */
const turnMs = 10;

/**
 * The pacing of a broker is the one queue in which long work waits between its pieces: scans of the log,
 * requests to an API. One piece of it goes on per turn of the event loop, however much such work there is;
 * the rest of the turn is everybody else's.
 */
export class Pacing {
  readonly #clock: Clock;
  readonly #waiting = new Queue<() => void>();
  /** Until when paced work may go on without waiting, in this turn of the loop; undefined: none has begun. */
  #endMs: number | undefined = undefined;
  #scheduled = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when it is the turn of who asks. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  /**
   * Before a piece of work that may be small: undefined while this turn of the loop has time for it and
   * nobody waits, else as {@link wait}.
   */
  rest(): Promise<void> | undefined {
    if (this.#waiting.size > 0) return this.wait();
    const nowMs = this.#clock.monotonic();
    if (this.#endMs === undefined) {
      this.#endMs = nowMs + turnMs;
      this.#schedule();
    }
    return nowMs < this.#endMs ? undefined : this.wait();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.defer(this.#next);
  }

  readonly #next = (): void => {
    this.#scheduled = false;
    this.#endMs = undefined;
    const go = this.#waiting.shift();
    if (this.#waiting.size > 0) this.#schedule();
    go?.();
  };
}
