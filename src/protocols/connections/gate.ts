import { Turn, type Turns } from './turns.ts';

/**
 * Why a socket is not read.
 *
 * - `congested`: so much waits for the disk that publishers are slowed down
 * - `held`: what it sends goes to readers that are behind, or its protocol has stopped it
 * - `turn`: its turn is over
 * - `room`: as much of it is under way, or waits to be read by it, as may
 * - `login`: its password may not be looked at yet
 * - `quota`: its client is beyond a quota
 */
export type GateReason = 'congested' | 'held' | 'turn' | 'room' | 'login' | 'quota';

/** What a gate needs of a socket. */
interface Readable {
  pause(): unknown;
  resume(): unknown;
}

/**
 * A gate stands before the input of one connection: its socket is read while there is no reason not to.
 * `held` and `congested` count how often they were given; the other reasons are there or not.
 */
export class Gate {
  readonly #turn: Turn;
  readonly #counts: { [reason in GateReason]: number } = {
    congested: 0,
    held: 0,
    turn: 0,
    room: 0,
    login: 0,
    quota: 0,
  };
  /** Reasons that there are. */
  #reasons = 0;
  #socket: Readable | undefined = undefined;

  /** `goOn` is called when the next turn begins after one that was used up. */
  constructor(turns: Turns, goOn: () => void) {
    this.#turn = new Turn(turns, () => {
      goOn();
      if (!this.#turn.isOver) this.set('turn', false);
    });
  }

  /** Reads the socket from now on, or does not. */
  of(socket: Readable): void {
    this.#socket = socket;
    if (this.isShut) socket.pause();
  }

  /** Whether the socket is not read. */
  get isShut(): boolean {
    return this.#reasons > 0;
  }

  /** Whether the reason is there now. */
  has(reason: GateReason): boolean {
    return reason === 'turn' ? this.#turn.isOver : this.#counts[reason] > 0;
  }

  /** Whether its turn lasts: see {@link Turn.hasTime}. When it is over, the socket is not read before the next. */
  hasTime(): boolean {
    const hasTime = this.#turn.hasTime();
    if (!hasTime) this.set('turn', true);
    return hasTime;
  }

  /** The reason is there, once more. */
  shut(reason: 'congested' | 'held'): void {
    if (this.#counts[reason]++ === 0) this.#add();
  }

  /** The reason is there once less. */
  open(reason: 'congested' | 'held'): void {
    if (--this.#counts[reason] === 0) this.#remove();
  }

  /** The reason is there, or not. */
  set(reason: 'turn' | 'room' | 'login' | 'quota', isThere: boolean): void {
    if (isThere === this.#counts[reason] > 0) return;
    this.#counts[reason] = isThere ? 1 : 0;
    if (isThere) this.#add();
    else this.#remove();
  }

  /** The connection ends: what still comes is read, and dropped, so that its end is seen. */
  leave(): void {
    this.#socket?.resume();
    this.#socket = undefined;
  }

  #add(): void {
    if (++this.#reasons === 1) this.#socket?.pause();
  }

  #remove(): void {
    if (--this.#reasons === 0) this.#socket?.resume();
  }
}
