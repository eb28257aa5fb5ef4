import { Record } from '../../log/index.ts';
import type { Levels } from '../partitions/levels.ts';
import type { Partition } from '../partitions/partition.ts';
import type { RecordReader } from '../partitions/record-reader.ts';
import type { Ahead } from './ahead.ts';
import type { Attachment } from './attachment.ts';
import { LevelOrder } from './level-order.ts';
import type { MessageLoader } from './message-loader.ts';
import type { PendingEntry } from './pending.ts';

/** The part of a position that early deliveries use. */
interface EarlyPosition {
  readonly partition: Partition;
  readonly loader: MessageLoader;
  readonly cursor: number;
  readonly ahead: Ahead | undefined;
  peekedLevel: number;
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

  constructor(position: EarlyPosition) {
    this.#position = position;
    this.#reader = position.partition.reader();
  }

  /** Whether the position's next message is an early one. */
  get isPeeked(): boolean {
    return this.#isPeeked;
  }

  /**
   * The next early message for the consumer; it is not taken. `none` if the message at the cursor is next; undefined if
   * nothing can be delivered now.
   */
  peek(levels: Levels, to: Attachment<PendingEntry>): Record | 'none' | undefined {
    const position = this.#position;
    this.#isPeeked = false;
    for (;;) {
      if (position.looksNoFurther) return undefined; // answers wake the group
      const { cursor, ahead, partition } = position;
      const offset = this.#order.next(levels, cursor, ahead, partition.stableEnd);
      if (offset === undefined) return 'none';
      const { level } = this.#order;
      position.peekedLevel = level;
      const record = this.#read(offset);
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
