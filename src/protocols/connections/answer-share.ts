import type { Clock } from '../../util/index.ts';
import type { AnswerRoom } from './answer-room.ts';

/**
 * An answer share is what one connection holds of the {@link AnswerRoom}: what waits to be read, and what is
 * being made.
 */
export class AnswerShare {
  /** Since when answers wait for the client to read them: milliseconds of the monotonic clock. */
  behindSinceMs: number | undefined = undefined;
  readonly #room: AnswerRoom;
  readonly #clock: Clock;
  #waitingBytes = 0;
  #makingBytes = 0;
  /** Of both, what the room knows of. */
  #countedBytes = 0;

  constructor(room: AnswerRoom, clock: Clock) {
    this.#room = room;
    this.#clock = clock;
  }

  /** Takes room for an answer of so many bytes; says how much of that there is. */
  take(bytes: number): number {
    this.#makingBytes = Math.min(bytes, this.#room.share);
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

  /** So many bytes wait for the client to read them. */
  waiting(bytes: number): void {
    if (bytes === 0) this.behindSinceMs = undefined;
    else this.behindSinceMs ??= this.#clock.monotonic();
    this.#waitingBytes = bytes;
    this.#count();
  }

  /** Gives everything back. */
  drop(): void {
    this.#waitingBytes = this.#makingBytes = 0;
    this.#count();
  }

  #count(): void {
    const bytes = this.#waitingBytes + this.#makingBytes;
    const change = bytes - this.#countedBytes;
    this.#countedBytes = bytes;
    if (change !== 0) this.#room.change(change);
  }
}
