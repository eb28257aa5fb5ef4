/** One answer takes this part of the room that is left, at most. */
const shareOfRest = 1 / 8;
/** So much is no more than what a connection costs anyhow: it never waits. */
const smallBytes = 64 * 1024;

/**
 * The answer room bounds the memory of answers that wait to be read, of all connections together. A few bytes
 * ask for megabytes: clients that ask and never read must not take the memory of those that do.
 *
 * The less room there is, the smaller the answers to fetches become. When there is none, those that would be
 * large wait; the frontend makes room then by ending the connection that has been behind for longest.
 */
export class AnswerRoom {
  readonly #bytesMax: number;
  readonly #answerBytesMax: number;
  #bytes = 0;
  readonly #waiting = new Set<() => void>();

  constructor(bytesMax: number, answerBytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#answerBytesMax = answerBytesMax;
  }

  /** Bytes in use. */
  get bytes(): number {
    return this.#bytes;
  }

  get bytesOver(): number {
    return this.#bytes - this.#bytesMax;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#bytesMax;
  }

  /** Whether an answer of so many bytes may be made now. */
  hasRoomFor(bytes: number): boolean {
    return !this.isFull || bytes <= smallBytes;
  }

  /** How many bytes of records an answer may have now. */
  get share(): number {
    const rest = Math.ceil((this.#bytesMax - this.#bytes) * shareOfRest);
    return Math.min(this.#answerBytesMax, Math.max(rest, smallBytes));
  }

  /** A connection holds so many bytes more, or less. */
  change(bytes: number): void {
    this.#bytes += bytes;
    if (bytes >= 0) return;
    for (const callback of this.#waiting) {
      if (this.isFull) break;
      this.#waiting.delete(callback);
      callback();
    }
  }

  /** Calls back once there is room. Returns what takes the callback back. */
  whenRoom(callback: () => void): () => void {
    this.#waiting.add(callback);
    return () => this.#waiting.delete(callback);
  }
}
