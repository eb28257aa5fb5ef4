import type { PartitionLog, Record } from '../../log/index.ts';
import { ByteWriter, type Clock, type SteadyTime } from '../../util/index.ts';
import type { Meter } from '../budgets.ts';
import { EntryKind, writeDelayTrimmed } from '../entries.ts';
import type { BrokerError } from '../errors.ts';
import type { Pacing } from '../pacing.ts';
import { Filter } from '../partitions/filter.ts';
import { copyRecord, recordBytes, storedMessage } from '../partitions/message.ts';
import type { Partition } from '../partitions/partition.ts';
import { Runs } from '../partitions/runs.ts';
import type { PublishListener } from './publishes.ts';
import { DelayLog, type DelayedPlace } from './delay-log.ts';
import { takeDelayedOptions } from './delayed-options.ts';
import type { Topic, TopicPartition } from './topic.ts';
import type { DelayedMessage, DelayedPage, DelayedQuery } from './delayed-message.ts';

/** The services that the broker offers to delayed messages. */
export interface DelayedMessagesHost {
  readonly clock: Clock;
  readonly steady: SteadyTime;
  readonly pacing: Pacing;
  /** The reason why nothing can be changed any more, if any. */
  readonly refusal: BrokerError | undefined;
  /** Adds an entry to the open commit. */
  record(kind: number, id: number, payload: Uint8Array): void;
  /** Calls `published` of the listener when the open commit is durable. */
  awaitDelayed<T>(listener: PublishListener<T>, token: T, partition: Partition, id: number): void;
  afterCommit(callback: () => void): void;
  /** The partition whose log has the id; undefined if it was deleted. */
  partition(id: number): TopicPartition | undefined;
  /** Appends the message that waited under this id, unless its partition was deleted. */
  append(partitionId: number, record: Record, id: number): void;
}

/**
 * At most this many messages are read for one page, so that a filter that matches little does not read all.
 */
const readPerPageMax = 10_000;
/** Messages that are read together before other work gets its turn. */
const readTogether = 500;

/**
 * Delayed messages wait in the {@link DelayLog} until they are due. The open commit records messages that are
 * delayed, moved to another time, taken back or due. A due message leaves the log of delayed messages and
 * enters its topic in the same commit.
 *
 * A delayed message is known by its id, which is its offset in the delay log. Ids ascend in the order of the
 * publishes, and are never reused.
 */
export class DelayedMessages {
  readonly log: DelayLog;
  readonly #host: DelayedMessagesHost;
  readonly #scratch = new ByteWriter();

  /** `log`: stores the messages. */
  constructor(log: PartitionLog, host: DelayedMessagesHost, meter: Meter) {
    this.#host = host;
    const { clock, steady } = host;
    const due = this.#due.bind(this);
    this.log = new DelayLog(log, { clock, steady, due }, meter);
  }

  #due(partitionId: number, offset: number, record: Record): void {
    record.timestampMs = this.#host.clock.now(); // the age counts from here, and the log's times do not go backwards
    this.#host.append(partitionId, record, offset);
    this.#host.record(EntryKind.undelayed, 0, this.#scratch.reset().uvarint(offset).view());
  }

  /** Stores the message until `dueMs` (wall clock); returns its id. */
  add<T>(
    partition: Partition,
    record: Record,
    dueMs: number,
    listener: PublishListener<T>,
    token: T,
  ): number {
    const { id } = partition.log;
    const offset = this.log.append(record);
    this.#place(offset, dueMs, id);
    this.#host.awaitDelayed(listener, token, partition, offset);
    return offset;
  }

  #place(offset: number, dueMs: number, partitionId: number): void {
    const payload = this.#scratch.reset().uvarint(offset).uvarint(dueMs).view();
    this.#host.record(EntryKind.delayed, partitionId, payload);
    this.log.add(offset, dueMs, partitionId);
  }

  /**
   * Removes delayed messages of the partition: all, or those whose keys pass the filter, in one commit.
   * Returns their number.
   */
  takeBack({ log: { id } }: Partition, filter: Filter | undefined): number | Promise<number> {
    if (filter === undefined) return this.#takeBack(this.log.offsetsOf(id));
    return this.log.matching(id, filter).then((offsets) => this.#takeBack(offsets));
  }

  #takeBack(offsets: readonly number[]): number {
    if (offsets.length === 0) return 0;
    const runs = new Runs();
    for (const offset of offsets) runs.add(offset);
    writeDelayTrimmed(this.#scratch.reset(), runs.bounds());
    this.#host.record(EntryKind.delayTrimmed, 0, this.#scratch.view());
    return this.log.remove(offsets);
  }

  /** When a message is due (wall clock); undefined if none waits under this id. */
  dueMsOf(id: number): number | undefined {
    return this.log.placeOf(id)?.dueMs;
  }

  /** Removes a message in the open commit. */
  takeOut(id: number): void {
    this.#takeBack([id]);
  }

  // ---- for operators and publishers

  /** Number of delayed messages of a topic. */
  countOf(topic: Topic): number {
    let count = 0;
    for (const id of this.#partitionIdsOf(topic)) count += this.log.countOf(id);
    return count;
  }

  /**
   * One page of delayed messages, in the order of their publishes. Its `next` is the `after` of the next
   * page. With a filter, a page may have fewer messages than asked for, or none, and still have a `next`.
   */
  async list({ topic, after = -1, limit, filter }: DelayedQuery): Promise<DelayedPage> {
    await this.#committed(); // only durable messages can be read
    const partitionIds = topic && this.#partitionIdsOf(topic);
    const wanted = filter === undefined ? undefined : new Filter([filter]);
    const messages: DelayedMessage[] = [];
    let from = after + 1;
    for (let read = 0; read < readPerPageMax && messages.length < limit;) {
      const count = wanted ? readTogether : Math.min(readTogether, limit - messages.length);
      const { places, next } = this.log.page(partitionIds, from, count);
      for (const message of await this.#read(places, wanted)) {
        if (messages.length === limit) return { messages, next: messages.at(-1)!.id };
        messages.push(message);
      }
      if (next === undefined) return { messages };
      from = next;
      read += places.length;
      await this.#host.pacing.rest();
    }
    return { messages, next: from - 1 };
  }

  /** One delayed message; undefined if none waits under this id. */
  async get(id: number): Promise<DelayedMessage | undefined> {
    await this.#committed();
    const place = this.log.placeOf(id);
    return place && (await this.#read([place], undefined))[0];
  }

  /** Ids of the delayed messages of a topic whose keys match a subject pattern, ascending by partition. */
  async find(topic: Topic, filter: string): Promise<number[]> {
    await this.#committed();
    const found: number[] = [];
    for (const id of this.#partitionIdsOf(topic))
      found.push(...(await this.log.matching(id, new Filter([filter]))));
    return found;
  }

  /** The topic of a delayed message; undefined if none waits under this id. */
  topicOf(id: number): Topic | undefined {
    const place = this.log.placeOf(id);
    return place && this.#host.partition(place.partitionId)?.topic;
  }

  /**
   * Moves delayed messages to another time (wall clock), in one commit; a time in the past publishes them at
   * once. Resolves, when that is durable, to how many of them still waited.
   */
  async move(ids: readonly number[], dueMs: number): Promise<number> {
    this.#checkOpen();
    let moved = 0;
    for (const id of ids) {
      const place = this.log.placeOf(id);
      if (!place) continue;
      this.#place(id, dueMs, place.partitionId);
      moved++;
    }
    await this.#committed();
    return moved;
  }

  /**
   * Removes delayed messages, in one commit: they are never published. Resolves, when that is durable, to how
   * many of them still waited.
   */
  async cancel(ids: readonly number[]): Promise<number> {
    this.#checkOpen();
    const count = this.#takeBack(
      ids.filter((id) => this.log.placeOf(id) !== undefined).sort((a, b) => a - b),
    );
    await this.#committed();
    return count;
  }

  /**
   * Publishes delayed messages now. Resolves, when that is durable, to how many of them still waited.
   */
  async publishNow(ids: readonly number[]): Promise<number> {
    this.#checkOpen();
    await this.#committed();
    const sorted = [...ids].sort((a, b) => a - b);
    let published = 0;
    for (let at = 0; at < sorted.length; at += readTogether) {
      const records: Record[] = [];
      await this.log.read(sorted.slice(at, at + readTogether), (record) => {
        const copy = copyRecord(record);
        copy.offset = record.offset;
        records.push(copy);
      });
      this.#checkOpen();
      for (const record of records) {
        const { offset } = record;
        const place = this.log.placeOf(offset);
        if (!place) continue; // it became due, or was cancelled, in the meantime
        this.#due(place.partitionId, offset, record);
        this.log.remove([offset]);
        published++;
      }
      await this.#host.pacing.rest();
    }
    await this.#committed();
    return published;
  }

  async #read(places: readonly DelayedPlace[], filter: Filter | undefined): Promise<DelayedMessage[]> {
    const byOffset = new Map(places.map((place) => [place.offset, place]));
    const messages: DelayedMessage[] = [];
    await this.log.read([...byOffset.keys()], (record) => {
      const { partitionId } = byOffset.get(record.offset)!;
      const partition = this.#host.partition(partitionId);
      // It may have become due, or have been moved, during the read.
      const dueMs = this.log.placeOf(record.offset)?.dueMs;
      if (!partition || dueMs === undefined || filter?.matchesRecord(record) === false) return;
      const { priority = 0 } = takeDelayedOptions(record);
      const stored = storedMessage(partition.topic.name, partition.index, record);
      const { topic, key, headers, value, timestampMs } = stored;
      const bytes = recordBytes(record);
      messages.push({
        id: record.offset,
        dueMs,
        topic,
        partition: partition.index,
        key,
        headers,
        value,
        timestampMs,
        bytes,
        priority,
      });
    });
    return messages;
  }

  #partitionIdsOf(topic: Topic): Set<number> {
    const ids = new Set<number>();
    // A partition with delayed messages is open.
    for (const { log } of topic.partitions.opened) if (this.log.countOf(log.id) > 0) ids.add(log.id);
    return ids;
  }

  #checkOpen(): void {
    const { refusal } = this.#host;
    if (refusal) throw refusal;
  }

  #committed(): Promise<void> {
    return new Promise((resolve) => this.#host.afterCommit(resolve));
  }
}
