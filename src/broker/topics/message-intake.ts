import type { Record } from '../../log/index.ts';
import type { Clock, SteadyTime } from '../../util/index.ts';
import {
  knowsExpected,
  refusalOfBudget,
  refusalOfMessage,
  refusalOfRoom,
  type Accepted,
  type Admission,
  type AdmissionHost,
  type AdmittingTopic,
} from './admission.ts';
import { topicError, type BrokerError } from '../errors.ts';
import { keyFromText, KeyReader } from '../partitions/filter.ts';
import type { Partition } from '../partitions/partition.ts';
import type { Rate } from '../partitions/rates.ts';
import { replaceAll, replaceKey } from '../retention/replacement.ts';
import type { SizeRetention } from '../retention/size-retention.ts';
import type { WayOut } from '../retention/way-out.ts';
import type { ScheduleCarrier } from '../schedules/schedule-carrier.ts';
import type { ScheduleOptions } from '../schedules/schedule-config.ts';
import { delayedOffset } from './deduplication.ts';
import { addDelayedOptions } from './delayed-options.ts';
import type { Expiry } from './expiry.ts';
import type { PublishRate } from './publish-rate.ts';
import type { PublishListener, PublishOptions } from './publishes.ts';
import type { UniqueMessage } from './unique-keys.ts';
import {
  UniquePublishes,
  withDeliverAt,
  type UniqueGroups,
  type UniquePublishesHost,
  type UniqueTopic,
} from './unique-publishes.ts';
import type { WaitingRoom } from './waiting-room.ts';

/** The part of a topic that its message intake uses. */
interface IntakeTopic extends AdmittingTopic, UniqueTopic {
  readonly isDeleted: boolean;
  readonly partitions: {
    readonly length: number;
    readonly opened: readonly Partition[];
    at(index: number): Partition | undefined;
  };
  readonly leaving: WayOut & { refusal(partition: Partition): BrokerError | undefined };
  readonly publishRate: PublishRate;
  readonly expiry: Expiry;
  readonly inRate: Rate;
  /** Messages in `[from, to)` were appended, with timestamps between these two: their ages begin. */
  noteArrival(partition: Partition, from: number, to: number, oldestMs: number, youngestMs: number): void;
}

/** The groups of a topic, as far as its message intake tells them of messages. */
interface IntakeGroups extends UniqueGroups {
  /** A message was appended. Returns true if a group wants it. */
  noteAppended(partition: number, record: Record, offset: number): boolean;
}

/** The services that the broker offers to message intakes. */
export interface MessageIntakeHost<T> extends AdmissionHost, UniquePublishesHost {
  readonly clock: Clock;
  readonly steady: SteadyTime;
  /** Why no publish is accepted now; undefined if publishes are accepted. */
  readonly refusal: BrokerError | undefined;
  /** Stores the message among the delayed ones until `dueMs` (wall clock); returns its id. */
  delay<L>(
    partition: Partition,
    record: Record,
    dueMs: number,
    listener: PublishListener<L>,
    token: L,
  ): number;
  /** Why this schedule cannot be defined now; undefined if it can. */
  refusalOfSchedule(options: ScheduleOptions): BrokerError | undefined;
  /** Defines a schedule that lives with a message of the topic, in the open commit. */
  schedule(topic: T, options: ScheduleOptions, carrier: ScheduleCarrier): void;
  /** Adds the dedupe id to the open commit. */
  recordDedupeId(topic: T, partition: number, offset: number, timeMs: number, id: string): void;
}

/** The options of a publish that apply to its message as long as it is in the topic. */
export interface LastingOptions {
  readonly priority?: number | undefined;
  readonly ttlMs?: number | undefined;
}

const noOptions: LastingOptions = {};

/**
 * The message intake decides about the publishes of a topic, message by message, and appends what is
 * accepted. A decision changes nothing. What belongs to a message goes into the commit that has it: dedupe
 * id, expiry, level, unique key, schedule, and the removal of what it replaces.
 */
export class MessageIntake<T extends IntakeTopic> {
  readonly unique: UniquePublishes;
  readonly #topic: T;
  readonly #host: MessageIntakeHost<T>;
  readonly #groups: IntakeGroups;
  readonly #room: WaitingRoom;
  readonly #size: SizeRetention;
  readonly #keyReader = new KeyReader();
  #nextPartition = 0;

  constructor(
    topic: T,
    host: MessageIntakeHost<T>,
    groups: IntakeGroups,
    room: WaitingRoom,
    size: SizeRetention,
  ) {
    this.#topic = topic;
    this.#host = host;
    this.#groups = groups;
    this.#room = room;
    this.#size = size;
    this.unique = new UniquePublishes(topic, host, groups, this);
  }

  /**
   * Decides about a publish and changes nothing. The decision is valid until the topic changes, so
   * {@link append} must follow in the same synchronous run. `turn`: the publish has waited, and it is now its
   * turn on this partition.
   */
  admit(record: Record, options: PublishOptions | undefined, turn?: Partition): Admission {
    const topic = this.#topic;
    const { config } = topic;
    const host = this.#host;
    if (host.refusal) return { kind: 'refused', error: host.refusal };
    if (record.timestampMs === 0) record.timestampMs = host.clock.now();
    if (topic.isDeleted)
      return { kind: 'refused', error: topicError(topic, 'topic-not-found', 'was deleted') };
    const needsKey = config.keyState || config.partitions > 1 || options?.replaces === 'key';
    const key = needsKey ? this.#keyReader.read(record) : '';
    const partition = turn ?? this.#choosePartition(record, options, key);
    if (!partition) {
      const error = topicError(topic, 'not-allowed', `has no partition ${options?.partition}`);
      return { kind: 'refused', error };
    }
    const dedupeId = config.dedupeWindowMs > 0 ? options?.dedupeId : undefined;
    if (dedupeId !== undefined) {
      const original = topic.deduplication.find(dedupeId, host.steady, config.dedupeWindowMs);
      if (original)
        return {
          kind: 'duplicate',
          partition: topic.partitions.at(original.partition)!,
          offset: original.offset,
        };
    }
    const isKnown = turn !== undefined || options === undefined || knowsExpected(partition, options, key);
    const refusal =
      (isKnown ? refusalOfMessage(topic, record, options, partition, key) : undefined) ??
      (options?.unique && this.unique.refusalOf(options.unique, options.deliverAtMs));
    if (refusal) return { kind: 'refused', error: refusal };
    let earlier: UniqueMessage | undefined;
    if (options?.unique !== undefined && isKnown) {
      const verdict = this.unique.keys.verdict(options.unique);
      if (verdict.kind === 'ignored')
        return {
          kind: 'ignored',
          partition: topic.partitions.at(verdict.by.partition)!,
          by: verdict.by,
          dedupeId,
        };
      if (verdict.kind === 'replaces') ({ earlier } = verdict);
      options = withDeliverAt(options, this.unique.deliverAtMs(options.unique, options.deliverAtMs, earlier));
    }
    // A message that replaces others, or the one in its place, needs no room.
    const full =
      options?.replaces === undefined &&
      !(earlier?.state === 'stored' && earlier.partition === partition.index)
        ? (refusalOfRoom(topic, record, partition, key) ?? topic.leaving.refusal(partition))
        : undefined;
    // Under `drop-oldest` there is always room soon.
    const waitsForRoom = config.overflow !== 'reject' && full !== undefined && full.code !== 'key-full';
    if (!turn && (waitsForRoom || !isKnown || this.#room.isAhead(partition)))
      return { kind: 'waits', partition, isKnown, full };
    const exhausted =
      full ??
      refusalOfBudget(topic, host, options, partition, key, earlier) ??
      (options?.schedule && host.refusalOfSchedule(options.schedule));
    if (exhausted) return { kind: 'refused', error: exhausted };
    return { kind: 'accepted', partition, key, options, dedupeId, earlier };
  }

  /** Carries out a decision of {@link admit}, unless it is to wait; tells the listener. */
  append<T>(
    admission: Exclude<Admission, { kind: 'waits' }>,
    record: Record,
    listener: PublishListener<T>,
    token: T,
  ): void {
    const host = this.#host;
    if (admission.kind === 'refused') return listener.refused(token, admission.error);
    const { partition } = admission;
    if (admission.kind === 'duplicate')
      return host.awaitCommit(listener, token, partition, admission.offset, true);
    if (admission.kind === 'ignored') {
      const { by, dedupeId } = admission;
      if (dedupeId !== undefined)
        this.#noteDedupeId(dedupeId, by.partition, by.state === 'delayed' ? delayedOffset : by.offset);
      return this.unique.ignore(admission, listener, token);
    }
    const { options } = admission;
    this.#topic.publishRate.take();
    if (options?.unique !== undefined)
      return this.unique.append(admission, options.unique, record, listener, token);
    const isDelayed = options?.deliverAtMs !== undefined && options.deliverAtMs > host.clock.now();
    this.store(admission, record, isDelayed ? options.deliverAtMs : undefined, listener, token);
  }

  /** Stores an accepted record. Returns its offset; with `dueMs` it is delayed, and its id is returned. */
  store<T>(
    { partition, key, options, dedupeId }: Accepted,
    record: Record,
    dueMs: number | undefined,
    listener: PublishListener<T>,
    token: T,
  ): number {
    const topic = this.#topic;
    const host = this.#host;
    if (dueMs !== undefined) {
      if (dedupeId !== undefined) this.#noteDedupeId(dedupeId, partition.index, delayedOffset);
      const { headers } = record;
      if (options) addDelayedOptions(record, options);
      const id = host.delay(partition, record, dueMs, listener, token);
      record.headers = headers; // it may go to other topics, too
      return id;
    }
    const offset = this.appendAccepted(record, partition, options);
    if (dedupeId !== undefined) this.#noteDedupeId(dedupeId, partition.index, offset);
    if (options?.schedule) host.schedule(topic, options.schedule, { partition: partition.index, offset });
    if (options?.replaces === 'topic') replaceAll(topic.leaving, partition, offset);
    else if (options?.replaces === 'key') replaceKey(topic.leaving, partition, key, offset);
    if (options?.removesKey !== undefined)
      replaceKey(topic.leaving, partition, keyFromText(options.removesKey), offset);
    host.awaitCommit(listener, token, partition, offset, false);
    return offset;
  }

  /**
   * Appends an accepted record, and updates limits and groups. Also used for dead letters and delayed
   * messages.
   */
  appendAccepted(record: Record, partition: Partition, options?: LastingOptions): number {
    const topic = this.#topic;
    if (topic.config.timestamps === 'append') record.timestampMs = this.#host.clock.now();
    const offset = partition.append(record);
    const { priority = 0, ttlMs } = options ?? noOptions;
    if (priority > 0) partition.raise(offset, priority);
    topic.inRate.count++;
    const wanted = this.#groups.noteAppended(partition.index, record, offset);
    if (!wanted && topic.config.retention === 'interest') partition.remove(offset);
    if (ttlMs !== undefined) topic.expiry.add(partition, offset, ttlMs);
    this.#size.appended(partition, record, topic.config);
    topic.noteArrival(partition, offset, offset + 1, record.timestampMs, record.timestampMs);
    return offset;
  }

  #choosePartition(record: Record, options: PublishOptions | undefined, key: string): Partition | undefined {
    const { partitions } = this.#topic;
    if (options?.partition !== undefined) return partitions.at(options.partition);
    const count = partitions.length;
    if (count === 1) return partitions.at(0);
    if (record.keyStart >= 0) return partitions.at(hashOf(key) % count);
    const unique = options?.unique;
    return partitions.at((unique ? hashOf(unique.key) : this.#nextPartition++) % count);
  }

  #noteDedupeId(id: string, partition: number, offset: number): void {
    const topic = this.#topic;
    const { clock, steady } = this.#host;
    const timeMs = clock.now();
    const { dedupeWindowMs, dedupeEntriesMax } = topic.config;
    topic.deduplication.add(id, { partition, offset, timeMs }, steady, dedupeWindowMs, dedupeEntriesMax);
    this.#host.recordDedupeId(topic, partition, offset, timeMs, id);
  }
}

/** FNV-1a over the key's bytes (one char each). */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
