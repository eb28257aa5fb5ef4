import { Record } from '../../log/index.ts';
import type { Meter } from '../budgets.ts';
import type { Committed } from '../entries.ts';
import { GroupChanges } from './group-changes.ts';
import type { Filter } from '../partitions/filter.ts';
import { KeyOrder } from './key-order.ts';
import type { Partition } from '../partitions/partition.ts';
import { PendingEntries, type PendingEntry } from './pending.ts';
import type { RecordReader } from '../partitions/record-reader.ts';

/**
 * Messages held behind their key before the cursor stops: what bounds the look-ahead of `ordering: 'key'`.
 */
const heldMax = 10_000;

/** What a position asks of its group. */
export interface GroupPartitionHost {
  /** What had to be fetched from disk is there, or known to be nowhere. */
  loaded(): void;
  /** It cannot be read now: the group asks again a little later. */
  stalled(): void;
}

/**
 * A group's state on one partition: the cursor, the pending entries, and the reader that moves the cursor on.
 *
 * Stored: cursor, pending offsets with their number of deliveries and their deadlines, lag. Remembered only:
 * consumers, keys.
 */
export class GroupPartition {
  readonly partition: Partition;
  readonly pending: PendingEntries;
  readonly changes: GroupChanges = new GroupChanges();
  /** The next offset to deliver for the first time. Everything below is done or pending. */
  cursor = 0;
  cursorMoved = false;
  /** How often it was placed anew after it had delivered something: deliveries count from 1 again. Stored. */
  moves = 0;
  /**
   * One past the highest offset delivered for the first time; where it was placed when none was. The cursor
   * may have passed more.
   */
  deliveredEnd = 0;
  /** What was delivered when nothing was pending, and the first offset that became pending then. */
  #idleEnd = 0;
  #firstPending = -1;
  /**
   * What was committed last, where positions are committed; the cursor stands there, or at the log's end if
   * that lies below.
   */
  committed: Committed | undefined = undefined;
  committedChanged = false;
  /**
   * Offsets to deliver first, in order, before the cursor's (start `last-per-key`); all lie below
   * {@link backfillEnd}.
   */
  #backfill: number[] | undefined = undefined;
  #backfillAt = 0;
  #backfillEnd = 0;
  /** Messages at or above the cursor that pass the filter; kept only when there is one. */
  #filteredLag = 0;
  #filter: Filter | undefined;
  /** Undefined: the group has no order by key. */
  readonly #order: KeyOrder | undefined;
  readonly #host: GroupPartitionHost;
  #loading = false;
  /** Offsets `[#goneFrom, #goneTo)` are nowhere: damage took them. */
  #goneFrom = 0;
  #goneTo = 0;
  /** Reader at the cursor; `#peeked`: `#fresh` shows the next message to deliver. */
  readonly #reader: RecordReader;
  readonly #fresh = new Record();
  #peeked = false;
  /** The offset the reader goes on from; it is used only while that is the cursor. */
  #readerAt = -1;
  #batchEnd = 0;
  /** Reader for redeliveries. */
  readonly #againReader: RecordReader;
  readonly #again = new Record();

  /** `ordered`: what order by key is charged to; undefined: the group has none. */
  constructor(
    partition: Partition,
    filter: Filter | undefined,
    ordered: Meter | undefined,
    host: GroupPartitionHost,
  ) {
    this.partition = partition;
    this.pending = new PendingEntries(partition.index);
    this.#filter = filter;
    this.#order = ordered && new KeyOrder(this.pending, ordered);
    this.#host = host;
    this.#reader = partition.reader();
    this.#againReader = partition.reader();
  }

  setFilter(filter: Filter | undefined): void {
    this.#filter = filter;
    this.#peeked = false;
  }

  /** Messages still to deliver for the first time. */
  get lag(): number {
    let lag: number;
    if (this.#backfill) {
      lag = this.#backfill.length - this.#backfillAt;
      if (!this.#filter) return lag + this.partition.liveFrom(this.#backfillEnd);
      return lag + this.#filteredLag;
    }
    if (this.#filter) {
      lag =
        this.cursor >= this.partition.nextOffset
          ? 0
          : Math.min(this.#filteredLag, this.partition.liveFrom(this.cursor));
    } else lag = this.cursor > this.partition.nextOffset ? 0 : this.partition.liveFrom(this.cursor);
    return lag + this.held;
  }

  /** The same, of messages that are on disk. */
  get durableLag(): number {
    const { partition, lag } = this;
    if (partition.log.durableEnd === partition.nextOffset) return lag;
    return Math.min(
      lag,
      this.backfill.length + partition.liveIn(this.cursor, partition.log.durableEnd) + this.held,
    );
  }

  /** Whether the next commit has something to say of it, besides a committed offset. */
  get isChanged(): boolean {
    return this.cursorMoved || !this.changes.isEmpty;
  }

  /** The open commit says it. */
  changesWritten(): void {
    this.changes.clear();
    this.cursorMoved = false;
  }

  committedWritten(): void {
    this.committedChanged = false;
  }

  get filteredLag(): number {
    return this.#filteredLag;
  }

  /** Never below 0: it is a count that may be off after a crash, and it is stored. */
  set filteredLag(lag: number) {
    this.#filteredLag = Math.max(0, lag);
  }

  /**
   * Whether there is nothing to write down: it stands at the start of a partition that never held anything.
   */
  get isUntouched(): boolean {
    return (
      this.cursor === 0 &&
      this.partition.nextOffset === 0 &&
      this.committed === undefined &&
      this.pending.size === 0
    );
  }

  /** Every offset below is done. */
  get ackFloor(): number {
    return this.pending.first()?.offset ?? this.#backfill?.[this.#backfillAt] ?? this.cursor;
  }

  /**
   * Where the ack floor stood at the last answer: it moves with answers, up to the next pending message, and
   * not with what the cursor passes. Below {@link ackFloor}, or there.
   */
  get answeredEnd(): number {
    const lowest = this.pending.first();
    if (!lowest) return this.deliveredEnd;
    return lowest.offset === this.#firstPending ? this.#idleEnd : lowest.offset;
  }

  isDone(offset: number): boolean {
    if (this.#backfill && offset < this.#backfillEnd) {
      return !this.pending.has(offset) && !this.#backfill.includes(offset, this.#backfillAt);
    }
    return offset < this.cursor && !this.pending.has(offset);
  }

  /** Starts over at `cursor`, with `backfill` before it. */
  place(cursor: number, backfill?: number[]): void {
    if (this.deliveredEnd > 0) this.moves++;
    this.pending.clear();
    this.#order?.clear();
    this.changes.clear();
    this.cursor = cursor;
    this.deliveredEnd = cursor;
    this.#firstPending = -1;
    this.cursorMoved = true;
    this.#backfill = backfill && backfill.length > 0 ? backfill : undefined;
    this.#backfillAt = 0;
    this.#backfillEnd = cursor;
    this.#peeked = false;
    this.#readerAt = -1;
  }

  /**
   * Everything below the offset is done (a group with committed positions). One below 0 is kept, and moves
   * nothing.
   */
  commit(committed: Committed): void {
    const { offset } = committed;
    this.committed = committed;
    this.committedChanged = true;
    if (offset >= 0) this.#moveCursor(Math.min(offset, this.partition.nextOffset));
  }

  forgetCommitted(): void {
    this.committed = undefined;
    this.committedChanged = false;
    this.#moveCursor(this.partition.firstOffset);
  }

  /**
   * Replays where the cursor and the backfill got to. What was delivered last is known where it became
   * pending.
   */
  applyCursor(cursor: number, backfillLength: number, deliveredEnd: number = 0): void {
    this.cursor = cursor;
    if (deliveredEnd > this.deliveredEnd) this.deliveredEnd = deliveredEnd;
    if (this.#backfill) {
      this.#backfillAt = Math.max(0, this.#backfill.length - backfillLength);
      this.#endBackfill();
    }
  }

  get backfill(): readonly number[] {
    return this.#backfill ? this.#backfill.slice(this.#backfillAt) : [];
  }

  // ---- first deliveries

  /**
   * The next message to deliver for the first time, left where it is; undefined when there is none now. When
   * it has to come from disk it is fetched, and `onLoaded` called.
   */
  peek(): Record | undefined {
    if (this.#backfill) return this.#peekBackfill();
    if (this.#peeked) {
      if (this.partition.isLive(this.#fresh.offset)) return this.#fresh;
      this.#passOver(this.#fresh);
    }
    for (;;) {
      if (this.#order?.isFull === true && this.pending.size > 0) return undefined; // an answer wakes the group
      if (this.#readerAt === this.cursor) {
        if (this.#reader.next(this.#fresh)) {
          if (this.#consider(this.#fresh)) return this.#fresh;
          continue;
        }
        if (this.#batchEnd > this.cursor) this.#moveCursor(this.#batchEnd); // compaction left a gap at the batch's end
        if (this.#isPausing()) return undefined;
      }
      if (!this.#openBatch()) return undefined;
    }
  }

  /** Whether others get a turn before the next batch is opened: see {@link RecordReader.wasCostly}. */
  #isPausing(): boolean {
    if (!this.#reader.wasCostly) return false;
    this.#readerAt = -1;
    this.#host.loaded();
    return true;
  }

  /** Makes `record` the peeked one, or passes over it. */
  #consider(record: Record): boolean {
    this.#readerAt = record.offset + 1;
    this.#moveCursor(record.offset);
    if (this.#filter && !this.#filter.matchesRecord(record)) {
      this.#moveCursor(record.offset + 1);
      return false;
    }
    if (!this.partition.isLive(record.offset)) {
      this.#passOver(record);
      return false;
    }
    if (this.#order && this.#holdBack(this.#order, record)) return false;
    this.#peeked = true;
    return true;
  }

  /** Points the reader at the cursor; false when there is nothing to read, or it has to be fetched first. */
  #openBatch(): boolean {
    const { partition } = this;
    if (this.cursor < partition.firstOffset) this.#moveCursor(partition.firstOffset);
    if (this.#filter) {
      const skipped = Math.min(partition.skip(this.#filter, this.cursor), partition.stableEnd);
      if (skipped > this.cursor) this.#moveCursor(skipped);
    }
    if (this.cursor >= partition.stableEnd || this.held >= heldMax) return false;
    const batch = partition.log.cached(this.cursor);
    if (!batch) {
      if (this.#isGone(this.cursor)) {
        this.#moveCursor(this.#goneTo);
        return this.#openBatch();
      }
      this.#load(this.cursor);
      return false;
    }
    if (batch.baseOffset >= partition.stableEnd) return false; // behind a gap
    this.#moveCursor(Math.max(this.cursor, batch.baseOffset));
    this.#reader.reset(batch, this.cursor);
    this.#batchEnd = batch.endOffset;
    this.#readerAt = this.cursor;
    return true;
  }

  /** The peeked message is delivered: the cursor passes it. */
  take(): void {
    this.#peeked = false;
    if (this.#backfill) {
      this.#noteDelivered(this.#backfill[this.#backfillAt]!);
      this.#backfillAt++;
      this.cursorMoved = true;
      this.#endBackfill();
      return;
    }
    if (this.#filter) this.filteredLag--;
    this.#noteDelivered(this.#fresh.offset);
    this.#moveCursor(this.#fresh.offset + 1);
  }

  #noteDelivered(offset: number): void {
    if (this.pending.size === 0) {
      this.#idleEnd = this.deliveredEnd;
      this.#firstPending = offset;
    }
    if (offset >= this.deliveredEnd) this.deliveredEnd = offset + 1;
  }

  /** Moves on to `offset`, if that is ahead: everything before it is gone. */
  passTo(offset: number): boolean {
    if (offset <= this.deliveredEnd) return false;
    this.deliveredEnd = offset;
    if (offset > this.cursor) {
      this.#peeked = false;
      this.#moveCursor(offset);
    } else this.cursorMoved = true;
    return true;
  }

  #passOver(record: Record): void {
    this.#peeked = false;
    // Removed, but not accounted for yet: nobody else will take it off the lag.
    if (this.#filter && this.partition.accounting.has(record.offset)) this.filteredLag--;
    this.#moveCursor(record.offset + 1);
  }

  #moveCursor(cursor: number): void {
    if (cursor === this.cursor) return;
    this.cursor = cursor;
    this.cursorMoved = true;
  }

  #peekBackfill(): Record | undefined {
    for (;;) {
      const offset = this.#backfill?.[this.#backfillAt];
      if (offset === undefined) return this.#endBackfill() ? this.peek() : undefined;
      if (offset >= this.partition.stableEnd) return undefined;
      const record = this.#find(offset, this.#reader, this.#fresh);
      if (record === 'loading') return undefined;
      if (record) return record;
      this.#backfillAt++;
    }
  }

  /** Leaves the backfill behind when it is used up. */
  #endBackfill(): boolean {
    if (this.#backfill && this.#backfillAt >= this.#backfill.length) {
      this.#backfill = undefined;
      this.#readerAt = -1;
      this.cursorMoved = true;
    }
    return this.#backfill === undefined;
  }

  // ---- redelivery

  /** The message of a pending entry; undefined when it is gone, `loading` when it has to be fetched first. */
  find(offset: number): Record | 'loading' | undefined {
    return this.#find(offset, this.#againReader, this.#again);
  }

  #find(offset: number, reader: RecordReader, record: Record): Record | 'loading' | undefined {
    if (!this.partition.isLive(offset)) return undefined;
    const batch = this.partition.log.cached(offset);
    if (!batch) {
      if (this.#isGone(offset)) return undefined;
      this.#load(offset);
      return 'loading';
    }
    reader.reset(batch, offset);
    return reader.next(record) && record.offset === offset ? record : undefined;
  }

  /** A message is being fetched from disk; the group delivers it when it is there. */
  get isLoading(): boolean {
    return this.#loading;
  }

  /** One load at a time: what was asked for is asked for again when it is there. */
  #load(offset: number): void {
    if (this.#loading) return;
    this.#loading = true;
    const { log } = this.partition;
    const { durableEnd } = log;
    log.load(offset).then(
      (batch) => {
        this.#loading = false;
        if (!batch || batch.baseOffset > offset) {
          // What was there is lost, and the log has said so.
          this.#goneFrom = offset;
          this.#goneTo = batch?.baseOffset ?? durableEnd;
        }
        this.#host.loaded();
      },
      () => {
        this.#loading = false;
        this.#host.stalled();
      },
    );
  }

  #isGone(offset: number): boolean {
    return offset >= this.#goneFrom && offset < this.#goneTo;
  }

  // ---- order by key

  /** Messages held behind their key. */
  get held(): number {
    return this.#order === undefined ? 0 : this.#order.held;
  }

  /** Keys under way, and messages held behind them. */
  get underWayByKey(): number {
    return this.#order?.underWay ?? 0;
  }

  /** True when the message's key is under way: it is held, and the cursor passes it. */
  #holdBack(order: KeyOrder, record: Record): boolean {
    if (!order.holdBack(record)) return false;
    this.changes.deliveries.push(record.offset, 0);
    this.#peeked = false;
    if (this.#filter) this.filteredLag--;
    this.#moveCursor(record.offset + 1);
    return true;
  }

  /** The message's key is under way from now until {@link settle}. */
  lockKey(entry: PendingEntry, record: Record): void {
    this.#order?.lock(entry, record);
  }

  /** The same for an entry whose message has to be read first. One that cannot be read holds no key. */
  async lockKeyOf(offset: number): Promise<void> {
    const { partition } = this;
    const batch = await partition.batchAt(offset).catch(() => undefined);
    const entry = this.pending.get(offset);
    if (!batch || !entry) return;
    this.#againReader.reset(batch, offset);
    if (this.#againReader.next(this.#again) && this.#again.offset === offset)
      this.lockKey(entry, this.#again);
  }

  /** Whether a ready entry may go now: see {@link KeyOrder.admitAgain}. */
  admitAgain(entry: PendingEntry, record: Record): boolean {
    return this.#order === undefined || this.#order.admitAgain(entry, record);
  }

  /** The entry is done: its place is free, and the next message of its key may go. */
  settle(entry: PendingEntry): void {
    this.#order?.leave(entry);
    this.pending.remove(entry);
    if (entry.holdsKey) this.#order?.release(entry);
  }

  /** It will not be delivered again; it stays pending, and in front of its key, until settled. */
  leaveForGood(entry: PendingEntry): void {
    this.#order?.leave(entry);
    this.pending.leaveForGood(entry);
  }

  /** The group goes. */
  close(): void {
    this.#order?.close();
  }
}
