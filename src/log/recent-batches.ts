import type { Batch } from './batch.ts';
import { findBatch } from './read-cache.ts';
import { batchOverheadBytes, type TailCache, type TailOwner } from './tail-cache.ts';

/**
 * The recent batches of a partition are durable and in memory, without a gap up to the durable end:
 *
 *     dropped | clean: in their segment too | unflushed: only here and in the journal |
 *             ^ droppedEnd                  ^ flushedEnd                              ^ durable end
 *
 * Clean batches may be dropped from the front at any time. Unflushed ones must not, unless they will never be
 * read again.
 */
export class RecentBatches implements TailOwner {
  readonly #tailCache: TailCache;
  readonly #unflushedChanged: (bytes: number) => void;
  #batches: (Batch | undefined)[] = [];
  #head = 0;
  #clean = 0;
  /** Index of the last reader. */
  #hint = 0;
  #droppedEnd: number;
  #flushedEnd: number;
  #unflushedBytes = 0;
  /** The first unflushed batches are being written: they stay until that is done. */
  #flushing = false;

  constructor(tailCache: TailCache, flushedEnd: number, unflushedChanged: (bytes: number) => void) {
    this.#tailCache = tailCache;
    this.#unflushedChanged = unflushedChanged;
    this.#droppedEnd = this.#flushedEnd = flushedEnd;
  }

  /** Records below are in the segments, or were trimmed. */
  get flushedEnd(): number {
    return this.#flushedEnd;
  }

  /** Memory of the unflushed batches. */
  get unflushedBytes(): number {
    return this.#unflushedBytes;
  }

  get first(): Batch | undefined {
    return this.#batches[this.#head];
  }

  add(batch: Batch): void {
    this.#batches.push(batch);
    this.#countUnflushed(batch.bytes + batchOverheadBytes);
  }

  #countUnflushed(bytes: number): void {
    this.#unflushedBytes += bytes;
    this.#unflushedChanged(bytes);
  }

  // ---- reading

  /** Whether all batches at or above `offset` are here. */
  covers(offset: number): boolean {
    return this.#head < this.#batches.length && offset >= this.#droppedEnd;
  }

  /** The batch that contains `offset`, which must be covered, or the next one. */
  find(offset: number): Batch | undefined {
    const batches = this.#batches as Batch[];
    const head = this.#head;
    // Readers go from one batch to the next, so try the last one and its neighbour before searching.
    let at = this.#hint;
    if (at >= head && at < batches.length && batches[at]!.endOffset <= offset) at++;
    const isIt =
      at >= head &&
      at < batches.length &&
      batches[at]!.endOffset > offset &&
      (at === head || batches[at - 1]!.endOffset <= offset);
    if (!isIt) at = findBatch(batches, offset, head);
    if (at < 0) return undefined;
    this.#hint = at;
    return batches[at];
  }

  /** Bytes of the unflushed batches that end at or below `offset`. */
  unflushedBytesBelow(offset: number): number {
    let bytes = 0;
    for (let at = this.#head + this.#clean; at < this.#batches.length; at++) {
      const batch = this.#batches[at]!;
      if (batch.endOffset > offset) break;
      bytes += batch.bytes;
    }
    return bytes;
  }

  // ---- to the segments

  /** Returns the unflushed batches to be written; they stay until {@link endFlush}. */
  startFlush(): readonly Batch[] {
    this.#flushing = true;
    return this.#batches.slice(this.#head + this.#clean) as Batch[];
  }

  /** Notes that the first `count` unflushed batches are written. */
  flushed(count: number): void {
    for (let i = 0; i < count; i++) {
      const batch = this.#batches[this.#head + this.#clean]!;
      this.#noteFlushed(batch);
      this.#clean++;
      this.#tailCache.add(this, batch); // may drop the oldest, even of this partition
    }
    if (this.#tailCache.isCluttered) this.#tailCache.tidy();
  }

  endFlush(): void {
    this.#flushing = false;
  }

  /** Notes that the journal is no longer needed for the batch. */
  #noteFlushed(batch: Batch): void {
    this.#flushedEnd = batch.endOffset;
    this.#countUnflushed(-batch.bytes - batchOverheadBytes);
  }

  // ---- out of memory

  dropOldest(baseOffset: number): void {
    if (this.#clean > 0 && this.first!.baseOffset === baseOffset) this.#dropClean();
  }

  holds(baseOffset: number): boolean {
    return this.#clean > 0 && baseOffset >= this.first!.baseOffset;
  }

  /** Drops clean batches that start below `offset`. */
  dropCleanBelow(offset: number): void {
    while (this.#clean > 0 && this.first!.baseOffset < offset) this.#dropClean();
  }

  /**
   * Drops trimmed batches. Nothing below `trim` is read any more, so clean batches are dropped. Nothing below
   * `trimDurable` is read even after a crash, so unflushed batches are dropped as well, and never reach a
   * segment. Returns the bytes that need not be written.
   */
  trim(trim: number, trimDurable: number): number {
    while (this.#clean > 0 && this.first!.endOffset <= trim) this.#dropClean();
    let unwritten = 0;
    if (this.#clean > 0 || this.#flushing) return unwritten;
    for (let batch = this.first; batch !== undefined && batch.endOffset <= trimDurable; batch = this.first) {
      unwritten += batch.bytes;
      this.#noteFlushed(batch);
      this.#dropFirst();
    }
    return unwritten;
  }

  clear(): void {
    while (this.#clean > 0) this.#dropClean();
    this.#batches = [];
    this.#head = 0;
    this.#countUnflushed(-this.#unflushedBytes);
  }

  #dropClean(): void {
    this.#clean--;
    this.#tailCache.dropped(this.first!);
    this.#dropFirst();
  }

  #dropFirst(): void {
    const first = this.first!;
    this.#droppedEnd = first.endOffset;
    this.#batches[this.#head++] = undefined; // its memory is freed now, its slot a little later
    first.memory?.release();
    if (this.#head === this.#batches.length || (this.#head > 64 && this.#head * 2 > this.#batches.length)) {
      this.#batches = this.#batches.slice(this.#head);
      this.#head = 0;
    }
  }
}
