import type { Log, Outcome, Record } from '../../log/index.ts';
import { AckRetention } from '../retention/ack-retention.ts';
import { refusalOfMessage, refusalOfRoom, refusalOfValue, type Admission } from './admission.ts';
import { Arrivals } from './arrivals.ts';
import { AgeRetention } from '../retention/age-retention.ts';
import { BatchIntake, type BatchIntakeHost } from './batch-intake.ts';
import { Deduplication } from './deduplication.ts';
import { takeDelayedOptions } from './delayed-options.ts';
import { Expiry, type ExpiringTopic, type ExpiryHost } from './expiry.ts';
import type { Unswept } from '../entries.ts';
import { topicError, type BrokerError } from '../errors.ts';
import { keyText, type Filter } from '../partitions/filter.ts';
import type { Group } from '../groups/group.ts';
import type { GroupTopic } from '../groups/group-state.ts';
import type { GroupConfig, GroupOptions } from '../groups/group-config.ts';
import type { Message } from '../model.ts';
import { MessageIntake, type LastingOptions, type MessageIntakeHost } from './message-intake.ts';
import { recordOf } from '../partitions/message.ts';
import { Leaving, type LeavingHost } from '../dead-letters/leaving.ts';
import {
  Partition,
  type PartitionHost,
  type PartitionOwner,
  type PurgeOptions,
} from '../partitions/partition.ts';
import { PublishRate } from './publish-rate.ts';
import { purge } from '../retention/purge.ts';
import { PartitionList } from '../partitions/partition-list.ts';
import type { BatchTransaction, Published, PublishListener, PublishOptions } from './publishes.ts';
import { Rate } from '../partitions/rates.ts';
import { SizeRetention } from '../retention/size-retention.ts';
import type { UniqueKeys } from './unique-keys.ts';
import { TopicGroups, type TopicGroupsHost } from './topic-groups.ts';
import { updatedConfig } from './topic-update.ts';
import { TopicUpdates } from './topic-updates.ts';
import { WaitingPublishes } from './waiting-publishes.ts';
import { WaitingRoom } from './waiting-room.ts';
import { topicStats, type TopicStats } from '../stats.ts';
import type { TopicConfig } from './topic-config.ts';

/** The services that the broker offers to topics and their parts. */
export interface TopicHost
  extends PartitionHost, TopicGroupsHost, LeavingHost, BatchIntakeHost, MessageIntakeHost<Topic>, ExpiryHost {
  readonly log: Log;
  topic(name: string): Topic | undefined;
  /**
   * Removes delayed messages of the partition: all, or those whose keys pass the filter, in one commit.
   * Returns or resolves to their number.
   */
  undelay(partition: Partition, filter?: Filter): number | Promise<number>;
  /** A partition is used for the first time. */
  partitionOpened(partition: TopicPartition): void;
  /** Throws `subjects-overlap` if another topic captures subjects that these patterns capture. */
  checkSubjects(config: TopicConfig): void;
  redefineTopic(topic: Topic): void;
  undefineTopic(topic: Topic): void;
}

/** A partition, and a group, of a topic. */
export type TopicPartition = Partition<Topic>;
export type TopicGroup = Group<Topic>;

/**
 * A topic is a named log of messages in one or more partitions, with the groups that read it.
 *
 * It decides whether a publish is accepted (limits, expectations, dedupe), and when a message is removed
 * (limits, age, acks of all groups).
 */
export class Topic implements PartitionOwner, GroupTopic, ExpiringTopic {
  readonly id: number;
  readonly createdMs: number;
  readonly partitions: PartitionList<TopicPartition> = new PartitionList((index, id) =>
    this.#openPartition(index, id),
  );
  readonly deduplication: Deduplication;
  readonly uniqueKeys: UniqueKeys;
  readonly inRate: Rate = new Rate();
  readonly removedRate: Rate = new Rate();
  /** Handles messages that leave without a group's answer: limits, age, removal on request. */
  readonly leaving: Leaving;
  /** Limits the publishes of clients. */
  readonly publishRate: PublishRate;
  /** Removes messages that all groups are done with. */
  readonly settlements: AckRetention;
  /** Removes messages whose time to live is over. */
  readonly expiry: Expiry;
  /** Is told of removed messages `[from, to)`, while schedules live with messages of the topic. */
  carriersGone: ((partition: number, from: number, to: number) => void) | undefined = undefined;
  /** Times of arrival of messages whose timestamps say something else. */
  readonly arrivals: Arrivals;
  /** Whether they are to be known, because ages count from them. */
  #notesArrivals = false;
  #config: TopicConfig;
  #deleted = false;
  readonly #core: TopicHost;
  readonly #groups: TopicGroups<Topic>;
  readonly #room: WaitingRoom;
  readonly #waiting: WaitingPublishes;
  readonly #age: AgeRetention;
  readonly #size: SizeRetention;
  readonly #updates: TopicUpdates;
  readonly #intake: MessageIntake<Topic>;
  readonly #batches: BatchIntake;
  /**
   * Whether publishes without options need no check of limits and groups. This is the common case, decided
   * once per change of configuration.
   */
  #plain = false;

  constructor(
    core: TopicHost,
    id: number,
    config: TopicConfig,
    createdMs: number,
    logIds: readonly number[],
  ) {
    this.#core = core;
    this.id = id;
    this.#config = config;
    this.createdMs = createdMs;
    this.deduplication = new Deduplication(core.budgets.meter('dedupeIds'));
    this.#groups = new TopicGroups<Topic>(this, core, () => this.#configured());
    this.leaving = new Leaving(this, core);
    this.#room = new WaitingRoom(core.budgets.meter('waitingPublishes'));
    this.publishRate = new PublishRate(this, core.clock);
    this.#size = new SizeRetention(this.leaving);
    this.#intake = new MessageIntake<Topic>(this, core, this.#groups, this.#room, this.#size);
    this.uniqueKeys = this.#intake.unique.keys;
    this.#waiting = new WaitingPublishes(this, this.#intake, core, this.#room);
    this.arrivals = new Arrivals(core);
    this.expiry = new Expiry(this, core, core.budgets.meter('expiring'));
    this.#age = new AgeRetention(this, core.clock, core.steady, core.pacing);
    this.#updates = new TopicUpdates(this, core, this.#size, this.#age);
    this.settlements = new AckRetention(this, core);
    this.#batches = new BatchIntake(this, core, this.#size);
    this.partitions.add(logIds);
    this.#configured();
    if (!core.recovering) void this.expiry.start();
  }

  get groups(): Map<string, TopicGroup> {
    return this.#groups.byName;
  }

  get name(): string {
    return this.#config.name;
  }

  get config(): TopicConfig {
    return this.#config;
  }

  get isDeleted(): boolean {
    return this.#deleted;
  }

  /** Number of live messages of all partitions. */
  get count(): number {
    let count = 0;
    for (const partition of this.partitions.opened) count += partition.count;
    return count;
  }

  /** Number of live messages of all partitions that are on disk. This is the number shown to clients. */
  get durableCount(): number {
    let count = 0;
    for (const partition of this.partitions.opened) count += partition.durableCount;
    return count;
  }

  /** Estimated bytes of the live messages that are on disk. */
  get durableBytes(): number {
    let bytes = 0;
    for (const partition of this.partitions.opened) bytes += partition.durableBytes;
    return bytes;
  }

  /** Estimated bytes of the live messages. */
  get bytes(): number {
    let bytes = 0;
    for (const partition of this.partitions.opened) bytes += partition.bytes;
    return bytes;
  }

  // ---- publish

  /**
   * Publishes a record; it is copied before the call returns. Calls `published` of the listener once the
   * message is on disk, or `refused`, possibly before the call returns.
   */
  publish<T>(
    record: Record,
    options: PublishOptions | undefined,
    listener: PublishListener<T>,
    token: T,
  ): void {
    const core = this.#core;
    const refusal = core.refusal ?? refusalOfValue(this, record);
    if (refusal) return listener.refused(token, refusal);
    if (record.timestampMs === 0) record.timestampMs = core.clock.now();
    if (this.#plain && options === undefined && this.#room.size === 0 && !this.#lacksRoomForKeys) {
      const partition = this.partitions.at(0)!;
      core.awaitCommit(listener, token, partition, partition.append(record), false);
      this.inRate.count++;
      return;
    }
    this.#waiting.publish(record, options, listener, token);
  }

  /**
   * Publishes a RecordBatch v2 as its producer built it. The topic sets the base offset, and takes over the
   * bytes. Calls `published` of the listener with the offset of the first record once all of the batch is on
   * disk, or `refused`, possibly before the call returns. The error is a BrokerError, or a LogError if the
   * bytes are no valid batch. The batch is stored whole or not at all. A batch of a transaction must name it.
   */
  publishBatch<T>(
    partition: number,
    batch: Uint8Array,
    listener: PublishListener<T>,
    token: T,
    transaction?: BatchTransaction,
  ): void {
    this.#batches.publish(partition, batch, this.#groups.filtered, listener, token, transaction);
  }

  /** Publishes a message and resolves once it is on disk. Rejects with a BrokerError. */
  send(message: Message, options?: PublishOptions): Promise<Published> {
    return new Promise((resolve, reject) => {
      const listener: PublishListener<undefined> = {
        published: (_, partition, offset, duplicate) => resolve({ partition, offset, duplicate }),
        unique: (_, published) => resolve(published),
        delayed: (_, partition, delayedId) => resolve({ partition, offset: -1, duplicate: false, delayedId }),
        refused: (_, error) => reject(error),
      };
      this.publish(recordOf(message), options, listener, undefined);
    });
  }

  /** See {@link MessageIntake.admit}. */
  admit(record: Record, options: PublishOptions | undefined, turn?: Partition): Admission {
    return this.#intake.admit(record, options, turn);
  }

  /** See {@link MessageIntake.append}. */
  append<T>(
    admission: Exclude<Admission, { kind: 'waits' }>,
    record: Record,
    listener: PublishListener<T>,
    token: T,
  ): void {
    this.#intake.append(admission, record, listener, token);
  }

  /** See {@link MessageIntake.appendAccepted}. */
  appendAccepted(record: Record, partition: Partition, options?: LastingOptions): number {
    return this.#intake.appendAccepted(record, partition, options);
  }

  /** Appends the delayed message of this id, which is due. */
  takeDue(record: Record, partition: Partition, id: number): void {
    const offset = this.appendAccepted(record, partition, takeDelayedOptions(record));
    this.uniqueKeys.becameDue(id, partition.index, offset);
  }

  /** Messages in `[from, to)` were appended, with timestamps between these two: their ages begin. */
  noteArrival(partition: Partition, from: number, to: number, oldestMs: number, youngestMs: number): void {
    if (this.#notesArrivals) this.arrivals.appended(partition, from, to, oldestMs, youngestMs);
    this.#age.appended(partition, from, oldestMs);
  }

  // ---- dead letters

  /**
   * Why the topic's limits refuse a dead letter; undefined if they do not. A full disk is no reason, because
   * the message that was given up already uses its space.
   */
  refusalOfLetter(record: Record): BrokerError | undefined {
    const partition = this.partitions.at(0)!;
    const key = keyText(record);
    return (
      refusalOfMessage(this, record, undefined, partition, key) ?? refusalOfRoom(this, record, partition, key)
    );
  }

  /** The level of this topic for a message that had a priority in another one. */
  priorityLike(priority: number): number {
    return Math.min(priority, (this.#config.priorities ?? 1) - 1);
  }

  /** Appends a dead letter that was not refused. */
  takeLetter(record: Record, priority: number): void {
    this.appendAccepted(record, this.partitions.at(0)!, { priority: this.priorityLike(priority) });
  }

  // ---- removal on request

  /** See {@link Partition.delete}. */
  async deleteMessage(partition: Partition, offset: number): Promise<boolean> {
    const { leaving } = this;
    if (leaving.becomesLetter('removed')) {
      if ((await leaving.remove(partition, [offset], 'deleted')) === 0) return false;
    } else if (!partition.remove(offset)) return false;
    else leaving.counts.removed++;
    await this.#committed();
    return true;
  }

  /** See {@link Partition.purge}. */
  purge(partition: Partition, options: PurgeOptions): Promise<number> {
    return purge(partition, options, {
      leaving: this.leaving,
      committed: () => this.#committed(),
      undelay: (filter) => this.#core.undelay(partition, filter),
    });
  }

  /** See {@link UniquePublishes.forgetFree}. */
  forgetFreeKeys(): void {
    this.#intake.unique.forgetFree();
  }

  // ---- calls of groups and partitions

  /**
   * The journal contains that a group was done with `[from, to)`. It may end before the removal that
   * followed.
   */
  replayedDone(partition: Partition, from: number, to: number): void {
    this.settlements.replayed(partition, from, to);
  }

  get unswept(): Unswept | undefined {
    return this.settlements.unswept;
  }

  restoreUnswept(unswept: Unswept): void {
    this.settlements.restore(unswept);
  }

  /** Room was made other than by acks, or a read that a publish waited for has ended. */
  noteRoom(): void {
    this.#waiting.noteRoom();
  }

  /** A message with this key was removed. */
  noteRemoved(partition: number, key: string, offset: number): void {
    this.#groups.noteRemoved(partition, key, offset);
  }

  /** Messages in `[from, to)` were removed, for any reason: groups no longer wait for answers to them. */
  noteGone(partition: Partition, from: number, to: number): void {
    if (this.expiry.isUsed) this.expiry.noteGone(partition, from, to);
    this.#groups.noteGone(partition, from, to);
    this.carriersGone?.(partition.index, from, to);
  }

  arrivedMs(partition: Partition, offset: number, timestampMs: number): number {
    if (this.#config.ageFrom === 'timestamp') return this.#core.steady.of(timestampMs);
    return this.arrivals.of(partition, offset, timestampMs);
  }

  leaveMarker(partition: Partition, key: Uint8Array): void {
    const { expiryMarker } = this.#config;
    if (!expiryMarker) return;
    const headers = expiryMarker.headers.map(([name, value]) => ({ name, value: Buffer.from(value) }));
    const record = recordOf({ key, headers, value: '', timestampMs: this.#core.clock.now() });
    this.appendAccepted(record, partition, { ttlMs: expiryMarker.ttlMs });
  }

  isHeld(partition: Partition, offset: number): boolean {
    return this.#groups.holds(partition, offset);
  }

  notePassed(partition: Partition, offset: number): void {
    this.#groups.notePassed(partition, offset);
  }

  wakeGroups(): void {
    this.#groups.noteDurable();
  }

  /** A transaction was decided. `runs` are its messages here, as flat pairs of from and to. */
  decided(partition: Partition, outcome: Outcome, runs: readonly number[]): void {
    const { compaction, messagesPerKeyMax } = this.#config;
    this.settlements.decided();
    if (outcome === 'abort') this.noteRoom();
    else if (compaction || messagesPerKeyMax !== undefined)
      this.#batches.limitKeys(partition, runs).catch(() => undefined); // the log reports its own errors
    this.#updates.decided(partition);
  }

  /** New messages of this partition are durable. */
  noteDurable(partition: Partition): void {
    if (partition.accounting.size > 0) partition.accounting.runSoon();
    this.#groups.noteDurable();
    partition.tellWatchers();
  }

  // ---- groups and life

  /** Creates a group, at its start position; resolves once that is durable. */
  createGroup(options: GroupOptions): Promise<TopicGroup> {
    return this.#groups.create(options);
  }

  /** See {@link TopicGroups.defineFirst}. */
  defineFirstGroup(config: GroupConfig): TopicGroup {
    return this.#groups.defineFirst(config);
  }

  /** Adds a group: a new one, or one from the journal. */
  addGroup(group: TopicGroup): void {
    this.#groups.add(group);
  }

  /** Takes a group out. Messages that only this group retained are removed. */
  removeGroup(group: TopicGroup): void {
    this.#groups.remove(group);
    if (this.#deleted) return;
    this.settlements.sweep();
    this.expiry.releasedAll();
  }

  /** Whether the topic keeps state by key, and the broker's budget for keys is used up. */
  get #lacksRoomForKeys(): boolean {
    return this.#config.keyState && this.#core.budgets.isFull('keys');
  }

  /** Forgets dedupe ids and producers whose time is over. */
  forgetExpired(): void {
    const { steady } = this.#core;
    const { dedupeWindowMs, dedupeEntriesMax } = this.#config;
    this.deduplication.forget(steady.now(), dedupeWindowMs, dedupeEntriesMax);
    this.forgetFreeKeys();
    for (const { producers } of this.partitions.opened) producers.forget(steady);
  }

  /** Called when the topic is deleted: releases its budgets. */
  release(): void {
    this.deduplication.close();
    this.expiry.close();
    this.uniqueKeys.close();
    for (const partition of this.partitions.opened) partition.close();
  }

  /** Groups changed their filters, or the topic changed its configuration. */
  groupsChanged(): void {
    this.#configured();
  }

  #configured(): void {
    const { config } = this;
    this.#groups.configured();
    this.leaving.configured();
    this.publishRate.configured();
    this.settlements.needKeys = config.retention !== 'limits' && this.#groups.filtered.length > 0;
    this.#notesArrivals =
      config.ageFrom === undefined && (config.ageMsMax !== undefined || this.#groups.someLimitAge);
    this.#plain =
      !this.#notesArrivals &&
      !this.#deleted &&
      config.partitions === 1 &&
      !config.sealed &&
      !config.compaction &&
      config.retention !== 'interest' &&
      config.timestamps === undefined &&
      config.publishRate === undefined &&
      this.#groups.filtered.length === 0 &&
      config.messagesMax === undefined &&
      config.bytesMax === undefined &&
      config.ageMsMax === undefined &&
      config.messagesPerKeyMax === undefined &&
      config.messageBytesMax === undefined;
  }

  /**
   * Changes the configuration; resolves once that is durable. Name and durability cannot change. Partitions
   * may only grow. keyState may be switched on; all messages are then read once before anything changes.
   */
  update(options: TopicConfig): Promise<void> {
    return this.#updates.update(options);
  }

  /**
   * The configuration that {@link update} would set for these options. Throws the error that it would reject
   * with; changes nothing.
   */
  checkUpdate(options: TopicConfig): TopicConfig {
    return updatedConfig(this, options, this.#core);
  }

  /** Changes the configuration, in the open commit. */
  redefine(config: TopicConfig): void {
    this.applyConfig(config);
    this.#core.redefineTopic(this);
    this.#core.emit({ kind: 'topic-updated', topic: this });
  }

  applyConfig(config: TopicConfig): void {
    this.#config = config;
    this.#configured();
  }

  /** Opens a partition when it is first used, or when the data directory has content of it. */
  #openPartition(index: number, id: number): TopicPartition {
    const log = this.#core.log.openPartition(id, { volatile: this.#config.durability === 'memory' });
    const partition = new Partition<Topic>(this, index, log, this.#core);
    this.#core.partitionOpened(partition);
    for (const group of this.groups.values()) group.addPartition(partition);
    return partition;
  }

  /**
   * Removes messages that are older than the age limit or past their time to live, before the broker is
   * ready. Removals that clients had seen may be lost in a crash, and the time without a broker counts, too.
   */
  async removeAged(): Promise<void> {
    await Promise.all([
      this.expiry.start(),
      ...this.partitions.opened.map((partition) => this.#age.check(partition)),
    ]);
  }

  /** Starts timers, after recovery. */
  resume(): void {
    for (const partition of this.partitions.opened) {
      this.#updates.checkKeys(partition); // a crash may have come between a message and the removal it causes
      if (this.leaving.becomesLetter('overflow')) this.#size.appendedAny(partition, this.#config); // as above
    }
    for (const group of this.groups.values()) group.resumeTimers();
    this.settlements.resume();
    this.forgetFreeKeys();
  }

  /** Deletes the topic with all its messages and groups; resolves once that is durable. */
  async delete(): Promise<void> {
    if (this.#deleted) return;
    this.close('topic-deleted');
    this.#configured();
    for (const partition of this.partitions.opened) partition.tellWatchers();
    this.#core.undefineTopic(this);
    this.#core.emit({ kind: 'topic-deleted', topic: this });
    await this.#committed();
  }

  /** Stops timers, ends consumers and refuses waiting publishes. */
  close(reason: 'topic-deleted' | 'closed'): void {
    this.#deleted ||= reason === 'topic-deleted';
    this.#age.stop();
    this.expiry.stop();
    this.leaving.stop();
    this.#waiting.stop();
    for (const group of this.groups.values()) group.close(reason);
    for (const { listener, token } of this.#room.drain())
      listener.refused(
        token,
        topicError(this, reason === 'closed' ? 'closed' : 'topic-not-found', 'is gone'),
      );
  }

  /** Resolves when all changes so far are durable. */
  #committed(): Promise<void> {
    return new Promise((resolve) => this.#core.afterCommit(resolve));
  }

  stats(): TopicStats {
    return topicStats(this, this.#core.clock.monotonic());
  }
}
