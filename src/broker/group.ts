import type { Record } from '../log/index.ts';
import type { Consumer, ConsumerEnd } from './consumer.ts';
import { Consumers } from './consumers.ts';
import type { BrokerCore } from './core.ts';
import { deadLetter } from './dead-letter.ts';
import { DeliveryPump } from './delivery-pump.ts';
import { BrokerError } from './errors.ts';
import { Filter } from './filter.ts';
import { groupConfig, type GroupConfig, type GroupStart } from './group-config.ts';
import { GroupPartition } from './group-partition.ts';
import { countLag, startPosition } from './group-start.ts';
import { GroupTimers } from './group-timers.ts';
import type { Partition } from './partition.ts';
import { PendingState, type PendingEntry } from './pending.ts';
import { Rate } from './rates.ts';
import { groupStats, type GroupStats } from './stats.ts';
import type { Topic } from './topic.ts';

const waitMsMax = 2 ** 31 - 1;
const deadLetterRetryMs = 1000;

/** Where a group stands. */
export interface GroupInfo {
  /** The next offset to deliver for the first time (first partition). */
  readonly cursor: number;
  /** Deliveries ever made. */
  readonly deliverySequence: number;
  readonly lastDeliveredMs: number | undefined;
  readonly lastAckMs: number | undefined;
  /** Every offset below is done (first partition). */
  readonly ackFloor: number;
  readonly ackFloorSequence: number;
  /** Pending: delivered and not done, waiting for their redelivery included. */
  readonly inFlight: number;
  /** Pending entries delivered more than once. */
  readonly redelivered: number;
  /** Messages still to deliver for the first time. */
  readonly lag: number;
  readonly consumers: number;
  readonly paused: boolean;
  readonly pausedUntilMs: number | undefined;
}

/**
 * A group is a reading position on a topic, shared by its consumers. The ack model, on one page:
 *
 * ```
 *   offsets   … done │ floor … pending and done mixed … │ cursor … not delivered yet … │ end
 *
 *   cursor    next offset to deliver for the first time
 *   pending   offsets below the cursor that are not done (see pending.ts for their states)
 *   floor     lowest pending offset; the cursor when none is pending
 *
 *   deliver   cursor's message, or a ready entry (these go first) → in flight until its deadline
 *   ack       in flight → done                       nack      in flight → waiting → ready
 *   deadline  in flight → waiting → ready            extend    in flight, with a new deadline
 *   reject    in flight → done, dead letter          maxDeliver failures → done, dead letter
 * ```
 * Every change is carried by the next commit ({@link GroupPartition.changes}); after a restart all pending entries are ready.
 * A consumer is served while it has credit; consumers take turns, one message each.
 */
export class Group {
  readonly id: number;
  readonly topic: Topic;
  readonly createdMs: number;
  readonly positions: GroupPartition[] = [];
  readonly deliverRate: Rate = new Rate();
  readonly ackRate: Rate = new Rate();
  /** In the list of groups whose changes the next commit carries. */
  changed = false;
  deliverySequence = 0;
  #config: GroupConfig;
  #filter: Filter | undefined;
  readonly #core: BrokerCore;
  readonly #consumers = new Consumers();
  readonly #pump: DeliveryPump;
  #lastDeliveredMs: number | undefined = undefined;
  #lastAckMs: number | undefined = undefined;
  readonly #timers: GroupTimers;
  #closed = false;
  #started = false;

  constructor(core: BrokerCore, topic: Topic, id: number, config: GroupConfig, createdMs: number) {
    this.#core = core;
    this.topic = topic;
    this.id = id;
    this.#config = config;
    this.createdMs = createdMs;
    this.#filter = filterOf(config);
    this.#timers = new GroupTimers(core.clock);
    this.#pump = new DeliveryPump(this, this.#consumers, core.clock);
    for (const partition of topic.partitions) this.addPartition(partition);
  }

  get name(): string {
    return this.#config.name;
  }

  get config(): GroupConfig {
    return this.#config;
  }

  get isFiltered(): boolean {
    return this.#filter !== undefined;
  }

  get filter(): Filter | undefined {
    return this.#filter;
  }

  get consumers(): number {
    return this.#consumers.count;
  }

  get isPaused(): boolean {
    const { paused, pausedUntilMs } = this.#config;
    return paused && (pausedUntilMs === undefined || pausedUntilMs > this.#core.clock.now());
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Whether its state survives a restart. */
  get isStored(): boolean {
    return this.#config.durable && this.topic.config.durability === 'disk';
  }

  // ---- consumers

  attach(consumer: Consumer): void {
    if (this.#closed) return consumer.ended('group-deleted');
    this.#consumers.add(consumer);
    this.#watchInactivity();
    this.wake();
  }

  detach(consumer: Consumer): void {
    if (this.#consumers.remove(consumer) && this.#consumers.count === 0) this.#watchInactivity();
  }

  /** Somebody has credit again, or there may be something to deliver: deliveries go on soon. */
  wake(): void {
    this.#pump.wake();
  }

  /** Begins again to count the time without a consumer. */
  touch(): void {
    this.#watchInactivity();
  }

  #watchInactivity(): void {
    const isIdle = this.#started && !this.#closed && this.#consumers.count === 0;
    this.#timers.watchInactivity(isIdle ? this.#config.inactiveMs : undefined, () => void this.delete());
  }

  // ---- what the pump needs

  /** Whether anything may be delivered now. */
  get isDelivering(): boolean {
    return this.#started && !this.#closed && !this.isPaused;
  }

  /** The pump made so many deliveries. */
  noteDelivered(deliveries: number, nowMs: number): void {
    this.#lastDeliveredMs = this.#core.clock.now();
    this.deliverRate.count += deliveries;
    this.#noteChange(false);
    this.#armTimer(nowMs);
  }

  /** Messages still to deliver for the first time. */
  get lag(): number {
    if (this.positions.length === 1) return this.positions[0]!.lag;
    let lag = 0;
    for (const position of this.positions) lag += position.lag;
    return lag;
  }

  /** How long the n-th delivery of a message may take. */
  deadlineMs(deliveries: number): number {
    const { backoffMs, backoffReplacesDeadline, ackWaitMs } = this.#config;
    if (!backoffReplacesDeadline || backoffMs.length === 0) return ackWaitMs;
    return backoffMs[Math.min(deliveries, backoffMs.length) - 1]!;
  }

  // ---- answers

  /** The message is done. False when it was not pending. */
  ack(partition: number, offset: number): boolean {
    const position = this.positions[partition];
    const entry = position?.pending.get(offset);
    if (!position || !entry || !isAnswerable(entry)) return false;
    this.#acked(position, entry);
    return true;
  }

  /** The message and all that were delivered before it are done. */
  ackAll(partition: number, offset: number): boolean {
    const position = this.positions[partition];
    if (!position?.pending.has(offset)) return false;
    for (const entry of position.pending.values()) {
      if (entry.offset > offset) break;
      if (isAnswerable(entry)) this.#acked(position, entry);
    }
    return true;
  }

  #acked(position: GroupPartition, entry: PendingEntry): void {
    this.#lastAckMs = this.#core.clock.now();
    this.ackRate.count++;
    this.settle(position, entry);
    this.#noteChange(true);
  }

  /** The delivery failed: again after `delayMs`, by default the group's backoff (at once where the backoff replaces deadlines). */
  nack(partition: number, offset: number, delayMs?: number): boolean {
    const position = this.positions[partition];
    const entry = position?.pending.get(offset);
    if (!position || entry?.state !== PendingState.inFlight) return false;
    this.#core.emit({ kind: 'nacked', ...this.#describeEntry(position, entry) });
    const delay = delayMs ?? (this.#config.backoffReplacesDeadline ? 0 : this.#backoffMs(entry.deliveries));
    this.#failed(position, entry, delay);
    return true;
  }

  /** The consumer needs longer: the whole wait begins again now. */
  extend(partition: number, offset: number): boolean {
    const position = this.positions[partition];
    const entry = position?.pending.get(offset);
    if (!position || entry?.state !== PendingState.inFlight) return false;
    position.pending.extend(entry, this.#core.clock.monotonic(), this.deadlineMs(entry.deliveries));
    return true;
  }

  /** Never again: the message goes to the dead-letter topic, or is passed over where there is none. */
  reject(partition: number, offset: number, reason: string): boolean {
    const position = this.positions[partition];
    const entry = position?.pending.get(offset);
    if (!position || !entry || !isAnswerable(entry)) return false;
    this.#core.emit({ kind: 'rejected', reason, ...this.#describeEntry(position, entry) });
    if (this.#config.deadLetter === undefined) {
      this.settle(position, entry); // nobody wants it: as good as acked
      this.#noteChange(true);
    } else this.#giveUp(position, entry, reason === '' ? 'rejected' : `rejected: ${reason}`);
    return true;
  }

  #backoffMs(deliveries: number): number {
    const { backoffMs, backoffJitter } = this.#config;
    if (backoffMs.length === 0) return 0;
    const delayMs = backoffMs[Math.min(deliveries, backoffMs.length) - 1]!;
    return delayMs * (1 - backoffJitter * this.#core.random.next());
  }

  #failed(position: GroupPartition, entry: PendingEntry, delayMs: number): void {
    const { maxDeliver } = this.#config;
    if (maxDeliver !== undefined && entry.deliveries >= maxDeliver) {
      this.#core.emit({ kind: 'max-deliveries', ...this.#describeEntry(position, entry) });
      this.#giveUp(position, entry, 'max-deliveries');
      return;
    }
    if (delayMs > 0) {
      const nowMs = this.#core.clock.monotonic();
      position.pending.wait(entry, nowMs + Math.min(delayMs, waitMsMax));
      this.#armTimer(nowMs);
    } else {
      position.pending.makeReady(entry);
      this.wake();
    }
  }

  /** Ends a message that will not be delivered again: dead letter and ack of the origin in one commit. */
  #giveUp(position: GroupPartition, entry: PendingEntry, cause: string): void {
    if (this.#config.deadLetter === undefined) {
      // It stays where it is, whatever the retention: nobody has answered for it.
      this.#finish(position, entry);
      this.#noteChange(true);
      return;
    }
    position.pending.leaveForGood(entry);
    const moved = (): void => {
      this.settle(position, entry);
      this.#noteChange(true);
    };
    deadLetter(this.#core, this, position, entry, { topic: this.#config.deadLetter, cause, moved }).catch(
      () => {
        // It could not be read now: it stays pending, and another try follows.
        this.#core.clock.setTimer(deadLetterRetryMs, () => {
          if (!this.#closed && position.pending.has(entry.offset)) this.#giveUp(position, entry, cause);
        });
      },
    );
  }

  /** Done: not pending any more, and the topic may let the message go. */
  settle(position: GroupPartition, entry: PendingEntry): void {
    this.#finish(position, entry);
    this.topic.settled(position.partition, entry.offset, entry.key, this);
  }

  #finish(position: GroupPartition, entry: PendingEntry): void {
    position.pending.remove(entry);
    if (this.isStored) position.changes.done.add(entry.offset);
    position.releaseKey(entry);
    this.wake();
  }

  #describeEntry(
    position: GroupPartition,
    entry: PendingEntry,
  ): {
    group: Group;
    partition: number;
    offset: number;
    deliveries: number;
    sequence: number;
  } {
    const { offset, deliveries, sequence } = entry;
    return { group: this, partition: position.partition.index, offset, deliveries, sequence };
  }

  // ---- time

  #armTimer(nowMs: number): void {
    let dueMs = Infinity;
    for (const position of this.positions) dueMs = Math.min(dueMs, position.pending.nextDueMs());
    this.#timers.armDeadline(dueMs, nowMs, this.#onDue);
  }

  readonly #onDue = (): void => {
    const nowMs = this.#core.clock.monotonic();
    for (const position of this.positions) {
      position.pending.expire(nowMs, (entry) => {
        this.#failed(
          position,
          entry,
          this.#config.backoffReplacesDeadline ? 0 : this.#backoffMs(entry.deliveries),
        );
      });
    }
    this.#armTimer(nowMs);
    this.wake();
  };

  // ---- what topic and log tell it

  /** A message was appended: true when this (filtered) group wants it. */
  noteAppended(partition: number, record: Record): boolean {
    if (!this.#filter!.matchesRecord(record)) return false;
    this.positions[partition]!.filteredLag++;
    return true;
  }

  noteRemoved(partition: number, key: string, offset: number): void {
    const position = this.positions[partition]!;
    if (offset >= position.cursor && this.#filter!.matches(key)) position.filteredLag--;
  }

  noteDurable(): void {
    this.wake();
  }

  isDone(partition: number, offset: number): boolean {
    return this.positions[partition]!.isDone(offset);
  }

  // ---- position

  addPartition(partition: Partition): void {
    this.positions.push(
      new GroupPartition(partition, this.#filter, this.#config.ordering === 'key', () => this.wake()),
    );
  }

  /** Takes the start position. Messages published meanwhile count as new. */
  async start(): Promise<void> {
    for (const position of this.positions) await startPosition(position, this.#filter, this.#config.start);
    this.resumeTimers();
  }

  /**
   * After recovery: what was pending goes out again. What had its last delivery may still be answered until its deadline, so that it
   * is never delivered more than maxDeliver times.
   */
  recovered(): void {
    const { maxDeliver = Infinity } = this.#config;
    const nowMs = this.#core.clock.monotonic();
    for (const { pending } of this.positions) {
      for (const entry of pending.values()) {
        if (entry.deliveries >= maxDeliver) pending.resume(entry, nowMs, this.deadlineMs(entry.deliveries));
        else pending.makeReady(entry);
      }
    }
  }

  /** After `start`, or after recovery: deliveries and timers begin. */
  resumeTimers(): void {
    this.#started = true;
    this.#armTimer(this.#core.clock.monotonic());
    this.#watchInactivity();
    this.#watchPause();
    this.wake();
  }

  /** Starts over from another position; what was pending is forgotten. */
  async reset(start: GroupStart): Promise<void> {
    this.#checkOpen();
    this.#started = false;
    for (const position of this.positions) await startPosition(position, this.#filter, start);
    this.#core.defineGroup(this);
    this.resumeTimers();
    await this.#committed();
  }

  /** Kafka-style position of members that own partitions: moves only when told. */
  commitOffset(partition: number, offset: number, metadata = ''): void {
    const position = this.positions[partition];
    if (!position)
      throw new BrokerError('offset-not-found', `Topic "${this.topic.name}" has no partition ${partition}.`);
    position.committed = { offset, metadata };
    position.committedChanged = true;
    this.#noteChange(true);
  }

  committed(partition: number): { readonly offset: number; readonly metadata: string } | undefined {
    return this.positions[partition]?.committed;
  }

  #noteChange(soon: boolean): void {
    if (this.isStored) this.#core.groupChanged(this, soon);
    else for (const position of this.positions) position.changes.clear();
  }

  // ---- life

  info(): GroupInfo {
    const first = this.positions[0]!;
    let inFlight = 0;
    let redelivered = 0;
    for (const { pending, held } of this.positions) {
      inFlight += pending.size - held;
      redelivered += pending.redelivered;
    }
    const lowest = first.pending.first();
    return {
      cursor: first.cursor,
      deliverySequence: this.deliverySequence,
      lastDeliveredMs: this.#lastDeliveredMs,
      lastAckMs: this.#lastAckMs,
      ackFloor: first.ackFloor,
      ackFloorSequence: lowest
        ? Math.max(0, (lowest.sequence || this.deliverySequence - inFlight + 1) - 1)
        : this.deliverySequence,
      inFlight,
      redelivered,
      lag: this.lag,
      consumers: this.#consumers.count,
      paused: this.isPaused,
      pausedUntilMs: this.isPaused ? this.#config.pausedUntilMs : undefined,
    };
  }

  /** Age of the oldest message that is not done, in milliseconds; undefined when there is none. */
  async oldestAgeMs(): Promise<number | undefined> {
    let oldestMs: number | undefined;
    for (const { partition, ackFloor } of this.positions) {
      const message = await partition.next(undefined, ackFloor);
      if (message) oldestMs = Math.min(oldestMs ?? Infinity, message.timestampMs);
    }
    return oldestMs === undefined ? undefined : Math.max(0, this.#core.clock.now() - oldestMs);
  }

  stats(): GroupStats {
    return groupStats(this, this.#core.clock.monotonic());
  }

  /** Changes the configuration; resolves once that is durable. The name and the start stay. */
  async update(options: GroupConfig): Promise<void> {
    this.#checkOpen();
    const { ordering, ack, durable } = this.#config;
    if (
      (options.ordering ?? ordering) !== ordering ||
      (options.ack ?? ack) !== ack ||
      (options.durable ?? durable) !== durable
    ) {
      const problem = `Group "${this.name}" keeps its ordering, ack policy and durability for life.`;
      throw new BrokerError('group-config-invalid', problem, { group: this.name });
    }
    const filterBefore = this.#filter;
    this.applyConfig({ ...groupConfig(options), name: this.name });
    this.#core.redefineGroup(this);
    if (this.#filter && this.#filter !== filterBefore) await this.#recountLag();
    this.#core.emit({ kind: 'group-updated', group: this });
    await this.#committed();
  }

  applyConfig(config: GroupConfig): void {
    const filtersChanged = config.filters.join(' ') !== this.#config.filters.join(' ');
    this.#config = config;
    if (filtersChanged) {
      this.#filter = filterOf(config);
      for (const position of this.positions) {
        position.setFilter(this.#filter);
        position.filteredLag = this.#filter ? position.partition.liveFrom(position.cursor) : 0;
      }
      this.topic.groupsChanged();
    }
    this.#watchPause();
    this.#watchInactivity();
    this.wake();
  }

  async #recountLag(): Promise<void> {
    for (const position of this.positions) await countLag(position, this.#filter!);
    for (const position of this.positions) position.cursorMoved = true; // the next commit carries the count
    this.#noteChange(true);
  }

  /** Holds deliveries back, until a time (milliseconds since the epoch) or until resumed; answers go on. */
  async pause(untilMs?: number): Promise<void> {
    this.#checkOpen();
    const { pausedUntilMs: _, ...config } = this.#config;
    this.#config = { ...config, paused: true, ...(untilMs === undefined ? {} : { pausedUntilMs: untilMs }) };
    this.#watchPause();
    this.#core.redefineGroup(this);
    this.#core.emit({ kind: 'group-paused', group: this });
    await this.#committed();
  }

  async resume(): Promise<void> {
    this.#checkOpen();
    const { pausedUntilMs: _, ...config } = this.#config;
    this.#config = { ...config, paused: false };
    this.#watchPause();
    this.#core.redefineGroup(this);
    this.#core.emit({ kind: 'group-resumed', group: this });
    this.wake();
    await this.#committed();
  }

  #watchPause(): void {
    const { paused, pausedUntilMs } = this.#config;
    const ends = paused && pausedUntilMs !== undefined && this.#started && !this.#closed;
    const delayMs = ends ? Math.max(0, pausedUntilMs - this.#core.clock.now()) : undefined;
    this.#timers.watchPause(delayMs, () => void this.#pauseEnded());
  }

  async #pauseEnded(): Promise<void> {
    if (this.isPaused) this.#watchPause();
    else await this.resume();
  }

  /** Deletes the group; resolves once that is durable. */
  async delete(): Promise<void> {
    if (this.#closed) return;
    this.close('group-deleted');
    this.topic.removeGroup(this);
    this.#core.undefineGroup(this);
    this.#core.emit({ kind: 'group-deleted', group: this });
    await this.#committed();
  }

  close(reason: ConsumerEnd): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timers.stop();
    for (const consumer of this.#consumers.removeAll()) consumer.ended(reason);
  }

  #checkOpen(): void {
    if (!this.#closed) return;
    throw new BrokerError(
      'group-not-found',
      `Group "${this.name}" of topic "${this.topic.name}" was deleted.`,
      {
        topic: this.topic.name,
        group: this.name,
      },
    );
  }

  #committed(): Promise<void> {
    return new Promise((resolve) => this.#core.afterCommit(resolve));
  }
}

/** It was delivered, and nobody has decided about it. */
function isAnswerable(entry: PendingEntry): boolean {
  return entry.deliveries > 0 && entry.state !== PendingState.leaving;
}

function filterOf(config: GroupConfig): Filter | undefined {
  return config.filters.length === 0 || config.filters.includes('>') ? undefined : new Filter(config.filters);
}
