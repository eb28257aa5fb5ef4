import { BatchReader, LogError, Record, stampAppendTime, type Batch } from '../../log/index.ts';
import { refusalOfBatchBudget, refusalOfBatchRoom, type AdmissionHost } from './admission.ts';
import type { PublishRate } from './publish-rate.ts';
import type { Clock } from '../../util/index.ts';
import { topicError, type BrokerError } from '../errors.ts';
import { KeyReader } from '../partitions/filter.ts';
import { recordBytes } from '../partitions/message.ts';
import type { Partition } from '../partitions/partition.ts';
import type { BatchTransaction, PublishListener } from './publishes.ts';
import type { SizeRetention } from '../retention/size-retention.ts';
import type { Topic } from '../model.ts';
import type { Deduplication } from './deduplication.ts';
import type { UniqueKeys } from './unique-keys.ts';
import type { Rate } from '../partitions/rates.ts';

/** The part of a topic that its batch intake uses. */
interface IntakeTopic extends Topic {
  readonly partitions: { readonly length: number; at(index: number): Partition | undefined };
  readonly deduplication: Deduplication;
  readonly uniqueKeys: UniqueKeys;
  readonly inRate: Rate;
  readonly publishRate: PublishRate;
  /**
   * Why a partition takes no message until more of the messages that its limits drop are moved; undefined if
   * it takes messages.
   */
  readonly leaving: { refusal(partition: Partition): BrokerError | undefined };
  /** Messages in `[from, to)` were appended, with timestamps between these two: their ages begin. */
  noteArrival(partition: Partition, from: number, to: number, oldestMs: number, youngestMs: number): void;
}

/** A group with a filter. */
interface FilteredGroup {
  /** A message was appended. Returns true if it passes the group's filter. */
  noteAppended(partition: number, record: Record, offset: number): boolean;
}

/** Decides whether a batch may be part of a transaction. */
export interface TransactionGate {
  /**
   * Why a batch may not be appended to the partition; undefined if it may. `said` is the transaction that the
   * publisher named.
   */
  refusalOf(batch: Batch, partition: Partition, said: BatchTransaction | undefined): BrokerError | undefined;
  /** An accepted batch is about to be appended. */
  joined(batch: Batch, partition: Partition): void;
}

/** The services that the broker offers to the intake of batches. */
export interface BatchIntakeHost extends AdmissionHost {
  readonly clock: Clock;
  /**
   * Why no publish is accepted now: a watermark, a failed log, a closed broker. Undefined if publishes are
   * accepted.
   */
  readonly refusal: BrokerError | undefined;
  readonly transactions: TransactionGate;
  /** Calls `published` of the listener when the open commit is durable. */
  awaitCommit<T>(
    listener: PublishListener<T>,
    token: T,
    partition: Partition,
    offset: number,
    duplicate: boolean,
  ): void;
  afterCommit(callback: () => void): void;
}

/**
 * The batch intake publishes complete batches to a topic. It makes the same checks as for a single message,
 * once per batch. It reads the records only if the topic must know them (keys, filters, limits per key).
 */
export class BatchIntake {
  readonly #topic: IntakeTopic;
  readonly #core: BatchIntakeHost;
  readonly #size: SizeRetention;
  readonly #reader = new BatchReader();
  readonly #record = new Record();
  readonly #keyReader = new KeyReader();

  constructor(topic: IntakeTopic, core: BatchIntakeHost, size: SizeRetention) {
    this.#topic = topic;
    this.#core = core;
    this.#size = size;
  }

  publish<T>(
    index: number,
    bytes: Uint8Array,
    filteredGroups: readonly FilteredGroup[],
    listener: PublishListener<T>,
    token: T,
    transaction?: BatchTransaction,
  ): void {
    const topic = this.#topic;
    const core = this.#core;
    if (core.refusal) return listener.refused(token, core.refusal);
    if (topic.isDeleted) return listener.refused(token, topicError(topic, 'topic-not-found', 'was deleted'));
    if (topic.config.sealed) return listener.refused(token, topicError(topic, 'not-allowed', 'is sealed'));
    const partition = topic.partitions.at(index);
    if (!partition)
      return listener.refused(token, topicError(topic, 'not-allowed', `has no partition ${index}`));
    let batch: Batch;
    try {
      batch = partition.log.checkedBatch(bytes, undefined, true);
    } catch (error) {
      if (error instanceof LogError) return listener.refused(token, this.#refusalOf(error));
      throw error;
    }
    if (batch.control)
      return listener.refused(token, topicError(topic, 'message-invalid', 'takes no markers from clients'));
    if (batch.producerId >= 0 || batch.transactional) {
      const refused = core.transactions.refusalOf(batch, partition, transaction);
      if (refused) return listener.refused(token, refused);
      const checked = this.#checkSequence(partition, batch);
      if (typeof checked === 'number') return core.awaitCommit(listener, token, partition, checked, true);
      if (checked) return listener.refused(token, checked);
    }
    const isLookedAt = partition.accounting.wantsKeys || filteredGroups.length > 0;
    const refusal =
      this.#refusalOfRecords(partition, batch, isLookedAt) ??
      refusalOfBatchRoom(topic, partition, batch) ??
      topic.leaving.refusal(partition) ??
      refusalOfBatchBudget(core, partition, batch, () => this.#newKeys(partition, batch));
    if (refusal) return listener.refused(token, refusal);
    const tooFast = topic.publishRate.refusalOf(batch.count);
    if (tooFast) {
      topic.publishRate.refused++;
      return listener.refused(token, tooFast);
    }
    topic.publishRate.take(batch.count);
    if (batch.transactional) core.transactions.joined(batch, partition);
    if (topic.config.timestamps === 'append')
      stampAppendTime(batch, (partition.stampedMs = core.clock.now()));
    this.#append(partition, batch, isLookedAt, filteredGroups);
    core.awaitCommit(listener, token, partition, batch.baseOffset, false);
  }

  /**
   * The offset of the batch that this one repeats, or why this batch is refused; undefined if it is the next
   * one.
   */
  #checkSequence(partition: Partition, batch: Batch): number | BrokerError | undefined {
    const { producerId, producerEpoch, baseSequence } = batch;
    if (producerEpoch < 0 || baseSequence < 0)
      return topicError(
        this.#topic,
        'message-invalid',
        `got a batch of producer ${producerId} without epoch or sequence`,
      );
    const check = partition.producers.check(batch);
    if (check.kind === 'next') return undefined;
    if (check.kind === 'duplicate') return check.baseOffset;
    if (check.kind === 'fenced') {
      const what = `got a batch of producer ${producerId} with epoch ${producerEpoch}, and knows epoch ${check.epoch} of it`;
      return topicError(this.#topic, 'producer-fenced', what);
    }
    const what = `expected sequence number ${check.expected} of producer ${producerId}, not ${baseSequence}`;
    return topicError(this.#topic, 'sequence-gap', what);
  }

  #refusalOf(error: LogError): Error {
    return error.code === 'record-too-large'
      ? topicError(this.#topic, 'message-too-large', `cannot take it: ${error.message}`)
      : error;
  }

  #refusalOfRecords(partition: Partition, batch: Batch, isLookedAt: boolean): BrokerError | undefined {
    const topic = this.#topic;
    const { messageBytesMax, messagesPerKeyMax, overflowPerKey, compaction } = topic.config;
    const tooLarge = messageBytesMax === undefined ? undefined : this.#tooLarge(batch, messageBytesMax);
    if (tooLarge || !isLookedAt) return tooLarge;
    if (!isReadable(batch))
      return topicError(topic, 'message-invalid', 'must look into its messages, and these cannot be read');
    if (compaction && this.#holdsKeyless(batch))
      return topicError(topic, 'message-invalid', 'is compacted, and takes no messages without a key');
    if (messagesPerKeyMax === undefined || overflowPerKey !== 'reject') return undefined;
    return this.#overfillsKey(partition, batch, messagesPerKeyMax)
      ? topicError(topic, 'key-full', `holds ${messagesPerKeyMax} messages of a key`, {
          limit: messagesPerKeyMax,
        })
      : undefined;
  }

  /**
   * A compressed batch counts as one message of its size, as with Kafka's `max.message.bytes`. Otherwise no
   * record is larger than its batch.
   */
  #tooLarge(batch: Batch, bytesMax: number): BrokerError | undefined {
    if (batch.bytes <= bytesMax) return undefined;
    let largest = batch.compressed ? batch.bytes : 0;
    if (!batch.compressed) {
      this.#reader.reset(batch);
      while (this.#reader.next(this.#record)) largest = Math.max(largest, recordBytes(this.#record));
    }
    if (largest <= bytesMax) return undefined;
    const what = `takes messages of up to ${bytesMax} bytes, not ${largest}`;
    return topicError(this.#topic, 'message-too-large', what, { limit: bytesMax });
  }

  /** Whether the batch has a message without a key, which a compacted topic would keep for ever. */
  #holdsKeyless(batch: Batch): boolean {
    this.#reader.reset(batch);
    while (this.#reader.next(this.#record)) if (this.#record.keyStart < 0) return true;
    return false;
  }

  /** Number of keys in the batch that are new to the partition. */
  #newKeys(partition: Partition, batch: Batch): number {
    const keys = new Set<string>();
    this.#reader.reset(batch);
    while (this.#reader.next(this.#record)) {
      const key = this.#keyReader.read(this.#record);
      if (!partition.keyIndex?.get(key)) keys.add(key);
    }
    return keys.size;
  }

  #overfillsKey(partition: Partition, batch: Batch, countMax: number): boolean {
    const counts = new Map<string, number>();
    this.#reader.reset(batch);
    while (this.#reader.next(this.#record)) {
      const key = this.#keyReader.read(this.#record);
      let count = counts.get(key);
      if (count === undefined) {
        partition.accounting.accountKey(key);
        count = partition.keyIndex?.get(key)?.count ?? 0;
      }
      if (count >= countMax) return true;
      counts.set(key, count + 1);
    }
    return false;
  }

  /**
   * A transaction has committed: removes the messages that its own push beyond the limit per key. If a crash
   * prevents that, the next messages of those keys do it.
   */
  async limitKeys(partition: Partition, runs: readonly number[]): Promise<void> {
    const topic = this.#topic;
    await new Promise<void>((resolve) => this.#core.afterCommit(resolve)); // scans read only durable messages
    for (let i = 0; i < runs.length && !topic.isDeleted; i += 2) {
      for await (const record of partition.scan(runs[i]!, { toOffset: runs[i + 1]!, undecided: true }))
        this.#size.appendedOfKey(partition, record, topic.config);
    }
  }

  #append(
    partition: Partition,
    batch: Batch,
    isLookedAt: boolean,
    filteredGroups: readonly FilteredGroup[],
  ): void {
    const topic = this.#topic;
    const { config } = topic;
    const isWanted = config.retention !== 'interest' || topic.groups.size > filteredGroups.length;
    const note = (record: Record): void => {
      let wanted = isWanted;
      for (const group of filteredGroups)
        wanted = group.noteAppended(partition.index, record, record.offset) || wanted;
      if (!wanted) partition.remove(record.offset);
      // Messages of a transaction push out older ones of their keys only after the commit, because the
      // transaction may abort.
      else if (!batch.transactional) this.#size.appendedOfKey(partition, record, config);
    };
    partition.appendBatch(batch, isLookedAt ? note : undefined);
    if (!isLookedAt && !isWanted)
      for (let offset = batch.baseOffset; offset < batch.endOffset; offset++) partition.remove(offset);
    topic.inRate.count += batch.count;
    this.#size.appendedAny(partition, config);
    const { baseTimestampMs, maxTimestampMs } = batch;
    const oldestMs =
      config.timestamps === 'append' ? maxTimestampMs : Math.min(baseTimestampMs, maxTimestampMs);
    topic.noteArrival(partition, batch.baseOffset, batch.endOffset, oldestMs, maxTimestampMs);
  }
}

/** Whether all records of the batch can be read here. */
function isReadable(batch: Batch): boolean {
  try {
    return batch.readable === batch.count;
  } catch (error) {
    if (error instanceof LogError) return false; // compressed, and no decompressor can open it
    throw error;
  }
}
