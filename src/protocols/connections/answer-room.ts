import { memoryLimitBytes, type Clock, type Timer } from '../../util/index.ts';
import type { AnswerShare } from './answer-share.ts';

/** One answer takes this part of the room that is left, at most. */
const shareOfRest = 1 / 8;
/** So much is no more than what a connection costs anyhow: it never waits. */
const smallBytes = 64 * 1024;
/** By default the room is this part of the memory of the machine or container. */
const shareOfMemory = 1 / 8;
const mib = 2 ** 20;

export interface AnswerRoomOptions {
  readonly bytesMax: number;
  /** While the room is full, connections that have been behind for so long are ended, in milliseconds. */
  readonly behindMsMax: number;
}

/** The default size of the room for so much memory, in bytes. */
export function answerRoomBytes(memoryBytes: number = memoryLimitBytes()): number {
  return Math.min(Math.max(Math.floor(memoryBytes * shareOfMemory), 32 * mib), 1024 * mib);
}

/**
 * The answer room bounds the memory of output that waits to be read, of all connections of all protocols
 * together. A few bytes ask for megabytes: clients that ask and never read must not take the memory of those
 * that do.
 *
 * The less room there is, the smaller the answers become that can be smaller. When there is none, answers that
 * would be large wait, publishers to readers that are behind are held back, and connections that have been
 * behind are ended, the longest first, until there is room again.
 */
export class AnswerRoom {
  readonly #clock: Clock;
  readonly #options: AnswerRoomOptions;
  #bytes = 0;
  readonly #waiting = new Set<() => void>();
  /** Shares with bytes in it. */
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

  /** Whether an answer of so many bytes may be made now. */
  hasRoomFor(bytes: number): boolean {
    return !this.isFull || bytes <= smallBytes;
  }

  /** How many bytes an answer may have now that has `bytesMax` at most. */
  share(bytesMax: number): number {
    const rest = Math.ceil((this.#options.bytesMax - this.#bytes) * shareOfRest);
    return Math.min(bytesMax, Math.max(rest, smallBytes));
  }

  /** A share has so many bytes more, or less, and so many with them. */
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

  /** Calls back once there is room. Returns what takes the callback back. */
  whenRoom(callback: () => void): () => void {
    this.#waiting.add(callback);
    return () => this.#waiting.delete(callback);
  }

  #makeRoomSoon(): void {
    if (this.#timer !== undefined) return;
    this.#timer = this.#clock.setTimer(this.#options.behindMsMax / 2, this.#makeRoom);
  }

  /** Ends what has been behind for longest, until there is room for the others. */
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
