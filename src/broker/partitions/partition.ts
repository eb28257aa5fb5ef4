import {
  Record,
  markedOutcome,
  transactionMarker,
  type Batch,
  type DamageReport,
  type Outcome,
  type PartitionLog,
} from '../../log/index.ts';
import type { Clock, OffsetSet, SteadyTime } from '../../util/index.ts';
import type { Budgets } from '../budgets.ts';
import { Filter, textFromKey } from './filter.ts';
import { KeyAccounting } from './key-accounting.ts';
import type { KeyIndex, KeyState } from './key-index.ts';
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

/** What a partition needs from the broker around it. */
export interface PartitionHost {
  readonly clock: Clock;
  readonly steady: SteadyTime;
  readonly pacing: Pacing;
  readonly budgets: Budgets;
  /** The partition has changes that the next commit must carry. */
  partitionChanged(partition: Partition): void;
  afterCommit(callback: () => void): void;
  /** Something stored cannot be read. */
  damaged(report: DamageReport): void;
}

/** What a purge takes: everything by default. */
export interface PurgeOptions {
  /** Only messages whose key matches this subject pattern. */
  readonly pattern?: string;
  /** Only offsets below this one. */
  readonly before?: number;
  /** All but so many, the last ones. */
  readonly keep?: number;
}

/** The topic of a partition: it hears which messages are gone, and removes on request. */
export interface PartitionOwner extends model.Topic {
  /** Messages in `[from, to)` were removed. */
  noteGone(partition: Partition, from: number, to: number): void;
  /** A message was removed, and this was its key. */
  noteRemoved(partition: number, key: string, offset: number): void;
  /** A transaction was decided: these are its messages here, as flat pairs of from and to. */
  decided(partition: Partition, outcome: Outcome, runs: readonly number[]): void;
  /** See {@link Partition.delete}. */
  deleteMessage(partition: Partition, offset: number): Promise<boolean>;
  /** See {@link Partition.purge}. */
  purge(partition: Partition, options: PurgeOptions): Promise<number>;
}

/** Waits for a partition to have more. One object serves as long as somebody waits. */
export interface PartitionWatcher {
  /** More of the partition is durable; or its topic is gone. */
  grew(partition: Partition): void;
}

/**
 * Batches of a partition that are told of as unreadable; a client that sends more of them says nothing new.
 */
const unreadableMax = 100;

/**
 * A partition is one log of a topic, and which of its messages still live.
 *
 * The log never changes what it holds; removal is a matter of {@link firstOffset} and of the set of holes
 * above it. Keys of removed messages are accounted for a little later; until then the log keeps them.
 */
export class Partition<T extends PartitionOwner = PartitionOwner> implements model.Partition {
  readonly topic: T;
  readonly index: number;
  readonly log: PartitionLog;
  readonly producers: Producers;
  readonly transactions: PartitionTransactions = new PartitionTransactions();
  readonly accounting: KeyAccounting;
  #watchers: Set<PartitionWatcher> | undefined = undefined;
  /** Removals that the next commit carries. */
  readonly removals: Runs = new Runs();
  changed = false;
  /** The time that the batch got which was appended last, where the topic gives its own; -1 before. */
  stampedMs = -1;
  /** Messages that were left in a segment, by its base offset, when it was last compacted. */
  readonly compactedLive: Map<number, number> = new Map();
  readonly #host: PartitionHost;
  readonly #removal: Removal;
  /** Base offsets of batches that were told of. */
  readonly #unreadable = new Set<number>();
  readonly #onUnreadable: OnUnreadable = (batch, reason) => this.#reportUnreadable(batch, reason);

  constructor(topic: T, index: number, log: PartitionLog, host: PartitionHost) {
    this.topic = topic;
    this.index = index;
    this.log = log;
    this.#host = host;
    this.producers = new Producers(host.budgets.meter('producers'));
    this.accounting = new KeyAccounting(this, topic.config, host.budgets, (callback) =>
      host.afterCommit(callback),
    );
    this.#removal = new Removal(this, () => host.partitionChanged(this));
  }

  get keyIndex(): KeyIndex | undefined {
    return this.accounting.index;
  }

  /** The lowest live offset; {@link nextOffset} when there is none. */
  get firstOffset(): number {
    return this.#removal.first;
  }

  /**
   * The lowest offset that a reader may stand at and have missed nothing that was removed: below
   * {@link firstOffset} where only markers and what they aborted lie between.
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
   * One past the last offset that readers see: what lies below is durable and of no transaction that is still
   * to be decided. Kafka's last stable offset. It never goes back.
   */
  get stableEnd(): number {
    const { durableEnd } = this.log;
    return this.transactions.isEmpty ? durableEnd : this.transactions.undecidedFrom(durableEnd, durableEnd);
  }

  /** The lowest offset that some transaction has still to decide; {@link nextOffset} when there is none. */
  get undecidedFrom(): number {
    const { endOffset, durableEnd } = this.log;
    return this.transactions.isEmpty ? endOffset : this.transactions.undecidedFrom(endOffset, durableEnd);
  }

  // ---- which messages live

  /** Live messages. */
  get count(): number {
    return this.#removal.count;
  }

  /** Live messages that are on disk: what is told to others. */
  get durableCount(): number {
    return this.#removal.durableCount;
  }

  /** Estimated bytes of these. */
  get durableBytes(): number {
    return this.#removal.durableBytes;
  }

  /** Estimated bytes of the live messages: the log's bytes from the first on, less the holes' share. */
  get bytes(): number {
    return this.#removal.bytes;
  }

  /** Holes between the first and the next offset. */
  get deletedCount(): number {
    return this.#removal.deletedCount;
  }

  deletedRuns(): Iterable<readonly [from: number, to: number]> {
    return this.#removal.deletedRuns();
  }

  isLive(offset: number): boolean {
    return this.#removal.isLive(offset);
  }

  /** Live messages at or above `offset`. */
  liveFrom(offset: number): number {
    return this.#removal.liveFrom(offset);
  }

  /** Live messages in `[from, to)`. */
  liveIn(from: number, to: number): number {
    return this.#removal.liveIn(from, to);
  }

  /** The lowest offset that leaves at most `count` live messages. */
  offsetOfLast(count: number): number {
    return this.#removal.offsetOfLast(count);
  }

  /** Live messages, and those whose keys are still to be accounted for: what compaction must keep. */
  isNeeded(offset: number): boolean {
    return this.isLive(offset) || this.accounting.has(offset);
  }

  /** A reader of its batches that passes over, and reports, what cannot be read. */
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

  /** The topic is gone: what it was charged for is given back. */
  close(): void {
    this.producers.close();
    this.accounting.close();
  }

  // ---- writing

  /** Appends a record, with its key noted. */
  append(record: Record): number {
    const offset = this.log.append(record);
    this.accounting.appended(record);
    return offset;
  }

  /** Appends a batch that the log has checked, with its producer and its keys noted. */
  appendBatch(batch: Batch, each?: (record: Record) => void): void {
    this.log.appendChecked(batch);
    this.noteBatch(batch, each);
  }

  /**
   * Notes what is in a batch that is in the log already: replay, and batches that came whole. Its records are
   * looked at only if somebody must know them.
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
   * Ends what a producer's transaction has here, by a marker in the open commit: its messages become visible
   * with that commit, or are gone. Says which ones, as flat pairs of from and to.
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
   * A marker is no message, and neither is what it aborts: removed, as what was deleted, but without a word
   * in the journal, because the marker says it all.
   */
  #noteMarker(marker: Batch): readonly number[] {
    const { baseOffset, endOffset, producerId } = marker;
    // What is dropped is taken out of them.
    const runs = this.transactions.end(producerId, baseOffset).slice();
    if (markedOutcome(marker) === 'abort')
      for (let i = 0; i < runs.length; i += 2) this.#removal.drop(runs[i]!, runs[i + 1]!, true);
    this.#removal.drop(baseOffset, endOffset, false);
    return runs;
  }

  /**
   * Reads together what limits per key have to know, where the topic has come by such a limit since its
   * messages came.
   */
  async trackKeys({ keyState, messagesPerKeyMax, compaction }: TopicConfig): Promise<void> {
    if (keyState) await this.accounting.track({ withOffsets: messagesPerKeyMax !== undefined || compaction });
  }

  // ---- who waits for more

  watch(watcher: PartitionWatcher): void {
    (this.#watchers ??= new Set()).add(watcher);
  }

  unwatch(watcher: PartitionWatcher): void {
    this.#watchers?.delete(watcher);
  }

  /** More is durable, or there will never be more. */
  tellWatchers(): void {
    if (this.#watchers === undefined || this.#watchers.size === 0) return;
    for (const watcher of this.#watchers) watcher.grew(this);
  }

  // ---- removal

  /** Removes one live message; false when it was not there. */
  remove(offset: number): boolean {
    return this.#removal.remove(offset);
  }

  /** Removes a message whose key the caller knows: accounted for at once. */
  removeOfKey(key: string, offset: number): boolean {
    return this.#removal.removeOfKey(key, offset);
  }

  /** The log lost these offsets to damage. */
  lose(from: number, to: number): void {
    this.#removal.lose(from, to);
  }

  /** Removes everything below `offset`; says how many messages went. */
  trim(offset: number): number {
    return this.#removal.trim(offset);
  }

  /** The log keeps what is not accounted for yet. */
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

  /** Keys that match a subject pattern, as text, with what is known of them. */
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

  /** The batch that holds `offset`, or the first after it. */
  async batchAt(offset: number): Promise<Batch | undefined> {
    return this.log.cached(offset) ?? (await this.log.load(offset));
  }

  /**
   * Batches from the one that holds `fromOffset` on, byte for byte as they are stored, for readers that look
   * only at offsets from there on: up to `bytesMax`, but `atLeastOne` however large. A batch of which
   * messages were removed is made anew without them; one of which nothing is left is passed over, unless
   * nothing follows it: then a batch of no message tells how far that goes. Only what is durable, or what
   * lies below `endOffset`. They are lent: see {@link StoredBatches.release}.
   */
  readBatches(
    fromOffset: number,
    bytesMax: number,
    atLeastOne: boolean,
    endOffset: number = this.log.durableEnd,
  ): Promise<StoredBatches> {
    return readBatches(this, fromOffset, bytesMax, atLeastOne, endOffset);
  }

  /** One message; undefined when it is not there (any more), or not durable yet. */
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

  /** The last live, durable message whose key matches the pattern. */
  last(pattern: string): Promise<StoredMessage | undefined> {
    return lastMessage(this, pattern);
  }

  /**
   * The lowest live, durable message at or above `fromOffset` whose key matches; any when there is no
   * pattern.
   */
  async next(pattern: string | undefined, fromOffset: number): Promise<StoredMessage | undefined> {
    for await (const record of this.scan(fromOffset, pattern === undefined ? {} : { patterns: [pattern] })) {
      return storedMessage(this.topic.name, this.index, record);
    }
    return undefined;
  }

  /**
   * Live messages that readers see, from `fromOffset` to the end as it is when it gets there. The record is a
   * flyweight. `undecided`: those of open transactions too.
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
      // What was looked at may be in memory, and more of it may follow: others get a turn.
      if (reader.wasCostly || bytes >= turnBytes) {
        bytes = 0;
        await this.#host.pacing.wait();
      }
      at = Math.max(batch.endOffset, this.#removal.first);
    }
  }

  /**
   * The lowest offset at or above `from` at which a message that passes the filter may stand, as far as the
   * key index knows.
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

  /** First offset whose timestamp is at or after `timestampMs`; {@link nextOffset} when there is none. */
  offsetAtTime(timestampMs: number): Promise<number> {
    return this.log.offsetAtTime(timestampMs);
  }

  /** The time of the first live message. */
  async firstTimestampMs(): Promise<number | undefined> {
    return (await this.next(undefined, this.#removal.first))?.timestampMs;
  }

  /** The latest timestamp in the log; 0 when nothing was ever written. */
  get lastTimestampMs(): number {
    return this.log.maxTimestampMs;
  }

  // ---- removal on request

  /** Removes one message; resolves, when that is durable, to whether it was there. */
  delete(offset: number): Promise<boolean> {
    return this.topic.deleteMessage(this, offset);
  }

  /**
   * Removes messages, delayed ones too unless `before` or `keep` is given: all, those below `before`, those
   * whose key matches, or all of these but the last `keep`. Resolves, when that is durable, to how many.
   */
  purge(options: PurgeOptions = {}): Promise<number> {
    return this.topic.purge(this, options);
  }
}
