import { memoryLimitBytes, type Clock, type Timer } from '../../util/index.ts';
import type { AnswerShare } from './answer-share.ts';

/** The part of the remaining room that one answer may take. */
const shareOfRest = 1 / 8;
/** Answers up to this size never wait: they are no larger than the cost of a connection. */
const smallBytes = 64 * 1024;
/** The default room, as a part of the memory of the machine or container. */
const shareOfMemory = 1 / 8;
const mib = 2 ** 20;

export interface AnswerRoomOptions {
  readonly bytesMax: number;
  /** While the room is full, connections that have been behind for this long are closed, in milliseconds. */
  readonly behindMsMax: number;
}

/** The default size of the room on a machine with this much memory, in bytes. */
export function answerRoomBytes(memoryBytes: number = memoryLimitBytes()): number {
  return Math.min(Math.max(Math.floor(memoryBytes * shareOfMemory), 32 * mib), 1024 * mib);
}

/**
 * The answer room bounds the memory of unread output, over all connections of all protocols. A request of a
 * few bytes can ask for megabytes. Clients that request and never read must not take the memory of clients
 * that do read.
 *
 * Answers that can be made smaller shrink as the room fills up. When the room is full, large answers wait,
 * publishers to slow readers are held back, and connections that have been behind for too long are closed,
 * the longest first, until there is room again.
 */
export class AnswerRoom {
  readonly #clock: Clock;
  readonly #options: AnswerRoomOptions;
  #bytes = 0;
  readonly #waiting = new Set<() => void>();
  /** Shares that have bytes in the room. */
  readonly #shares = new Set<AnswerShare>();
  #timer: Timer | undefined = undefined;

  constructor(clock: Clock, options: AnswerRoomOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Bytes in use. */
  get bytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#options.bytesMax;
  }

  /** Whether an answer of this size may be made now. */
  hasRoomFor(bytes: number): boolean {
    return !this.isFull || bytes <= smallBytes;
  }

  /** The size that an answer may have now, up to `bytesMax`. */
  share(bytesMax: number): number {
    const rest = Math.ceil((this.#options.bytesMax - this.#bytes) * shareOfRest);
    return Math.min(bytesMax, Math.max(rest, smallBytes));
  }

  /** Records that a share grew or shrank by `bytes`, to `total`. */
  change(share: AnswerShare, bytes: number, total: number): void {
    this.#bytes += bytes;
    if (total > 0) this.#shares.add(share);
    else this.#shares.delete(share);
    if (this.isFull) this.#makeRoomSoon();
    if (bytes >= 0) return;
    for (const callback of this.#waiting) {
      if (this.isFull) break;
      this.#waiting.delete(callback);
      callback();
    }
  }

  /** Calls back once there is room. Returns a function that cancels the callback. */
  whenRoom(callback: () => void): () => void {
    this.#waiting.add(callback);
    return () => this.#waiting.delete(callback);
  }

  #makeRoomSoon(): void {
    if (this.#timer !== undefined) return;
    this.#timer = this.#clock.setTimer(this.#options.behindMsMax / 2, this.#makeRoom);
  }

  /** Closes the connections that have been behind for longest, until the room is no longer full. */
  readonly #makeRoom = (): void => {
    this.#timer = undefined;
    if (!this.isFull) return;
    const sinceMs = this.#clock.monotonic() - this.#options.behindMsMax;
    const behind: { readonly share: AnswerShare; readonly atMs: number }[] = [];
    for (const share of this.#shares) {
      share.look();
      const atMs = share.behindSinceMs ?? Infinity;
      if (atMs <= sinceMs) behind.push({ share, atMs });
    }
    behind.sort((a, b) => a.atMs - b.atMs);
    for (const { share } of behind) {
      if (!this.isFull) return;
      share.end();
    }
    if (this.isFull) this.#makeRoomSoon();
  };
}
