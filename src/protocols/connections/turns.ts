import { Queue, type Clock } from '../../util/index.ts';

/** The time of one turn of a connection that always has more work. */
export const turnMs = 5;
/** The time that all turns together get in one turn of the event loop, besides work that is done at once. */
const allMs = 20;
/**
 * The same while new connections arrive. Node accepts one connection per turn of its loop (libuv since 1.45),
 * so long turns make a long queue.
 */
const hurriedMs = 5;

/**
 * The turns of a server's connections. Connections with more work than fits in one turn take turns, and leave
 * the event loop to other work in between.
 *
 * ```
 *   has more to do ─► its turn ─► over ─► waits in the queue ─► its next turn, in this turn of the loop or a later one
 * ```
 */
export class Turns {
  readonly clock: Clock;
  readonly #begun: Turn[] = [];
  readonly #waiting = new Queue<Turn>();
  /** When the time of all turns in this turn of the loop ends; undefined if no turn has begun. */
  #endMs: number | undefined = undefined;
  #isHurried = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Called after a connection was accepted; there may be more in the system's queue. */
  accepted(): void {
    this.#isHurried = true;
    if (this.#endMs !== undefined) this.#endMs = Math.min(this.#endMs, this.clock.monotonic() + hurriedMs);
  }

  /** Begins a turn. */
  begin(turn: Turn, nowMs: number): void {
    this.#begun.push(turn);
    if (this.#endMs !== undefined) return;
    this.#start(nowMs);
    this.clock.defer(this.#next);
  }

  /** Whether there is time left for all turns in this turn of the loop. */
  hasTime(nowMs: number): boolean {
    return this.#endMs === undefined || nowMs < this.#endMs;
  }

  /** Queues the next turn of a connection that has more work. */
  wait(turn: Turn): void {
    this.#waiting.push(turn);
  }

  #start(nowMs: number): void {
    this.#endMs = nowMs + (this.#isHurried ? hurriedMs : allMs);
    this.#isHurried = false;
  }

  /** Runs once per turn of the loop. The first turn in the queue goes on in any case. */
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
 * A turn is the time that one connection may take before other connections get theirs. It begins when the
 * connection first has more work, and ends with its own time or with the time of all turns.
 */
export class Turn {
  readonly #turns: Turns;
  readonly #goOn: () => void;
  /** The end of a running turn: a time of the monotonic clock. */
  #endMs: number | undefined = undefined;
  #isOver = false;

  /** `goOn` is called when the next turn begins after one was used up. */
  constructor(turns: Turns, goOn: () => void) {
    this.#turns = turns;
    this.#goOn = goOn;
  }

  /** Whether the turn is used up: no more work may be done before the next one. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Whether there is time for more work. To be asked between two pieces of work, if there is a next piece.
   */
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

  /** Called when the turn of the loop is over. Remaining work waits in the queue, or begins a new turn. */
  end(): void {
    this.#endMs = undefined;
  }

  goOn(): void {
    this.#endMs = undefined;
    this.#isOver = false;
    this.#goOn();
  }
}
