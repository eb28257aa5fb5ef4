import type { PartitionLog } from '../../log/index.ts';
import { OffsetSet } from '../../util/index.ts';
import type { KeyAccounting } from './key-accounting.ts';
import type { Levels } from './levels.ts';
import type { StandIns } from './stand-ins.ts';
import type { PartitionTransactions } from './partition-transactions.ts';
import type { Runs } from './runs.ts';

/** The part of a partition that removal uses. */
interface RemovingPartition {
  readonly index: number;
  readonly log: PartitionLog;
  readonly accounting: KeyAccounting;
  readonly transactions: PartitionTransactions;
  readonly levels: Levels | undefined;
  readonly standIns: StandIns | undefined;
  /** Removals that the next commit carries. */
  readonly removals: Runs;
  readonly topic: {
    noteGone(partition: RemovingPartition, from: number, to: number): void;
    noteRemoved(partition: number, key: string, offset: number): void;
  };
}

/**
 * Removal knows which messages of a partition are gone: all below the first offset, and the holes above it.
 * The others are live.
 *
 * ```
 *   offsets   … gone │ first … live, with holes … │ end of the log
 * ```
 * Removed messages are noted for the next commit and for the key accounting, and reported to the topic.
 */
export class Removal {
  readonly #partition: RemovingPartition;
  readonly #log: PartitionLog;
  readonly #accounting: KeyAccounting;
  readonly #changed: () => void;
  readonly #holes = new OffsetSet();
  #first: number;
  #start: number;

  /** `changed` is called when the next commit has a change to carry. */
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

  /** Number of live messages. */
  get count(): number {
    return this.#log.endOffset - this.#first - this.#holes.size;
  }

  /** Number of live messages that are on disk. This is the number shown to clients. */
  get durableCount(): number {
    return this.liveIn(this.#first, this.#log.durableEnd);
  }

  /** Estimated bytes of the live messages that are on disk. */
  get durableBytes(): number {
    const { count, durableCount, bytes } = this;
    return durableCount === count ? bytes : Math.round((bytes * durableCount) / count);
  }

  /** Number of holes between the first and the next offset. */
  get deletedCount(): number {
    return this.#holes.size;
  }

  deletedRuns(): Iterable<readonly [from: number, to: number]> {
    return this.#holes.runs();
  }

  /**
   * Estimated bytes of the live messages: the log's bytes from the first one on, without the holes' share.
   */
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

  /** Number of live messages at or above `offset`. */
  liveFrom(offset: number): number {
    const from = Math.max(offset, this.#first);
    const span = this.#log.endOffset - from;
    if (from === this.#first) return span - this.#holes.size;
    return this.#holes.size === 0 ? span : span - this.#holes.countRange(from, this.#log.endOffset);
  }

  /** Number of live messages in `[from, to)`. */
  liveIn(from: number, to: number): number {
    const start = Math.max(from, this.#first);
    return start >= to ? 0 : to - start - this.#holes.countRange(start, to);
  }

  /** Drops `[from, to)` without a journal entry. `hasKeys`: the key index contains these messages. */
  drop(from: number, to: number, hasKeys: boolean): void {
    const start = Math.max(from, this.#first);
    if (start >= to) return;
    if (hasKeys && this.#accounting.index) {
      // Messages that were removed before are already accounted for, or noted for accounting.
      for (let at = start; at < to; at++) if (!this.#holes.has(at)) this.#accounting.removed(at);
    }
    this.#holes.addRange(start, to);
    if (start === this.#first) this.#moveFirst(to, true);
  }

  /** Removes one live message. Returns false if it was not live. */
  remove(offset: number): boolean {
    if (!this.isLive(offset)) return false;
    this.#partition.removals.add(offset);
    this.#markRemoved(offset);
    this.#noteChange();
    return true;
  }

  /** Removes a message whose key the caller knows; the key is accounted for at once. */
  removeOfKey(key: string, offset: number): boolean {
    if (!this.isLive(offset)) return false;
    this.#accounting.index?.remove(key, offset);
    this.#partition.removals.add(offset);
    if (offset === this.#first) this.#moveFirst(offset + 1);
    else this.#holes.add(offset);
    this.#noteGone(offset, offset + 1);
    this.#noteChange();
    this.#partition.topic.noteRemoved(this.#partition.index, key, offset);
    return true;
  }

  /**
   * The log lost these offsets to damage: they become holes, and groups stop waiting for their messages.
   * Their keys were never added to the key index.
   */
  lose(from: number, to: number): void {
    const start = Math.max(from, this.#first);
    const end = Math.min(to, this.#log.endOffset);
    if (start >= end) return;
    for (let offset = start; offset < end; offset++)
      if (this.isLive(offset)) this.#partition.removals.add(offset);
    if (start === this.#first) this.#moveFirst(end);
    else this.#holes.addRange(start, end);
    this.#noteGone(start, end);
    this.#noteChange();
  }

  /** Removes everything below `offset`; returns the number of messages removed. */
  trim(offset: number): number {
    const to = Math.min(offset, this.#log.endOffset);
    if (to <= this.#first) return 0;
    const removed = to - this.#first - this.#holes.countRange(this.#first, to);
    this.#forgetBelow(to);
    this.#noteChange();
    return removed;
  }

  /** Moves the first offset up to `to`; the keys of the removed messages are accounted for later. */
  #forgetBelow(to: number): void {
    if (this.#accounting.index && to < this.#log.endOffset) {
      // The live messages in the range: all except the holes, which were accounted for before.
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
    this.#noteGone(first, to);
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
    this.#noteGone(offset, offset + 1);
  }

  /** `isVoid`: the offsets passed were markers and aborted messages, which readers need not see. */
  #moveFirst(offset: number, isVoid: boolean = false): void {
    if (!isVoid) this.#start = offset;
    this.#first =
      this.#holes.size === 0 ? offset : Math.min(this.#holes.nextAbsent(offset), this.#log.endOffset);
    if (this.#holes.size > 0) this.#holes.deleteBelow(this.#first);
    this.#partition.transactions.trim(this.#first);
    if (this.#first === this.#log.endOffset) this.#accounting.clear();
    this.trimLog();
  }

  /** Trims the log, up to the first message that is not accounted for. */
  trimLog(): void {
    const to = Math.min(this.#first, this.#accounting.first);
    if (to > this.#log.startOffset) this.#log.trim(to);
  }

  #noteChange(): void {
    this.#changed();
    this.#accounting.runIfDue();
  }

  #noteGone(from: number, to: number): void {
    this.#partition.levels?.remove(from, to);
    this.#partition.standIns?.remove(from, to);
    this.#partition.topic.noteGone(this.#partition, from, to);
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
