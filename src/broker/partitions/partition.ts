import {
  Record,
  markedOutcome,
  transactionMarker,
  type Batch,
  type DamageReport,
  type Outcome,
  type PartitionLog,
} from '../../log/index.ts';
import type { ByteReader, Clock, OffsetSet, SteadyTime } from '../../util/index.ts';
import type { Budgets } from '../budgets.ts';
import { Filter, textFromKey } from './filter.ts';
import { KeyAccounting } from './key-accounting.ts';
import type { KeyIndex, KeyState } from './key-index.ts';
import { Levels } from './levels.ts';
import { StandIns } from './stand-ins.ts';
import { lastMessage } from './last-message.ts';
import { storedMessage } from './message.ts';
import type * as model from '../model.ts';
import type { StoredMessage } from '../model.ts';
import { PartitionTransactions } from './partition-transactions.ts';
import { Producers } from './producers.ts';
import type { Pacing } from '../pacing.ts';
import { RecordReader, turnBytes, type OnUnreadable } from './record-reader.ts';
import { Removal } from './removal.ts';
import { Runs } from './runs.ts';
import { readBatches, type StoredBatches } from './stored-batches.ts';
import type { TopicConfig } from '../topics/topic-config.ts';

/** The services that the broker offers to a partition. */
export interface PartitionHost {
  readonly clock: Clock;
  readonly steady: SteadyTime;
  readonly pacing: Pacing;
  readonly budgets: Budgets;
  /** Puts the level of a message into the open commit. */
  recordLevel(partition: Partition, offset: number, level: number): void;
  /** The partition has changes that the next commit must carry. */
  partitionChanged(partition: Partition): void;
  afterCommit(callback: () => void): void;
  /** Stored data cannot be read. */
  damaged(report: DamageReport): void;
}

/** The messages that a purge removes; all by default. */
export interface PurgeOptions {
  /** Only messages whose key matches this subject pattern. */
  readonly pattern?: string;
  /** Only offsets below this one. */
  readonly before?: number;
  /** All except this number of messages at the end. */
  readonly keep?: number;
}

/** The topic of a partition. It is told of removed messages, and removes messages on request. */
export interface PartitionOwner extends model.Topic {
  /** Messages in `[from, to)` were removed. */
  noteGone(partition: Partition, from: number, to: number): void;
  /** A message with this key was removed. */
  noteRemoved(partition: number, key: string, offset: number): void;
  /** A transaction was decided. `runs` are its messages here, as flat pairs of from and to. */
  decided(partition: Partition, outcome: Outcome, runs: readonly number[]): void;
  /** See {@link Partition.delete}. */
  deleteMessage(partition: Partition, offset: number): Promise<boolean>;
  /** See {@link Partition.purge}. */
  purge(partition: Partition, options: PurgeOptions): Promise<number>;
}

/** Waits for a partition to grow. One object serves for the whole time of waiting. */
export interface PartitionWatcher {
  /** More of the partition is durable, or its topic is gone. */
  grew(partition: Partition): void;
}

/** Number of unreadable batches reported per partition; further reports would say nothing new. */
const unreadableMax = 100;

/**
 * A partition is one log of a topic, and knows which of its messages are live.
 *
 * The log never changes its content. Removal only moves {@link firstOffset}, or adds to the set of holes
 * above it. Keys of removed messages are accounted for a little later; until then the log keeps the messages.
 */
export class Partition<T extends PartitionOwner = PartitionOwner> implements model.Partition {
  readonly topic: T;
  readonly index: number;
  readonly log: PartitionLog;
  readonly producers: Producers;
  readonly transactions: PartitionTransactions = new PartitionTransactions();
  readonly accounting: KeyAccounting;
  /** The messages with a priority; undefined until there is one. */
  levels: Levels | undefined = undefined;
  /** Undefined until a message keeps the place of another. */
  standIns: StandIns | undefined = undefined;
  #watchers: Set<PartitionWatcher> | undefined = undefined;
  /** Removals that the next commit carries. */
  readonly removals: Runs = new Runs();
  changed = false;
  /** The timestamp of the last appended batch, if the topic sets timestamps itself; -1 before the first. */
  stampedMs = -1;
  /** Number of messages left in a segment when it was last compacted, by the segment's base offset. */
  readonly compactedLive: Map<number, number> = new Map();
  /** Messages past their time to live that are still here, with their due times: see topics/overdue.ts. */
  overdue: Map<number, number> | undefined = undefined;
  readonly #host: PartitionHost;
  readonly #removal: Removal;
  /** Base offsets of the unreadable batches reported. */
  readonly #unreadable = new Set<number>();
  readonly #onUnreadable: OnUnreadable = (batch, reason) => this.#reportUnreadable(batch, reason);

  constructor(topic: T, index: number, log: PartitionLog, host: PartitionHost) {
    this.topic = topic;
    this.index = index;
    this.log = log;
    this.#host = host;
    this.producers = new Producers(host.budgets.meter('producers'));
    this.accounting = new KeyAccounting(this, topic.config, host);
    this.#removal = new Removal(this, () => host.partitionChanged(this));
  }

  get keyIndex(): KeyIndex | undefined {
    return this.accounting.index;
  }

  /** The lowest live offset; {@link nextOffset} if there is none. */
  get firstOffset(): number {
    return this.#removal.first;
  }

  /**
   * The lowest offset from which a reader misses no removed message. It is below {@link firstOffset} if only
   * markers and aborted messages are between.
   */
  get startOffset(): number {
    return this.#removal.start;
  }

  get nextOffset(): number {
    return this.log.endOffset;
  }

  get durableEnd(): number {
    return this.log.durableEnd;
  }

  /**
   * One past the last offset that readers see: everything below is durable and decided. Kafka's last stable
   * offset. It never goes back.
   */
  get stableEnd(): number {
    const { durableEnd } = this.log;
    return this.transactions.isEmpty ? durableEnd : this.transactions.undecidedFrom(durableEnd, durableEnd);
  }

  /** The lowest offset of an undecided transaction; {@link nextOffset} if there is none. */
  get undecidedFrom(): number {
    const { endOffset, durableEnd } = this.log;
    return this.transactions.isEmpty ? endOffset : this.transactions.undecidedFrom(endOffset, durableEnd);
  }

  // ---- which messages live

  /** Number of live messages. */
  get count(): number {
    return this.#removal.count;
  }

  /** Number of live messages that are on disk. This is the number shown to clients. */
  get durableCount(): number {
    return this.#removal.durableCount;
  }

  /** Estimated bytes of the live messages that are on disk. */
  get durableBytes(): number {
    return this.#removal.durableBytes;
  }

  /**
   * Estimated bytes of the live messages: the log's bytes from the first one on, without the holes' share.
   */
  get bytes(): number {
    return this.#removal.bytes;
  }

  /** Number of holes between the first and the next offset. */
  get deletedCount(): number {
    return this.#removal.deletedCount;
  }

  deletedRuns(): Iterable<readonly [from: number, to: number]> {
    return this.#removal.deletedRuns();
  }

  isLive(offset: number): boolean {
    return this.#removal.isLive(offset);
  }

  /** Whether groups may deliver the message: it is live, and not past its time to live. */
  isDeliverable(offset: number): boolean {
    return this.#removal.isLive(offset) && !this.isOverdue(offset);
  }

  /** Whether the message is past its time to live, and still here. */
  isOverdue(offset: number): boolean {
    return this.overdue !== undefined && this.overdue.has(offset);
  }

  /** Number of live messages at or above `offset`. */
  liveFrom(offset: number): number {
    return this.#removal.liveFrom(offset);
  }

  /** Number of live messages in `[from, to)`. */
  liveIn(from: number, to: number): number {
    return this.#removal.liveIn(from, to);
  }

  /** The messages that a limit drops first, `count` of them or fewer, by level and age. */
  lowest(count: number): OffsetSet {
    return this.#levels().lowest(count, this.firstOffset, this.nextOffset, this.holes);
  }

  /** Whether any message has a priority above 0. */
  get hasLevels(): boolean {
    return this.levels !== undefined && this.levels.size > 0;
  }

  /** The lowest offset that leaves at most `count` live messages. */
  offsetOfLast(count: number): number {
    return this.#removal.offsetOfLast(count);
  }

  /** Whether compaction must keep a message: it is live, or its key is still to be accounted for. */
  isNeeded(offset: number): boolean {
    return this.isLive(offset) || this.accounting.has(offset);
  }

  /** A reader of the partition's batches. It skips and reports records that cannot be read. */
  reader(): RecordReader {
    return new RecordReader(this.#onUnreadable);
  }

  #reportUnreadable(batch: Batch, reason: string): void {
    const { baseOffset, endOffset } = batch;
    if (this.#unreadable.size >= unreadableMax || this.#unreadable.has(baseOffset)) return;
    this.#unreadable.add(baseOffset);
    const where = `partition ${this.index} of topic "${this.topic.name}"`;
    this.#host.damaged({
      kind: 'records',
      message: `The batch at offsets ${baseOffset} to ${endOffset - 1} of ${where} cannot be read: ${reason}. Its records are passed over; the batch stays.`,
      path: `partition ${this.log.id}`,
      partitionId: this.log.id,
      fromOffset: baseOffset,
      toOffset: endOffset,
    });
  }

  /** Called when the topic is deleted: releases the partition's budgets. */
  close(): void {
    this.producers.close();
    this.levels?.close();
    this.accounting.close();
  }

  // ---- writing

  /** Appends a record and its key. */
  append(record: Record): number {
    const offset = this.log.append(record);
    this.accounting.appended(record);
    return offset;
  }

  /** Gives the message, which was just appended, a level above 0. */
  raise(offset: number, level: number): void {
    this.#levels().add(offset, level);
    if (!this.log.volatile) this.#host.recordLevel(this, offset, level);
  }

  /** The message, which was just appended or read back, keeps an earlier place. */
  standIn(offset: number, place: number): void {
    (this.standIns ??= new StandIns()).add(offset, place);
  }

  #levels(): Levels {
    return (this.levels ??= new Levels(this.#host.budgets.meter('prioritized')));
  }

  /** Replays the level of a message from the journal. */
  restoreLevel(level: number, offset: number): void {
    const wasRemoved = offset < this.log.endOffset && !this.isLive(offset);
    if (!wasRemoved) this.#levels().add(offset, level);
  }

  restoreLevels(reader: ByteReader): void {
    this.#levels().restore(reader);
  }

  /** Appends a batch that the log has checked, with its producer and its keys. */
  appendBatch(batch: Batch, each?: (record: Record) => void): void {
    this.log.appendChecked(batch);
    this.noteBatch(batch, each);
  }

  /**
   * Registers the content of a batch that is already in the log: during a replay, or after the append of a
   * complete batch. Reads the records only if their keys or `each` need them.
   */
  noteBatch(batch: Batch, each?: (record: Record) => void): void {
    if (batch.control) {
      this.#noteMarker(batch);
      return;
    }
    if (batch.transactional && batch.producerId >= 0) this.transactions.note(batch);
    if (batch.producerId >= 0 && batch.baseSequence >= 0)
      this.producers.note(batch, this.#host.clock.now(), this.#host.steady);
    if (!this.accounting.wantsKeys && !each) return;
    const reader = this.reader();
    const record = new Record();
    reader.reset(batch);
    while (reader.next(record)) {
      this.accounting.appended(record);
      each?.(record);
    }
  }

  // ---- transactions

  /**
   * Ends a producer's transaction on this partition, by a marker in the open commit. With that commit its
   * messages become visible, or are gone. Returns the messages as flat pairs of from and to.
   */
  endTransaction(outcome: Outcome, producerId: number, producerEpoch: number): readonly number[] {
    const timestampMs = Math.max(this.#host.clock.now(), this.log.maxTimestampMs);
    const marker = this.log.checkedBatch(
      transactionMarker(outcome, producerId, producerEpoch, timestampMs),
      1,
      true,
    );
    this.log.appendChecked(marker);
    return this.#noteMarker(marker);
  }

  /**
   * Markers and the messages they abort are removed like deleted messages. The journal has no entry for that,
   * because the marker implies it.
   */
  #noteMarker(marker: Batch): readonly number[] {
    const { baseOffset, endOffset, producerId } = marker;
    // A copy, because dropping messages changes the original.
    const runs = this.transactions.end(producerId, baseOffset).slice();
    if (markedOutcome(marker) === 'abort')
      for (let i = 0; i < runs.length; i += 2) this.#removal.drop(runs[i]!, runs[i + 1]!, true);
    this.#removal.drop(baseOffset, endOffset, false);
    return runs;
  }

  /**
   * Builds the key state that new limits per key need, if such a limit was set after messages were published.
   */
  async trackKeys({ keyState, messagesPerKeyMax, compaction }: TopicConfig): Promise<void> {
    if (keyState) await this.accounting.track({ withOffsets: messagesPerKeyMax !== undefined || compaction });
  }

  // ---- watchers

  watch(watcher: PartitionWatcher): void {
    (this.#watchers ??= new Set()).add(watcher);
  }

  unwatch(watcher: PartitionWatcher): void {
    this.#watchers?.delete(watcher);
  }

  /** More of the partition is durable, or the topic is gone. */
  tellWatchers(): void {
    if (this.#watchers === undefined || this.#watchers.size === 0) return;
    for (const watcher of this.#watchers) watcher.grew(this);
  }

  // ---- removal

  /** Removes one live message. Returns false if it was not live. */
  remove(offset: number): boolean {
    return this.#removal.remove(offset);
  }

  /** Removes a message whose key the caller knows; the key is accounted for at once. */
  removeOfKey(key: string, offset: number): boolean {
    return this.#removal.removeOfKey(key, offset);
  }

  /** The log lost these offsets to damage. */
  lose(from: number, to: number): void {
    this.#removal.lose(from, to);
  }

  /** Removes everything below `offset`; returns the number of messages removed. */
  trim(offset: number): number {
    return this.#removal.trim(offset);
  }

  /** Trims the log, up to the first message that is not accounted for. */
  trimLog(): void {
    this.#removal.trimLog();
  }

  /** Replays a removal from the journal. */
  applyRemoval(from: number, to: number): void {
    this.#removal.applyRemoval(from, to);
  }

  /** Replays the first offset from the journal. */
  applyFirst(offset: number): void {
    this.#removal.applyFirst(offset);
  }

  /** State for a checkpoint. */
  get holes(): OffsetSet {
    return this.#removal.holes;
  }

  restore(state: { first: number; start: number; holes: OffsetSet; unaccounted: OffsetSet }): void {
    this.#removal.restore(state);
  }

  // ---- reading

  get keyCount(): number {
    return this.keyIndex?.size ?? 0;
  }

  /** Keys that match a subject pattern, as text, with their states. */
  *keys(pattern?: string): Iterable<[key: string, state: KeyState]> {
    if (!this.keyIndex) return;
    const filter = pattern === undefined || pattern === '>' ? undefined : new Filter([pattern]);
    const literal = filter?.literal;
    if (literal !== undefined) {
      const state = this.keyIndex.get(literal);
      if (state) yield [textFromKey(literal), state];
      return;
    }
    for (const [key, state] of this.keyIndex.entries()) {
      if (!filter || filter.matches(key)) yield [textFromKey(key), state];
    }
  }

  /**
   * Calls back with the state of each key that the filter wants, once, and with the key as it is stored. For
   * all keys of a partition this is cheaper than {@link keys}.
   */
  visitKeys(filter: Filter | undefined, visit: (state: KeyState, key: string) => void): void {
    if (!this.keyIndex) return;
    const literal = filter?.literal;
    if (literal !== undefined) {
      const state = this.keyIndex.get(literal);
      if (state) visit(state, literal);
    } else if (!filter || filter.isAll) this.keyIndex.visit(visit);
    else
      this.keyIndex.visit((state, key) => {
        if (filter.matches(key)) visit(state, key);
      });
  }

  /** The batch that contains `offset`, or the first one after it. */
  async batchAt(offset: number): Promise<Batch | undefined> {
    return this.log.cached(offset) ?? (await this.log.load(offset));
  }

  /**
   * Batches from the one that contains `fromOffset` on, as they are stored, for readers that skip lower
   * offsets themselves. Limited to `bytesMax`, but with `atLeastOne` the first batch may be of any size. A
   * batch with removed messages is rewritten without them. A batch without live messages is skipped; if no
   * batch is left then, with `atLeastOne` an empty batch marks where the gap ends. Reads up to `endOffset`,
   * by default the durable end. The batches are lent: see {@link StoredBatches.release}.
   */
  readBatches(
    fromOffset: number,
    bytesMax: number,
    atLeastOne: boolean,
    endOffset: number = this.log.durableEnd,
  ): Promise<StoredBatches> {
    return readBatches(this, fromOffset, bytesMax, atLeastOne, endOffset);
  }

  /** One message; undefined if it is not live or not visible yet. */
  async get(offset: number): Promise<StoredMessage | undefined> {
    if (!this.isLive(offset) || offset >= this.stableEnd) return undefined;
    const batch = await this.batchAt(offset);
    if (!batch || !this.isLive(offset)) return undefined;
    const reader = this.reader();
    const record = new Record();
    reader.reset(batch, offset);
    if (!reader.next(record) || record.offset !== offset) return undefined;
    return storedMessage(this.topic.name, this.index, record);
  }

  /** The last live, visible message whose key matches the pattern. */
  last(pattern: string): Promise<StoredMessage | undefined> {
    return lastMessage(this, pattern);
  }

  /**
   * The lowest live, visible message at or above `fromOffset` whose key matches; any key if there is no
   * pattern.
   */
  async next(pattern: string | undefined, fromOffset: number): Promise<StoredMessage | undefined> {
    for await (const record of this.scan(fromOffset, pattern === undefined ? {} : { patterns: [pattern] })) {
      return storedMessage(this.topic.name, this.index, record);
    }
    return undefined;
  }

  /**
   * Live messages that readers see, from `fromOffset` to the end at the time of reaching it. The yielded
   * record is reused. `undecided`: includes messages of open transactions.
   */
  async *scan(
    fromOffset: number,
    options: {
      patterns?: readonly string[];
      toOffset?: number;
      signal?: AbortSignal;
      undecided?: boolean;
    } = {},
  ): AsyncGenerator<Record, void, void> {
    const filter = options.patterns && options.patterns.length > 0 ? new Filter(options.patterns) : undefined;
    const reader = this.reader();
    const record = new Record();
    let at = Math.max(fromOffset, this.#removal.first);
    const end = options.toOffset ?? Infinity;
    let bytes = 0;
    for (;;) {
      options.signal?.throwIfAborted();
      if (filter) at = this.skip(filter, at);
      if (at >= end) return;
      const batch = await this.batchAt(at);
      if (!batch || (options.undecided !== true && Math.max(at, batch.baseOffset) >= this.stableEnd)) return;
      reader.reset(batch, at);
      while (reader.next(record)) {
        at = record.offset + 1;
        if (record.offset >= end) return;
        if (!this.isLive(record.offset) || (filter && !filter.matchesRecord(record))) continue;
        yield record;
      }
      bytes += batch.compressed ? batch.openedBytes : batch.bytes;
      // All of this may have been in memory, and more may follow: other work gets a turn.
      if (reader.wasCostly || bytes >= turnBytes) {
        bytes = 0;
        await this.#host.pacing.wait();
      }
      at = Math.max(batch.endOffset, this.#removal.first);
    }
  }

  /**
   * A lower bound, at or above `from`, of the offsets that can pass the filter, as far as the key index
   * knows.
   */
  skip(filter: Filter, from: number): number {
    const literal = filter.literal;
    if (!this.keyIndex || literal === undefined) return from;
    const state = this.keyIndex.get(literal);
    if (!state || (!state.lastStale && state.last < from)) return Math.max(from, this.log.endOffset);
    if (state.offsets) {
      for (const offset of state.offsets) if (offset >= from) return offset;
      return Math.max(from, this.log.endOffset);
    }
    return Math.max(from, state.first);
  }

  /** First offset whose timestamp is at or after `timestampMs`; {@link nextOffset} if there is none. */
  offsetAtTime(timestampMs: number): Promise<number> {
    return this.log.offsetAtTime(timestampMs);
  }

  /** The timestamp of the first live message. */
  async firstTimestampMs(): Promise<number | undefined> {
    return (await this.next(undefined, this.#removal.first))?.timestampMs;
  }

  /** The highest timestamp in the log; 0 if nothing was ever written. */
  get lastTimestampMs(): number {
    return this.log.maxTimestampMs;
  }

  // ---- removal on request

  /** Removes one message. Resolves when that is durable, with whether the message was live. */
  delete(offset: number): Promise<boolean> {
    return this.topic.deleteMessage(this, offset);
  }

  /**
   * Removes messages: all, those below `before`, those whose key matches, or all of these except the last
   * `keep`. Delayed messages are included unless `before` or `keep` is given. Resolves when that is durable,
   * with the number of messages removed.
   */
  purge(options: PurgeOptions = {}): Promise<number> {
    return this.topic.purge(this, options);
  }
}
