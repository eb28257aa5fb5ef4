import type { PartitionLog } from '../../log/index.ts';
import { OffsetSet } from '../../util/index.ts';
import type { KeyAccounting } from './key-accounting.ts';
import type { PartitionTransactions } from './partition-transactions.ts';
import type { Runs } from './runs.ts';

/** A partition as removal knows it. */
interface RemovingPartition {
  readonly index: number;
  readonly log: PartitionLog;
  readonly accounting: KeyAccounting;
  readonly transactions: PartitionTransactions;
  /** Removals that the next commit carries. */
  readonly removals: Runs;
  readonly topic: {
    noteGone(partition: RemovingPartition, from: number, to: number): void;
    noteRemoved(partition: number, key: string, offset: number): void;
  };
}

/**
 * Removal is what of a partition is gone: all below the first offset, and the holes above it. The rest lives.
 *
 * ```
 *   offsets   … gone │ first … live, with holes … │ end of the log
 * ```
 * What is removed is noted for the next commit and for the key accounting, and told to the topic.
 */
export class Removal {
  readonly #partition: RemovingPartition;
  readonly #log: PartitionLog;
  readonly #accounting: KeyAccounting;
  readonly #changed: () => void;
  readonly #holes = new OffsetSet();
  #first: number;
  #start: number;

  /** `changed`: the next commit has something to carry. */
  constructor(partition: RemovingPartition, changed: () => void) {
    this.#partition = partition;
    this.#log = partition.log;
    this.#accounting = partition.accounting;
    this.#changed = changed;
    this.#first = this.#start = partition.log.startOffset;
  }

  /** See {@link Partition.firstOffset}. */
  get first(): number {
    return this.#first;
  }

  /** See {@link Partition.startOffset}. */
  get start(): number {
    return this.#start;
  }

  /** Live messages. */
  get count(): number {
    return this.#log.endOffset - this.#first - this.#holes.size;
  }

  /** Live messages that are on disk: what is told to others. */
  get durableCount(): number {
    return this.liveIn(this.#first, this.#log.durableEnd);
  }

  /** Estimated bytes of these. */
  get durableBytes(): number {
    const { count, durableCount, bytes } = this;
    return durableCount === count ? bytes : Math.round((bytes * durableCount) / count);
  }

  /** Holes between the first and the next offset. */
  get deletedCount(): number {
    return this.#holes.size;
  }

  deletedRuns(): Iterable<readonly [from: number, to: number]> {
    return this.#holes.runs();
  }

  /** Estimated bytes of the live messages: the log's bytes from the first on, less the holes' share. */
  get bytes(): number {
    const span = this.#log.endOffset - this.#first;
    if (span === 0) return 0;
    return Math.round((this.#log.bytesFrom(this.#first) * this.count) / span);
  }

  isLive(offset: number): boolean {
    return (
      offset >= this.#first &&
      offset < this.#log.endOffset &&
      (this.#holes.size === 0 || !this.#holes.has(offset))
    );
  }

  /** Live messages at or above `offset`. */
  liveFrom(offset: number): number {
    const from = Math.max(offset, this.#first);
    const span = this.#log.endOffset - from;
    return this.#holes.size === 0 ? span : span - this.#holes.countRange(from, this.#log.endOffset);
  }

  /** Live messages in `[from, to)`. */
  liveIn(from: number, to: number): number {
    const start = Math.max(from, this.#first);
    return start >= to ? 0 : to - start - this.#holes.countRange(start, to);
  }

  /** Removes `[from, to)`; `hasKeys`: the key index knows of them. */
  drop(from: number, to: number, hasKeys: boolean): void {
    const start = Math.max(from, this.#first);
    if (start >= to) return;
    if (hasKeys && this.#accounting.index) {
      // What was removed one by one before is accounted for already, or noted to be.
      for (let at = start; at < to; at++) if (!this.#holes.has(at)) this.#accounting.removed(at);
    }
    this.#holes.addRange(start, to);
    if (start === this.#first) this.#moveFirst(to, true);
  }

  /** Removes one live message; false when it was not there. */
  remove(offset: number): boolean {
    if (!this.isLive(offset)) return false;
    this.#partition.removals.add(offset);
    this.#markRemoved(offset);
    this.#noteChange();
    return true;
  }

  /** Removes a message whose key the caller knows: accounted for at once. */
  removeOfKey(key: string, offset: number): boolean {
    if (!this.isLive(offset)) return false;
    this.#accounting.index?.remove(key, offset);
    this.#partition.removals.add(offset);
    if (offset === this.#first) this.#moveFirst(offset + 1);
    else this.#holes.add(offset);
    this.#partition.topic.noteGone(this.#partition, offset, offset + 1);
    this.#noteChange();
    this.#partition.topic.noteRemoved(this.#partition.index, key, offset);
    return true;
  }

  /**
   * The log lost these offsets to damage: they are holes, and nobody waits for them. Their keys were never
   * noted.
   */
  lose(from: number, to: number): void {
    const start = Math.max(from, this.#first);
    const end = Math.min(to, this.#log.endOffset);
    if (start >= end) return;
    for (let offset = start; offset < end; offset++)
      if (this.isLive(offset)) this.#partition.removals.add(offset);
    if (start === this.#first) this.#moveFirst(end);
    else this.#holes.addRange(start, end);
    this.#partition.topic.noteGone(this.#partition, start, end);
    this.#noteChange();
  }

  /** Removes everything below `offset`; says how many messages went. */
  trim(offset: number): number {
    const to = Math.min(offset, this.#log.endOffset);
    if (to <= this.#first) return 0;
    const removed = to - this.#first - this.#holes.countRange(this.#first, to);
    this.#forgetBelow(to);
    this.#noteChange();
    return removed;
  }

  /** Moves the first offset up to `to`; the keys of what goes are accounted for later. */
  #forgetBelow(to: number): void {
    if (this.#accounting.index && to < this.#log.endOffset) {
      // The live ones between: the range, less the holes in it that were accounted for before.
      let from = this.#first;
      for (const [hole, holeEnd] of this.#holes.runs()) {
        if (hole >= to) break;
        this.#accounting.removed(from, hole);
        from = holeEnd;
      }
      this.#accounting.removed(from, to);
    }
    const first = this.#first;
    this.#moveFirst(to);
    this.#partition.topic.noteGone(this.#partition, first, to);
  }

  /** The lowest offset that leaves at most `count` live messages. */
  offsetOfLast(count: number): number {
    let excess = this.count - count;
    let at = this.#first;
    if (this.#holes.size === 0) return at + Math.max(0, excess);
    for (; excess > 0; excess--) at = this.#holes.nextAbsent(at + 1);
    return at;
  }

  #markRemoved(offset: number): void {
    this.#accounting.removed(offset);
    if (offset === this.#first) this.#moveFirst(offset + 1);
    else this.#holes.add(offset);
    this.#partition.topic.noteGone(this.#partition, offset, offset + 1);
  }

  /** `isVoid`: what it passes were no messages. */
  #moveFirst(offset: number, isVoid: boolean = false): void {
    if (!isVoid) this.#start = offset;
    this.#first =
      this.#holes.size === 0 ? offset : Math.min(this.#holes.nextAbsent(offset), this.#log.endOffset);
    if (this.#holes.size > 0) this.#holes.deleteBelow(this.#first);
    this.#partition.transactions.trim(this.#first);
    if (this.#first === this.#log.endOffset) this.#accounting.clear();
    this.trimLog();
  }

  /** The log keeps what is not accounted for yet. */
  trimLog(): void {
    const to = Math.min(this.#first, this.#accounting.first);
    if (to > this.#log.startOffset) this.#log.trim(to);
  }

  #noteChange(): void {
    this.#changed();
    this.#accounting.runIfDue();
  }

  /** Replays a removal from the journal. */
  applyRemoval(from: number, to: number): void {
    for (let offset = from; offset < to; offset++) if (this.isLive(offset)) this.#markRemoved(offset);
  }

  /** Replays the first offset from the journal. */
  applyFirst(offset: number): void {
    if (offset <= this.#first) return;
    const to = Math.min(offset, this.#log.endOffset);
    this.#forgetBelow(to);
  }

  /** State for a checkpoint. */
  get holes(): OffsetSet {
    return this.#holes;
  }

  restore(state: { first: number; start: number; holes: OffsetSet; unaccounted: OffsetSet }): void {
    this.#first = state.first;
    this.#start = state.start;
    for (const [from, to] of state.holes.runs()) this.#holes.addRange(from, to);
    this.#accounting.restore(state.unaccounted);
  }
}
