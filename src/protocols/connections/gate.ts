import { Turn, type Turns } from './turns.ts';

/**
 * A reason for not reading from a socket.
 *
 * - `congested`: too many bytes wait for the disk, so publishers are slowed down
 * - `held`: the readers of its messages are behind, or its protocol has stopped it
 * - `turn`: its turn is over
 * - `room`: its requests under way, or its unread output, have reached their limit
 * - `login`: its password may not be checked yet
 * - `quota`: its client has exceeded a quota
 */
export type GateReason = 'congested' | 'held' | 'turn' | 'room' | 'login' | 'quota';

/** The part of a socket that a gate uses. */
interface Readable {
  pause(): unknown;
  resume(): unknown;
}

/**
 * A gate controls the input of one connection: the socket is read while no reason holds it back. `held` and
 * `congested` are counted; each of the other reasons is either set or not.
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
  /** The number of reasons that hold the socket back. */
  #reasons = 0;
  #socket: Readable | undefined = undefined;

  /** `goOn` is called when the next turn begins after a turn was used up. */
  constructor(turns: Turns, goOn: () => void) {
    this.#turn = new Turn(turns, () => {
      goOn();
      if (!this.#turn.isOver) this.set('turn', false);
    });
  }

  /** Sets the socket; pauses it if the gate is shut. */
  of(socket: Readable): void {
    this.#socket = socket;
    if (this.isShut) socket.pause();
  }

  /** Whether the socket is paused. */
  get isShut(): boolean {
    return this.#reasons > 0;
  }

  /** Whether this reason holds the socket back now. */
  has(reason: GateReason): boolean {
    return reason === 'turn' ? this.#turn.isOver : this.#counts[reason] > 0;
  }

  /**
   * Whether there is time left in the turn: see {@link Turn.hasTime}. If not, the socket is paused until the
   * next turn.
   */
  hasTime(): boolean {
    const hasTime = this.#turn.hasTime();
    if (!hasTime) this.set('turn', true);
    return hasTime;
  }

  /** Adds the reason once more. */
  shut(reason: 'congested' | 'held'): void {
    if (this.#counts[reason]++ === 0) this.#add();
  }

  /** Removes the reason once. */
  open(reason: 'congested' | 'held'): void {
    if (--this.#counts[reason] === 0) this.#remove();
  }

  /** Sets or clears the reason. */
  set(reason: 'turn' | 'room' | 'login' | 'quota', isThere: boolean): void {
    if (isThere === this.#counts[reason] > 0) return;
    this.#counts[reason] = isThere ? 1 : 0;
    if (isThere) this.#add();
    else this.#remove();
  }

  /**
   * Ends the gate when the connection ends. The socket is read on, and its input dropped, so that its end is
   * noticed.
   */
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
