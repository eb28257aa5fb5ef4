import { Record } from '../../log/index.ts';
import type { Filter } from '../partitions/filter.ts';
import type { Partition } from '../partitions/partition.ts';
import type { RecordReader } from '../partitions/record-reader.ts';
import type { Ahead } from './ahead.ts';
import type { Attachment } from './attachment.ts';
import type { MessageLoader } from './message-loader.ts';
import type { PendingEntry } from './pending.ts';

/** The part of a position that the reader at its cursor uses. */
interface CursorPosition {
  readonly partition: Partition;
  readonly loader: MessageLoader;
  readonly cursor: number;
  readonly ahead: Ahead | undefined;
  readonly filter: Filter | undefined;
  /** Whether so many messages are held behind their keys that no more are looked at. */
  readonly looksNoFurther: boolean;
  /** Whether no more messages can be ended now because of their age. */
  readonly endsNoMore: boolean;
  moveCursor(cursor: number): void;
  isAhead(offset: number): boolean;
  wants(record: Record): boolean;
  /** Moves the cursor past a message that was removed. */
  passOver(record: Record): void;
  /** Whether the message is too old; it was then taken, and the position is done with it. */
  endIfTooOld(record: Record): boolean;
  /** Whether the message may go to the consumer now; it is held otherwise. */
  admits(record: Record, to: Attachment<PendingEntry>, level: number): boolean;
  /** Deliveries go on when other work had a turn. */
  pause(): void;
}

/**
 * The cursor reader of a position reads the message at the cursor. It moves the cursor over everything that
 * is not delivered: what was removed, does not pass the filter, is too old, or was delivered before its turn.
 */
export class CursorReader {
  readonly #position: CursorPosition;
  readonly #reader: RecordReader;
  /** If `#isPeeked`, this is the next message to deliver. */
  readonly #record = new Record();
  #isPeeked = false;
  /** The next offset of the reader. The reader is used only while this is the cursor. */
  #readerAt = -1;
  #batchEnd = 0;

  constructor(position: CursorPosition) {
    this.#position = position;
    this.#reader = position.partition.reader();
  }

  /** The message that {@link peek} returned last. */
  get record(): Record {
    return this.#record;
  }

  /** The cursor moved, or what is read from there has changed. */
  unpeek(): void {
    this.#isPeeked = false;
  }

  /** The position starts over. */
  reset(): void {
    this.#isPeeked = false;
    this.#readerAt = -1;
  }

  /** The message at the cursor for the consumer, or for any; undefined if there is none below `end` now. */
  peek(to: Attachment<PendingEntry> | undefined, end: number = Infinity): Record | undefined {
    const position = this.#position;
    if (this.#isPeeked && this.#isStillNext(to)) return this.#record;
    for (;;) {
      if (position.endsNoMore) return undefined;
      if (to !== undefined && position.looksNoFurther) return undefined; // answers wake the group
      if (position.cursor >= end) return undefined;
      if (this.#readerAt === position.cursor) {
        if (this.#reader.next(this.#record)) {
          if (this.#record.offset >= end) {
            this.#readerAt = -1;
            position.moveCursor(end);
            return undefined;
          }
          if (this.#consider(this.#record, to)) return this.#record;
          continue;
        }
        if (this.#batchEnd > position.cursor) position.moveCursor(this.#batchEnd); // a gap left by compaction
        if (this.#isPausing()) return undefined;
      }
      if (!this.#openBatch()) return undefined;
    }
  }

  /** Whether the peeked message is still to be delivered, and may go to this consumer. */
  #isStillNext(to: Attachment<PendingEntry> | undefined): boolean {
    const position = this.#position;
    const record = this.#record;
    if (!position.partition.isDeliverable(record.offset)) {
      position.passOver(record);
      return false;
    }
    if (position.endIfTooOld(record)) return false;
    return to === undefined || position.admits(record, to, 0);
  }

  /** Makes `record` the peeked message, or skips it. */
  #consider(record: Record, to: Attachment<PendingEntry> | undefined): boolean {
    const position = this.#position;
    const { offset } = record;
    this.#readerAt = offset + 1;
    position.moveCursor(offset);
    if (position.isAhead(offset)) {
      position.moveCursor(offset + 1);
      return false;
    }
    if (!position.wants(record)) {
      position.moveCursor(offset + 1);
      return false;
    }
    if (!position.partition.isDeliverable(offset)) {
      position.passOver(record);
      return false;
    }
    if (position.endIfTooOld(record)) return false;
    if (to !== undefined && !position.admits(record, to, 0)) return false;
    this.#isPeeked = true;
    return true;
  }

  /** Whether other work gets a turn before the next batch is opened: see {@link RecordReader.wasCostly}. */
  #isPausing(): boolean {
    if (!this.#reader.wasCostly) return false;
    this.#readerAt = -1;
    this.#position.pause();
    return true;
  }

  /**
   * Points the reader at the cursor. Returns false if there is nothing to read, or if it must be loaded
   * first.
   */
  #openBatch(): boolean {
    const position = this.#position;
    const { partition, filter, ahead } = position;
    for (;;) {
      if (position.cursor < partition.firstOffset) position.moveCursor(partition.firstOffset);
      if (ahead !== undefined) position.moveCursor(ahead.stepOver(position.cursor));
      if (filter) {
        const skipped = Math.min(partition.skip(filter, position.cursor), partition.stableEnd);
        if (skipped > position.cursor) position.moveCursor(skipped);
      }
      if (position.cursor >= partition.stableEnd) return false;
      const batch = position.loader.batchOf(position.cursor);
      if (batch === 'loading') return false;
      if (batch === undefined) {
        position.moveCursor(position.loader.lostEnd);
        continue;
      }
      if (batch.baseOffset >= partition.stableEnd) return false; // behind a gap
      position.moveCursor(Math.max(position.cursor, batch.baseOffset));
      this.#reader.reset(batch, position.cursor);
      this.#batchEnd = batch.endOffset;
      this.#readerAt = position.cursor;
      return true;
    }
  }
}
