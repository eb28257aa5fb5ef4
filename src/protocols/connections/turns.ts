import { Queue, type Clock } from '../../util/index.ts';

/** A connection that always has more to do is served for so long at a time. */
export const turnMs = 5;
/**
 * All of these together get so much of one turn of the event loop, beside everything that is done at once.
 */
const allMs = 20;
/**
 * While new connections come: Node takes one of them per turn of its loop (libuv since 1.45), so that long
 * turns make a long queue.
 */
const hurriedMs = 5;

/**
 * The turns of a server's connections: those that have more to do than fits in one go wait for each other,
 * and leave the event loop to everybody else in between.
 *
 * ```
 *   has more to do ─► its turn ─► over ─► waits in the queue ─► its next turn, in this turn of the loop or a later one
 * ```
 */
export class Turns {
  readonly clock: Clock;
  readonly #begun: Turn[] = [];
  readonly #waiting = new Queue<Turn>();
  /**
   * Until when connections with much to do may go on, in this turn of the loop; undefined: none has begun.
   */
  #endMs: number | undefined = undefined;
  #isHurried = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** A connection was taken; there may be more in the system's queue. */
  accepted(): void {
    this.#isHurried = true;
    if (this.#endMs !== undefined) this.#endMs = Math.min(this.#endMs, this.clock.monotonic() + hurriedMs);
  }

  /** A turn begins. */
  begin(turn: Turn, nowMs: number): void {
    this.#begun.push(turn);
    if (this.#endMs !== undefined) return;
    this.#start(nowMs);
    this.clock.defer(this.#next);
  }

  /** Whether connections with much to do may still go on in this turn of the loop. */
  hasTime(nowMs: number): boolean {
    return this.#endMs === undefined || nowMs < this.#endMs;
  }

  /** A turn is over, and its connection has more to do. */
  wait(turn: Turn): void {
    this.#waiting.push(turn);
  }

  #start(nowMs: number): void {
    this.#endMs = nowMs + (this.#isHurried ? hurriedMs : allMs);
    this.#isHurried = false;
  }

  /** Once per turn of the loop. The first who waits goes on in any case. */
  readonly #next = (): void => {
    for (const turn of this.#begun.splice(0)) turn.end();
    this.#start(this.clock.monotonic());
    for (let count = this.#waiting.size; count > 0; count--) {
      this.#waiting.shift()!.goOn();
      if (!this.hasTime(this.clock.monotonic())) break;
    }
    if (this.#begun.length > 0 || this.#waiting.size > 0) this.clock.defer(this.#next);
    else this.#endMs = undefined;
  };
}

/**
 * A turn is the time that one connection may take before the others get theirs. It begins when the connection
 * is first found to have more to do, and is over with its time, or with the time of all.
 */
export class Turn {
  readonly #turns: Turns;
  readonly #goOn: () => void;
  /** Set while it lasts: a time of the monotonic clock. */
  #endMs: number | undefined = undefined;
  #isOver = false;

  /** `goOn` is called when the next one begins after one that was used up. */
  constructor(turns: Turns, goOn: () => void) {
    this.#turns = turns;
    this.#goOn = goOn;
  }

  /** It is used up: nothing more may be done before the next one. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether there is time for more: asked between two pieces of work, of those who have a next one. */
  hasTime(): boolean {
    if (this.#isOver) return false;
    const nowMs = this.#turns.clock.monotonic();
    if (this.#endMs === undefined) {
      this.#endMs = nowMs + turnMs;
      this.#turns.begin(this, nowMs);
    }
    if (nowMs < this.#endMs && this.#turns.hasTime(nowMs)) return true;
    this.#isOver = true;
    this.#turns.wait(this);
    return false;
  }

  /** The turn of the loop is over. What is left to do waits, or comes anew. */
  end(): void {
    this.#endMs = undefined;
  }

  goOn(): void {
    this.#endMs = undefined;
    this.#isOver = false;
    this.#goOn();
  }
}
