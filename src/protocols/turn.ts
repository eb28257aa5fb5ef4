import type { Clock } from '../util/index.ts';

/** A connection that always has more to do is served for so long at a time. */
export const turnMs = 5;

/**
 * A turn is the time that one connection may take before the others get theirs. It begins when the connection is first found to have more to do,
 * and is over for certain when the system has been asked what came for everybody else.
 */
export class Turn {
  readonly #clock: Clock;
  readonly #goOn: () => void;
  /** Set while a turn lasts: a time of the monotonic clock. */
  #endMs: number | undefined = undefined;
  #isOver = false;

  /** `goOn` is called when the next turn begins after one that was used up. */
  constructor(clock: Clock, goOn: () => void) {
    this.#clock = clock;
    this.#goOn = goOn;
  }

  /** It is used up: nothing more may be done before the next one. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether there is time for more: asked between two pieces of work, of those who have a next one. */
  hasTime(): boolean {
    if (this.#isOver) return false;
    const nowMs = this.#clock.monotonic();
    if (this.#endMs === undefined) {
      this.#endMs = nowMs + turnMs;
      this.#clock.defer(this.#next);
    } else if (nowMs >= this.#endMs) this.#isOver = true;
    return !this.#isOver;
  }

  readonly #next = (): void => {
    this.#endMs = undefined;
    if (!this.#isOver) return;
    this.#isOver = false;
    this.#goOn();
  };
}
