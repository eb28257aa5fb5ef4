import type { Record } from '../../log/index.ts';
import type { Meter } from '../budgets.ts';
import type { Committed } from '../entries.ts';
import type { BrokerError } from '../errors.ts';
import { Ahead } from './ahead.ts';
import { Backfill } from './backfill.ts';
import { CursorReader } from './cursor-reader.ts';
import { EarlyDeliveries } from './early-deliveries.ts';
import { StandInDeliveries } from './stand-in-deliveries.ts';
import { GroupChanges } from './group-changes.ts';
import type { Attachment } from './attachment.ts';
import type { Filter } from '../partitions/filter.ts';
import type { KeyLimits } from './key-limits.ts';
import { KeyOrder } from './key-order.ts';
import { MessageLoader, type MessageLoaderHost } from './message-loader.ts';
import { MessageReader } from './message-reader.ts';
import type { Levels } from '../partitions/levels.ts';
import type { Partition } from '../partitions/partition.ts';
import { PendingEntries, type PendingEntry } from './pending.ts';
import type { Ranking } from './ranking.ts';

/** Decides which messages are too old for a group, and ends them. */
export interface TimeLimit {
  /** Whether it cannot end more messages now; the group is woken when it can. */
  readonly isFull: boolean;
  isOver(partition: Partition, record: Record): boolean;
  /** The cursor has moved past a message that is too old: the group is done with it. */
  end(position: GroupPartition, record: Record): void;
  /** The same for a pending message. */
  endPending(position: GroupPartition, entry: PendingEntry): void;
}

/**
 * A group's state on one partition: the cursor, the pending entries, and what comes next.
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
  /**
   * How often the position was reset; deliveries then count from 1 again. Stored. Resets count whatever is
   * known of earlier deliveries: a crash may have lost them, but not their receipts.
   */
  moves = 0;
  /**
   * One past the highest offset delivered for the first time; the position's start if there is none. The
   * cursor may be higher.
   */
  deliveredEnd = 0;
  /** `deliveredEnd` when nothing was pending, and the first offset that became pending then. */
  #idleEnd = 0;
  #firstPending = -1;
  /**
   * The last committed offset, if positions are committed. The cursor is at that offset, or at the log's end
   * if the end is lower.
   */
  committed: Committed | undefined = undefined;
  committedChanged = false;
  readonly loader: MessageLoader;
  readonly #reader: CursorReader;
  /** Messages before the one at the cursor; undefined if there are none. */
  #backfill: Backfill | undefined = undefined;
  /** Undefined until a message is delivered before its turn. */
  #ahead: Ahead | undefined = undefined;
  /** Whether messages of higher levels go first. */
  byLevel = false;
  #early: EarlyDeliveries | undefined = undefined;
  /** Undefined until the partition has a message that keeps the place of another. */
  #standIns: StandInDeliveries | undefined = undefined;
  /** The level of the message that {@link peek} returned last, or that must be loaded first. */
  peekedLevel = 0;
  /** Its rank; Infinity if it must be loaded first to know that. */
  peekedRank = 0;
  readonly ranking: Ranking;
  /** Messages at or above the cursor that pass the filter; counted only if there is a filter. */
  #filteredLag = 0;
  #filter: Filter | undefined;
  /** Undefined if the group has no order by key. */
  readonly #order: KeyOrder | undefined;
  readonly #host: MessageLoaderHost;
  /** Undefined if the group has no `messageTtlMs`. */
  timeLimit: TimeLimit | undefined = undefined;
  /** Reader for redeliveries. */
  readonly #againReader: MessageReader;

  /**
   * `ordered`: the meter charged for order by key, and its limits; undefined if the group has no such order.
   */
  constructor(
    partition: Partition,
    filter: Filter | undefined,
    ordered: { readonly meter: Meter; readonly limits: KeyLimits } | undefined,
    ranking: Ranking,
    host: MessageLoaderHost,
  ) {
    this.partition = partition;
    this.ranking = ranking;
    this.pending = new PendingEntries(partition.index);
    this.#filter = filter;
    this.#order = ordered && new KeyOrder(this.pending, ordered.meter, ordered.limits, ranking);
    this.#host = host;
    this.loader = new MessageLoader(partition, host);
    this.#reader = new CursorReader(this);
    this.#againReader = new MessageReader(partition, this.loader);
  }

  get filter(): Filter | undefined {
    return this.#filter;
  }

  setFilter(filter: Filter | undefined): void {
    this.#filter = filter;
    this.#reader.unpeek();
    this.#early?.reset();
    this.#standIns?.reset();
  }

  /** Messages still to deliver for the first time. */
  get lag(): number {
    let lag: number;
    if (this.#backfill) {
      lag = this.#backfill.size;
      if (!this.#filter) return lag + this.partition.liveFrom(this.#backfill.end);
      return lag + this.#filteredLag;
    }
    if (this.#filter) {
      lag =
        this.cursor >= this.partition.nextOffset
          ? 0
          : Math.min(this.#filteredLag, this.partition.liveFrom(this.cursor));
    } else if (this.cursor > this.partition.nextOffset) lag = 0;
    else lag = this.partition.liveFrom(this.cursor) - this.#aheadSize;
    return lag + this.held;
  }

  /** The same, counting only messages that are on disk. */
  get durableLag(): number {
    const { partition, lag } = this;
    if (partition.log.durableEnd === partition.nextOffset) return lag;
    return Math.min(
      lag,
      (this.#backfill?.size ?? 0) +
        partition.liveIn(this.cursor, partition.log.durableEnd) -
        this.#aheadSize +
        this.held,
    );
  }

  get #aheadSize(): number {
    return this.#ahead === undefined ? 0 : this.#ahead.size;
  }

  /** Whether the next commit must carry a change of the position, other than a committed offset. */
  get isChanged(): boolean {
    return this.cursorMoved || !this.changes.isEmpty;
  }

  /** Called when the open commit contains the changes. */
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

  /** Never below 0: the count may be wrong after a crash, and it is stored. */
  set filteredLag(lag: number) {
    this.#filteredLag = Math.max(0, lag);
  }

  /**
   * Whether there is nothing to store: the position is at the start of a partition that never had a message.
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
    const lowest = this.pending.first()?.offset ?? Infinity;
    // With messages ahead, the cursor may be below all that is pending.
    return Math.min(lowest, this.#backfill?.first ?? this.cursor);
  }

  /**
   * The ack floor at the last answer. It moves with answers, up to the next pending message, and not when the
   * cursor skips messages. At most {@link ackFloor}.
   */
  get answeredEnd(): number {
    const lowest = this.pending.first();
    let end = this.deliveredEnd;
    if (lowest) end = lowest.offset === this.#firstPending ? this.#idleEnd : lowest.offset;
    return this.#ahead === undefined ? end : Math.min(end, this.ackFloor);
  }

  isDone(offset: number): boolean {
    if (this.#backfill && offset < this.#backfill.end)
      return !this.pending.has(offset) && !this.#backfill.has(offset);
    return this.hasPassed(offset) && !this.pending.has(offset);
  }

  /** Whether the message was delivered for the first time, or will never be delivered. */
  hasPassed(offset: number): boolean {
    return offset < this.cursor || this.isAhead(offset);
  }

  /** Whether the message was delivered before its turn. */
  isAhead(offset: number): boolean {
    return this.#ahead !== undefined && this.#ahead.has(offset);
  }

  /** Messages delivered before their turn; undefined if there never was one. */
  get ahead(): Ahead | undefined {
    return this.#ahead;
  }

  /** Restores the messages ahead from a checkpoint. */
  restoreAhead(ahead: Ahead): void {
    this.#ahead = ahead;
  }

  /** Messages in `[from, to)` were removed. */
  noteRemoved(from: number, to: number): void {
    if (this.#ahead !== undefined) this.#ahead.noteRemoved(from, to);
  }

  /** Starts over at `cursor`, with the messages of `backfill` before it. */
  place(cursor: number, backfill?: number[]): void {
    this.pending.clear();
    this.#order?.clear();
    this.changes.clear();
    this.cursor = cursor;
    this.deliveredEnd = cursor;
    this.#firstPending = -1;
    this.cursorMoved = true;
    this.#ahead = undefined;
    this.#early?.reset();
    this.#standIns?.reset();
    this.#backfill = backfill && backfill.length > 0 ? new Backfill(this, backfill, cursor) : undefined;
    this.#reader.reset();
  }

  /**
   * Everything below the offset is done (a group with committed positions). An offset below 0 is stored, but
   * moves nothing.
   */
  commit(committed: Committed): void {
    const { offset } = committed;
    this.committed = committed;
    this.committedChanged = true;
    if (offset >= 0) this.moveCursor(Math.min(offset, this.partition.nextOffset));
  }

  forgetCommitted(): void {
    this.committed = undefined;
    this.committedChanged = false;
    this.moveCursor(this.partition.firstOffset);
  }

  /**
   * Replays the progress of the cursor and the backfill, and the offsets that became pending meanwhile. Those
   * not below the cursor are ahead.
   */
  applyCursor(
    cursor: number,
    backfillLength: number,
    entered: Iterable<readonly [offset: number, deliveries: number]>,
  ): void {
    this.cursor = cursor;
    for (const [offset] of entered) {
      if (offset >= this.deliveredEnd) this.deliveredEnd = offset + 1;
      if (offset >= cursor) (this.#ahead ??= new Ahead()).add(offset);
    }
    this.#ahead?.forgetBelow(cursor);
    this.#backfill?.resume(backfillLength);
    this.#endBackfill();
  }

  /** Offsets to deliver before the message at the cursor. */
  get backfill(): readonly number[] {
    return this.#backfill?.left() ?? [];
  }

  // ---- first deliveries

  /**
   * The next message to deliver to the consumer for the first time; it is not taken. Undefined if there is
   * none now. A message on disk is loaded first; the host is told when that has ended.
   */
  peek(to: Attachment<PendingEntry>): Record | undefined {
    this.peekedLevel = this.peekedRank = 0;
    const { levels, standIns } = this.partition;
    // Most partitions are read from the cursor alone: this saves a look at each of the other ways.
    const isPlain = levels === undefined && standIns === undefined && this.#standIns === undefined;
    if (isPlain && this.#backfill === undefined && !this.ranking.isAgeing)
      return this.#reader.peek(to, Infinity);
    return this.#peekAny(levels, to);
  }

  #peekAny(levels: Levels | undefined, to: Attachment<PendingEntry>): Record | undefined {
    if (this.#backfill !== undefined) {
      const record = this.#backfill.peek(to);
      if (record !== 'ended') return this.#asPlain(this.#afterStandIns(record, this.#backfill.first!, to));
      this.#endBackfill();
    }
    if (levels !== undefined && this.byLevel) {
      const early = this.#peekEarly(levels, to);
      if (early !== 'none')
        return early === undefined || !this.ranking.isAgeing ? early : this.#peekByRank(early, to);
    }
    return this.#asPlain(this.#peekPlain(to));
  }

  /** In a topic with ageing: the early message or the one at the cursor, whichever has the higher rank. */
  #peekByRank(early: Record, to: Attachment<PendingEntry>): Record | undefined {
    const { peekedLevel, peekedRank } = this;
    const { lowest } = this.#early!;
    if (this.cursor < lowest) {
      const plain = this.#asPlain(this.#peekPlain(to, lowest));
      if (plain === undefined ? this.isLoading : this.peekedRank > peekedRank) {
        this.#early!.unpeek();
        return plain;
      }
    }
    this.peekedLevel = peekedLevel;
    this.peekedRank = peekedRank;
    return early;
  }

  /** Notes the rank of a message of level 0. It is Infinity for one that must be loaded first. */
  #asPlain(record: Record | undefined): Record | undefined {
    this.peekedLevel = this.peekedRank = 0;
    if (this.byLevel && this.ranking.isAgeing)
      this.peekedRank =
        record === undefined ? Infinity : this.ranking.of(0, record.offset, record.timestampMs);
    return record;
  }

  /** The next message of level 0, if it is below `end` or keeps a place before the cursor. */
  #peekPlain(to: Attachment<PendingEntry>, end: number = Infinity): Record | undefined {
    const record = this.#reader.peek(to, end);
    return this.#afterStandIns(record, this.cursor, to);
  }

  /** The next message that keeps a place below `place`, which is that of `next`; else `next`. */
  #afterStandIns(next: Record | undefined, place: number, to: Attachment<PendingEntry>): Record | undefined {
    this.#standIns?.unpeek();
    const { standIns } = this.partition;
    if (standIns === undefined) return next;
    const own = (this.#standIns ??= new StandInDeliveries(this));
    for (;;) {
      const record = own.peek(standIns, to, place);
      if (record === 'none') return next;
      if (record === 'loading') return undefined;
      if (this.timeLimit?.isOver(this.partition, record) !== true) return record;
      if (this.timeLimit.isFull) return undefined;
      own.take();
      this.timeLimit.end(this, record);
    }
  }

  /** A message of the partition keeps this place. */
  noteStandIn(place: number): void {
    this.#standIns?.added(place);
  }

  #peekEarly(levels: Levels, to: Attachment<PendingEntry>): Record | 'none' | undefined {
    const early = (this.#early ??= new EarlyDeliveries(this));
    for (;;) {
      const record = early.peek(levels, to);
      const isOver = typeof record === 'object' && this.timeLimit?.isOver(this.partition, record) === true;
      if (!isOver) return record;
      if (this.timeLimit?.isFull === true) return undefined;
      early.take();
      this.timeLimit?.end(this, record);
    }
  }

  /**
   * The oldest message that was not delivered yet, whatever its level and key. Messages that are too old are
   * ended.
   */
  peekOldest(): Record | undefined {
    const record = this.#backfill === undefined ? 'ended' : this.#backfill.peek(undefined);
    if (record !== 'ended') return record;
    this.#endBackfill();
    return this.#reader.peek(undefined);
  }

  /** Whether so many messages are held behind their keys that no more are looked at. */
  get looksNoFurther(): boolean {
    const order = this.#order;
    return order !== undefined && (order.holdsEnough || (order.isFull && this.pending.size > 0));
  }

  /** Whether the message passes the group's filter. */
  wants(record: Record): boolean {
    return this.#filter === undefined || this.#filter.matchesRecord(record);
  }

  /** The peeked message is delivered: the cursor moves past it. */
  take(): void {
    if (this.#early?.isPeeked === true) return this.#early.take();
    if (this.#standIns?.isPeeked === true) return this.#standIns.take();
    this.#takeNext();
  }

  #takeNext(): void {
    this.#reader.unpeek();
    if (this.#backfill !== undefined) {
      this.noteDelivered(this.#backfill.take());
      this.cursorMoved = true;
      this.#endBackfill();
      return;
    }
    const { offset } = this.#reader.record;
    if (this.#filter) this.filteredLag--;
    this.noteDelivered(offset);
    this.moveCursor(offset + 1);
  }

  /** The message is delivered for the first time, or held, before its turn or at the cursor. */
  enter(offset: number): void {
    if (this.#filter) this.filteredLag--;
    if (offset !== this.cursor) return (this.#ahead ??= new Ahead()).add(offset);
    this.#reader.unpeek();
    this.moveCursor(offset + 1);
  }

  /** Whether no more messages can be ended now because of their age. */
  get endsNoMore(): boolean {
    return this.timeLimit !== undefined && this.timeLimit.isFull;
  }

  /** Whether the next message is too old; it was then taken, and the position is done with it. */
  endIfTooOld(record: Record): boolean {
    const limit = this.timeLimit;
    if (limit === undefined || !limit.isOver(this.partition, record)) return false;
    this.#takeNext();
    limit.end(this, record);
    return true;
  }

  noteDelivered(offset: number): void {
    if (this.pending.size === 0) {
      this.#idleEnd = this.deliveredEnd;
      this.#firstPending = offset;
    }
    if (offset >= this.deliveredEnd) this.deliveredEnd = offset + 1;
  }

  /** Moves on to `offset` if that is ahead: all earlier messages are removed. */
  passTo(offset: number): boolean {
    if (offset <= this.deliveredEnd) return false;
    this.deliveredEnd = offset;
    if (offset > this.cursor) {
      this.#reader.unpeek();
      this.moveCursor(offset);
    } else this.cursorMoved = true;
    return true;
  }

  /** Moves the cursor past a message that was removed. */
  passOver(record: Record): void {
    this.#reader.unpeek();
    // Removed, but not accounted for yet, or to be removed later. When the accounting reaches this message,
    // the cursor is past it, so the lag is reduced here.
    const { partition } = this;
    const isCounted = partition.accounting.has(record.offset) || partition.isLive(record.offset);
    if (this.#filter && isCounted) this.filteredLag--;
    this.moveCursor(record.offset + 1);
  }

  moveCursor(cursor: number): void {
    if (cursor === this.cursor) return;
    this.cursor = cursor;
    this.cursorMoved = true;
    if (this.#ahead !== undefined) this.#ahead.forgetBelow(cursor);
  }

  /** Ends the backfill if all of it was delivered. */
  #endBackfill(): void {
    if (this.#backfill === undefined || this.#backfill.size > 0) return;
    this.#backfill = undefined;
    this.cursorMoved = true;
  }

  /** Other work gets a turn before the next delivery. */
  pause(): void {
    this.#host.loaded(this.partition);
  }

  // ---- redelivery

  /**
   * The message of a pending entry; undefined if it is removed or lost, `loading` if it must be loaded first.
   */
  find(offset: number): Record | 'loading' | undefined {
    return this.#againReader.read(offset);
  }

  /** Whether a message is being loaded from disk; the group delivers it afterwards. */
  get isLoading(): boolean {
    return this.loader.isLoading || this.endsNoMore;
  }

  // ---- order by key

  /** Number of messages held behind their key that were never delivered. */
  get held(): number {
    return this.#order === undefined ? 0 : this.#order.held;
  }

  /** Number of messages that may be delivered again, or from the line of their key, as far as is known. */
  get deliverableAgain(): number {
    return this.pending.readyCount + (this.#order?.deliverable ?? 0);
  }

  /** Keys with something to remember, plus messages in their lines. */
  get underWayByKey(): number {
    return this.#order?.underWay ?? 0;
  }

  /**
   * Whether a message that was not delivered yet may go to the consumer now. If not, it is held, and counts
   * as passed.
   */
  admits(record: Record, to: Attachment<PendingEntry>, level: number): boolean {
    const order = this.#order;
    if (order === undefined || order.admits(record, to)) return true;
    order.hold(record, level);
    this.changes.deliveries.push(record.offset, 0);
    this.enter(record.offset);
    return false;
  }

  /** Whether the key of the message allows its delivery to the consumer; the message is not held. */
  keyAllows(record: Record, to: Attachment<PendingEntry>): boolean {
    return this.#order === undefined || this.#order.admits(record, to);
  }

  /** The message is delivered: its key is under way. `to` is undefined for a consumer of before a restart. */
  noteOut(
    entry: PendingEntry,
    record: Record,
    to: Attachment<PendingEntry> | undefined,
    nowMs: number,
  ): void {
    this.#order?.deliver(entry, record, to, nowMs);
  }

  /** A message was delivered that nobody answers. */
  noteDeliveredForGood(record: Record, nowMs: number): void {
    this.#order?.deliverForGood(record, nowMs);
  }

  /**
   * After a restart: as {@link noteOut}, for an entry whose message must be read first. A message that cannot
   * be read does not hold its key.
   */
  async noteStillOut(offset: number, nowMs: number): Promise<void> {
    const { partition } = this;
    const batch = await partition.batchAt(offset).catch(() => undefined);
    const entry = this.pending.get(offset);
    if (!batch || !entry) return;
    const record = this.#againReader.readFrom(batch, offset);
    if (record) this.noteOut(entry, record, undefined, nowMs);
  }

  /**
   * The next entry to deliver again, or from the line of its key, to the consumer; it is not taken. `lowest`:
   * only of this rank or a higher one.
   */
  nextReady(to: Attachment<PendingEntry>, lowest: number): PendingEntry | undefined {
    const ready = this.pending.nextReady(this.ranking);
    // With order by key, entries of before a restart are ready until their keys are known.
    if (this.#order !== undefined && ready !== undefined) return ready;
    const entry = ready ?? this.#order?.next(to);
    return entry === undefined || this.rankOf(entry) < lowest ? undefined : entry;
  }

  /** The rank of a pending entry among the messages to deliver; 0 if the group ignores priorities. */
  rankOf(entry: PendingEntry): number {
    return this.byLevel ? this.ranking.ofWaiting(entry) : 0;
  }

  /** Whether an entry of {@link nextReady} may be delivered, or has to get in line first. */
  mayGo(entry: PendingEntry, record: Record): boolean {
    if (this.#order === undefined || entry.orderedKey !== undefined) return true;
    this.#order.sortIn(entry, record);
    return false;
  }

  /** The entry is done: it is no longer pending, and the next message of its key may be delivered. */
  settle(entry: PendingEntry): void {
    this.#order?.done(entry);
    this.pending.remove(entry);
  }

  /** The entry failed and will not be delivered again: it is no longer pending. */
  giveUp(entry: PendingEntry): void {
    this.#order?.givenUp(entry);
    this.pending.remove(entry);
  }

  /** The delivery failed: the entry is redelivered, not before `dueMs`. */
  wait(entry: PendingEntry, dueMs: number): void {
    this.pending.wait(entry, dueMs);
    this.#order?.returned(entry);
  }

  /** The entry is redelivered as soon as a consumer has credit and its key allows it. */
  makeReady(entry: PendingEntry): void {
    if (this.#order?.makeReady(entry) !== true) this.pending.makeReady(entry);
  }

  /** The entry will not be delivered again. It stays pending, and in front of its key, until settled. */
  leaveForGood(entry: PendingEntry): void {
    this.pending.leaveForGood(entry);
    this.#order?.returned(entry);
  }

  /**
   * The message is past its time to live: the entry stays pending, and in front of its key, until it is gone.
   */
  pass(entry: PendingEntry): void {
    this.pending.pass(entry);
    this.#order?.returned(entry);
  }

  /** Nothing of the key is delivered before `untilMs`, on the monotonic clock. */
  holdKey(name: string, untilMs: number, nowMs: number): void {
    this.#order?.holdKey(name, untilMs, nowMs);
  }

  /** Why no key may be held now; undefined if it may. */
  get keyHoldRefusal(): BrokerError | undefined {
    return this.#order?.keyHoldRefusal;
  }

  endKeyHolds(nowMs: number): number {
    return this.#order?.endKeyHolds(nowMs) ?? 0;
  }

  /** The keys held, each with the end of its hold on the monotonic clock. */
  keyHolds(): Iterable<[name: string, untilMs: number]> {
    return this.#order?.keyHolds() ?? [];
  }

  get keysHeld(): number {
    return this.#order?.keysHeld ?? 0;
  }

  setKeyLimits(limits: KeyLimits, nowMs: number): void {
    this.#order?.setLimits(limits, nowMs);
  }

  /** The earliest deadline, redelivery time, or end of a hold; Infinity if there is none. */
  nextDueMs(): number {
    return Math.min(this.pending.nextDueMs(), this.#order?.nextDueMs() ?? Infinity);
  }

  /** Makes ready what is due. Calls back for each entry whose deadline has passed. */
  expire(nowMs: number, deadlinePassed: (entry: PendingEntry) => void): void {
    this.pending.expire(nowMs, deadlinePassed, (entry) => this.makeReady(entry));
    this.#order?.expire(nowMs);
  }

  /** Called when the group is closed. */
  close(): void {
    this.#order?.close();
  }
}
