import type { Clock } from '../../util/index.ts';
import type { AnswerRoom } from './answer-room.ts';

export interface AnswerShareOptions {
  /** Ends the connection, in the words of its protocol: it is behind, and there is no room for the others. */
  readonly end: () => void;
  /** Brings up to date what waits, where that is not told as it happens. */
  readonly look?: () => void;
}

/**
 * An answer share is what one connection holds of the {@link AnswerRoom}: what waits to be read, and what is
 * being made.
 */
export class AnswerShare {
  /**
   * What waited at that time has not all been read yet: milliseconds of the monotonic clock. Undefined: nothing
   * waits. A reader that keeps up is never behind for long, however much is sent to it.
   */
  behindSinceMs: number | undefined = undefined;
  readonly #room: AnswerRoom;
  readonly #clock: Clock;
  readonly #options: AnswerShareOptions;
  /** Once so much has been read in all, nothing is left of what waited at `behindSinceMs`. */
  #behindUntilBytes = 0;
  #waitingBytes = 0;
  #makingBytes = 0;
  /** Of both, what the room knows of. */
  #countedBytes = 0;
  #hasEnded = false;

  constructor(room: AnswerRoom, clock: Clock, options: AnswerShareOptions) {
    this.#room = room;
    this.#clock = clock;
    this.#options = options;
  }

  /** Whether the room is used up, by whichever connections. */
  get isRoomFull(): boolean {
    return this.#room.isFull;
  }

  /** Takes room for an answer of so many bytes, `bytesMax` at most; says how much of that there is. */
  take(bytes: number, bytesMax: number): number {
    this.#makingBytes = Math.min(bytes, this.#room.share(bytesMax));
    this.#count();
    return this.#makingBytes;
  }

  /**
   * The answer that was being made is done, or given up. It keeps its room until it is counted among those
   * that wait.
   */
  made(): void {
    this.#makingBytes = 0;
  }

  /** So many bytes wait for the client to read them, and so many have been read since the start. */
  waiting(bytes: number, readBytes: number): void {
    if (bytes === 0) this.behindSinceMs = undefined;
    else if (this.behindSinceMs === undefined || readBytes >= this.#behindUntilBytes) {
      this.behindSinceMs = this.#clock.monotonic();
      this.#behindUntilBytes = readBytes + bytes;
    }
    this.#waitingBytes = bytes;
    this.#count();
  }

  look(): void {
    this.#options.look?.();
  }

  /** Ends the connection, and gives everything back. */
  end(): void {
    this.#options.end();
    this.drop();
  }

  /** Gives everything back: the connection has ended. */
  drop(): void {
    this.#waitingBytes = this.#makingBytes = 0;
    this.behindSinceMs = undefined;
    this.#count();
    this.#hasEnded = true;
  }

  #count(): void {
    if (this.#hasEnded) return;
    const bytes = this.#waitingBytes + this.#makingBytes;
    const change = bytes - this.#countedBytes;
    this.#countedBytes = bytes;
    if (change !== 0) this.#room.change(this, change, bytes);
  }
}
