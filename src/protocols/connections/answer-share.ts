import type { Clock } from '../../util/index.ts';
import type { AnswerRoom } from './answer-room.ts';

export interface AnswerShareOptions {
  /** Closes the connection, with an error of its protocol: it is behind, and the room is full. */
  readonly end: () => void;
  /** Updates the number of waiting bytes, in protocols that do not report every change. */
  readonly look?: () => void;
}

/**
 * An answer share is the part of the {@link AnswerRoom} that one connection uses: output that waits to be
 * read, and answers that are being made.
 */
export class AnswerShare {
  /**
   * A time of the monotonic clock, in milliseconds: the output that waited then has not all been read yet.
   * Undefined: no output waits. A reader that keeps up is never behind for long, however much is sent to it.
   */
  behindSinceMs: number | undefined = undefined;
  readonly #room: AnswerRoom;
  readonly #clock: Clock;
  readonly #options: AnswerShareOptions;
  /**
   * Once this many bytes have been read in all, none of the output that waited at `behindSinceMs` is left.
   */
  #behindUntilBytes = 0;
  #waitingBytes = 0;
  #makingBytes = 0;
  /** The sum of both that the room has been told of. */
  #countedBytes = 0;
  #hasEnded = false;

  constructor(room: AnswerRoom, clock: Clock, options: AnswerShareOptions) {
    this.#room = room;
    this.#clock = clock;
    this.#options = options;
  }

  /** Whether the room is full, because of this connection or of others. */
  get isRoomFull(): boolean {
    return this.#room.isFull;
  }

  /** Reserves room for an answer of `bytes`, at most `bytesMax`. Returns how much of that it may use. */
  take(bytes: number, bytesMax: number): number {
    this.#makingBytes = Math.min(bytes, this.#room.share(bytesMax));
    this.#count();
    return this.#makingBytes;
  }

  /**
   * The answer that was being made is complete or abandoned. Its room stays reserved until the next call of
   * `waiting` or `take`.
   */
  made(): void {
    this.#makingBytes = 0;
  }

  /** Sets the number of bytes that wait to be read, and the number read since the start. */
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

  /** Closes the connection and frees its room. */
  end(): void {
    this.#options.end();
    this.drop();
  }

  /** Frees the room after the connection has ended. */
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
