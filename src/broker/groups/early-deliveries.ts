import { Record } from '../../log/index.ts';
import type { Levels } from '../partitions/levels.ts';
import type { Partition } from '../partitions/partition.ts';
import type { RecordReader } from '../partitions/record-reader.ts';
import type { Ahead } from './ahead.ts';
import type { Attachment } from './attachment.ts';
import { LevelOrder } from './level-order.ts';
import type { MessageLoader } from './message-loader.ts';
import type { PendingEntry } from './pending.ts';
import type { Ranking } from './ranking.ts';

/** The part of a position that early deliveries use. */
interface EarlyPosition {
  readonly partition: Partition;
  readonly loader: MessageLoader;
  readonly cursor: number;
  readonly ahead: Ahead | undefined;
  readonly ranking: Ranking;
  peekedLevel: number;
  peekedRank: number;
  /** Whether so many messages are held behind their keys that no more are looked at. */
  readonly looksNoFurther: boolean;
  wants(record: Record): boolean;
  /** Whether the message may go to the consumer now; it is held otherwise. */
  admits(record: Record, to: Attachment<PendingEntry>, level: number): boolean;
  /** The message is delivered for the first time. */
  enter(offset: number): void;
  noteDelivered(offset: number): void;
}

/**
 * The early deliveries of a position are messages that go before the one at the cursor, because their level
 * is higher. They are found by offset, so that nothing of the backlog between has to be read.
 */
export class EarlyDeliveries {
  readonly #position: EarlyPosition;
  readonly #order = new LevelOrder();
  readonly #reader: RecordReader;
  readonly #record = new Record();
  /** The offset of `#record`, and the end of its batch; -1 if there is none. */
  #readAt = -1;
  #batchEnd = -1;
  #isPeeked = false;
  /** The next message of each level that was read to find its rank, with its timestamp. */
  readonly #heads: ({ readonly offset: number; readonly timestampMs: number } | undefined)[] = [];

  constructor(position: EarlyPosition) {
    this.#position = position;
    this.#reader = position.partition.reader();
  }

  /** Whether the position's next message is an early one. */
  get isPeeked(): boolean {
    return this.#isPeeked;
  }

  /**
   * Everything at or above this offset ranks below an early message, if it is of level 0. Only in a topic
   * with ageing.
   */
  get lowest(): number {
    return this.#order.lowest;
  }

  /** The message at the cursor is the next one. */
  unpeek(): void {
    this.#isPeeked = false;
  }

  /**
   * The next early message for the consumer; it is not taken. `none` if the message at the cursor is next;
   * undefined if nothing can be delivered now.
   */
  peek(levels: Levels, to: Attachment<PendingEntry>): Record | 'none' | undefined {
    const position = this.#position;
    this.#isPeeked = false;
    for (;;) {
      if (position.looksNoFurther) return undefined; // answers wake the group
      const offset = this.#next(levels);
      if (offset === undefined) return 'none';
      const { level } = this.#order;
      position.peekedLevel = position.peekedRank = level;
      const record = this.#read(offset);
      if (position.ranking.isAgeing) position.peekedRank = this.#rankOf(level, offset);
      if (record === 'loading') return undefined;
      if (record === undefined || !position.wants(record)) {
        this.#order.pass(offset);
        continue;
      }
      if (!position.admits(record, to, level)) {
        this.#order.pass(offset);
        continue;
      }
      this.#isPeeked = true;
      return record;
    }
  }

  #next(levels: Levels): number | undefined {
    const { cursor, ahead, partition, ranking } = this.#position;
    const { stableEnd } = partition;
    if (!ranking.isAgeing) return this.#order.next(levels, cursor, ahead, stableEnd);
    return this.#order.nextByRank(levels, cursor, ahead, stableEnd, this.#rankOf);
  }

  /**
   * The rank of a level's next message. One that must be loaded, or cannot be read, is to be looked at first.
   */
  readonly #rankOf = (level: number, offset: number): number => {
    let head = this.#heads[level];
    if (head?.offset !== offset) {
      const record = this.#read(offset);
      if (record === undefined || record === 'loading') return Infinity;
      this.#heads[level] = head = { offset, timestampMs: record.timestampMs };
    }
    return this.#position.ranking.of(level, offset, head.timestampMs);
  };

  /** The peeked message is delivered. */
  take(): void {
    const { offset } = this.#record;
    this.#isPeeked = false;
    this.#order.pass(offset);
    this.#position.noteDelivered(offset);
    this.#position.enter(offset);
  }

  /** The position moved, or its filter changed. */
  reset(): void {
    this.#isPeeked = false;
    this.#readAt = this.#batchEnd = -1;
    this.#order.reset();
  }

  /** Reads on in the batch of the previous message, if it has this one, too. */
  #read(offset: number): Record | 'loading' | undefined {
    if (!this.#position.partition.isDeliverable(offset)) return undefined;
    if (offset === this.#readAt) return this.#record;
    if (offset < this.#readAt || offset >= this.#batchEnd) {
      this.#readAt = this.#batchEnd = -1;
      const batch = this.#position.loader.batchOf(offset);
      if (batch === undefined || batch === 'loading') return batch;
      this.#reader.reset(batch, offset);
      this.#batchEnd = batch.endOffset;
    }
    while (this.#reader.next(this.#record)) {
      this.#readAt = this.#record.offset;
      if (this.#readAt >= offset) return this.#readAt === offset ? this.#record : undefined;
    }
    this.#readAt = this.#batchEnd = -1;
    return undefined; // it cannot be read
  }
}
