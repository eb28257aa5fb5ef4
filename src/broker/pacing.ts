import { Queue, type Clock } from '../util/index.ts';

/** Paced work gets this much of each turn of the event loop, in addition to work that is done at once. */
const turnMs = 10;

/**
 * The pacing of a broker is the one queue in which long work waits between its pieces: scans of the log,
 * requests to an API. Each turn of the event loop resumes one piece, however much such work there is. The
 * rest of the turn is for all other work.
 */
export class Pacing {
  readonly #clock: Clock;
  readonly #waiting = new Queue<() => void>();
  /**
   * Until when paced work may go on without waiting, in this turn of the loop; undefined if none has started.
   */
  #endMs: number | undefined = undefined;
  #scheduled = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when it is the caller's turn. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  /**
   * To be called before a piece of work that may be small. Undefined if this turn of the loop has time for it
   * and no other work waits; otherwise as {@link wait}.
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
