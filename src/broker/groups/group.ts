import type { Record } from '../../log/index.ts';
import { Answers } from './answers.ts';
import type * as model from '../model.ts';
import type {
  ActiveInfo,
  AttachOptions,
  Consumer,
  ConsumerEnd,
  ConsumerInfo,
  DetachOptions,
  PostponeScope,
} from '../model.ts';
import type { Consumers } from './consumers.ts';
import { DeliveryPump } from './delivery-pump.ts';
import type { Committed, StoredHold } from '../entries.ts';
import { BrokerError } from '../errors.ts';
import { Filter } from '../partitions/filter.ts';
import { groupConfig, type GroupConfig, type GroupStart } from './group-config.ts';
import {
  countDeliverable,
  groupInfo,
  positionInfo,
  type GroupInfo,
  type PositionInfo,
} from './group-info.ts';
import { GroupHolds } from './group-holds.ts';
import { GroupPause } from './group-pause.ts';
import { GroupPartition } from './group-partition.ts';
import { GroupMoves } from './group-moves.ts';
import type { MessageLoaderHost } from './message-loader.ts';
import { keyLimits } from './key-limits.ts';
import { GroupState, type GroupHost, type GroupTopic } from './group-state.ts';
import { GroupTimers } from './group-timers.ts';
import { oldestTimestampMs } from './oldest-wait.ts';
import type { Partition } from '../partitions/partition.ts';
import { PendingState, type PendingEntry } from './pending.ts';
import type { Positions } from './positions.ts';
import { Precedence } from './precedence.ts';
import { Ranking } from './ranking.ts';
import type { Rate } from '../partitions/rates.ts';
import { Receipt } from './receipt.ts';
import { groupStats, type GroupStats } from '../stats.ts';

/** A message below the group's cursor that is not done. */
export interface Unanswered {
  readonly offset: number;
  readonly deliveries: number;
  readonly consumer: Consumer | undefined;
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
 * The next commit carries every change ({@link GroupPartition.changes}). After a restart all pending entries
 * are ready, or in flight again if the group is configured so. A consumer gets messages while it has credit.
 * Which one is next is said in precedence.ts.
 */
export class Group<T extends GroupTopic = GroupTopic> implements model.Group {
  readonly id: number;
  readonly topic: T;
  readonly createdMs: number;
  readonly #state: GroupState;
  readonly #host: GroupHost;
  readonly #consumers: Consumers;
  readonly #precedence: Precedence;
  readonly #timers: GroupTimers;
  readonly #answers: Answers;
  readonly #pump: DeliveryPump;
  readonly #moves: GroupMoves;
  readonly #pause: GroupPause;
  readonly #holds: GroupHolds;
  readonly #positionHost: MessageLoaderHost = {
    loaded: ({ index }) => {
      // Only there: the load may have taken the place of the messages of another partition in the cache.
      if (this.#state.config.messageTtlMs !== undefined)
        this.#answers.expiry.checkOne(this.#state.positions.at(index)!);
      this.#pump.wake();
    },
    stalled: () => this.#timers.watchStall(() => this.#pump.wake()),
  };

  constructor(host: GroupHost, topic: T, id: number, config: GroupConfig, createdMs: number) {
    this.#host = host;
    this.topic = topic;
    this.id = id;
    this.createdMs = createdMs;
    this.#state = new GroupState(host, this, topic, config, filterOf(config));
    this.#timers = new GroupTimers(host.clock);
    this.#precedence = new Precedence(this.#state, host, () => this.#pump.wake());
    this.#consumers = this.#precedence.consumers;
    this.#answers = new Answers(this.#state, host, this.#timers, () => this.#pump.wake());
    this.#pump = new DeliveryPump(this.#state, this.#consumers, host.clock, {
      delivered: (deliveries, nowMs) => this.#noteDelivered(deliveries, nowMs),
      keptBack: (nowMs) => this.#answers.armDeadline(nowMs),
      settle: (position, entry) => this.#answers.settle(position, entry),
    });
    this.#moves = new GroupMoves(this.#state, host, this.#answers, () => this.resumeTimers());
    this.#pause = new GroupPause(this.#state, host, this.#timers, () => this.#pump.wake());
    this.#holds = new GroupHolds(this.#state, host, this.#answers, () => this.#pump.wake());
    for (const partition of topic.partitions.opened) this.addPartition(partition);
  }

  get name(): string {
    return this.#state.config.name;
  }

  get config(): GroupConfig {
    return this.#state.config;
  }

  get isFiltered(): boolean {
    return this.#state.filter !== undefined;
  }

  get filter(): Filter | undefined {
    return this.#state.filter;
  }

  get consumers(): number {
    return this.#consumers.count;
  }

  get isPaused(): boolean {
    return this.#state.isPaused;
  }

  /** Whether consumers read by themselves and commit offsets. */
  get isCommitted(): boolean {
    return this.#state.isCommitted;
  }

  get isClosed(): boolean {
    return this.#state.closed;
  }

  /** The group's position on each partition. */
  get positions(): Positions {
    return this.#state.positions;
  }

  /** Messages still to deliver for the first time. */
  get lag(): number {
    return this.#state.lag;
  }

  /** Number of the last delivery. */
  get deliverySequence(): number {
    return this.#state.deliverySequence;
  }

  set deliverySequence(sequence: number) {
    this.#state.deliverySequence = sequence;
  }

  get deliverRate(): Rate {
    return this.#state.deliverRate;
  }

  get ackRate(): Rate {
    return this.#state.ackRate;
  }

  /** The deadline of the n-th delivery of a message, as a wait in milliseconds. */
  deadlineMs(deliveries: number): number {
    return this.#state.deadlineMs(deliveries);
  }

  // ---- consumers

  /** Throws a BrokerError of code `consumer-exclusive`: see {@link AttachOptions}. */
  attach(consumer: Consumer, options: AttachOptions = {}): void {
    if (this.#state.closed) return consumer.ended('group-deleted');
    // Members of a group with committed positions read by themselves, and their protocol knows them all.
    this.#consumers.add(consumer, this.#state.isCommitted ? {} : options);
    this.#host.budgets.take('consumers');
    this.#watchInactivity();
    this.#pump.wake();
  }

  /** The consumer takes no more messages. `held` says what happens to its unanswered deliveries. */
  detach(consumer: Consumer, { held = 'keep', returns = false }: DetachOptions = {}): void {
    const attachment = this.#consumers.remove(consumer, returns);
    if (!attachment) return;
    this.#host.budgets.release('consumers');
    if (held === 'release') this.#release(attachment.held());
    if (this.#consumers.count === 0) this.#watchInactivity();
  }

  /**
   * An attached consumer gives back its unanswered deliveries, of one partition or of all, at once and in the
   * order of delivery. This is not a failure: it does not count against maxDeliver.
   */
  release(consumer: Consumer, partition?: number): void {
    this.#consumers.mayHaveCredit(consumer);
    const held = this.#consumers.find(consumer)?.held() ?? [];
    this.#release(
      partition === undefined ? held : [...held].filter((entry) => entry.partition === partition),
    );
    this.wake(consumer); // it may have credit again
  }

  #release(held: Iterable<PendingEntry>): void {
    for (const entry of held) this.#answers.release(this.#state.positions.at(entry.partition)!, entry);
    this.#state.noteChange('soon');
    this.wake(); // what it held no longer counts against the credit of a consumer
  }

  /** The unanswered deliveries of an attached consumer, in the order of delivery. */
  held(consumer: Consumer): Receipt[] {
    const held = this.#consumers.find(consumer)?.held() ?? [];
    return Array.from(held, (entry) => new Receipt(this, entry.partition, entry.offset, entry.deliveries));
  }

  /** The consumers in the order of attachment, with the number of unanswered deliveries of each. */
  listConsumers(): ConsumerInfo[] {
    return this.#precedence.list();
  }

  /** The active consumer; undefined if there is none, or the group has no single one. */
  get active(): ActiveInfo | undefined {
    return this.#state.active?.info;
  }

  /** How often an active consumer was chosen since the start. */
  get activeChosen(): number {
    return this.#state.active?.chosen ?? 0;
  }

  /** Whether a consumer gets messages: false if another is the active one. */
  isActive(consumer: Consumer): boolean {
    return this.#precedence.isActive(consumer);
  }

  /**
   * Makes the active consumer one of those that wait; the next takes over. Returns false if there was none.
   */
  releaseActive(): boolean {
    return this.#state.active?.release() ?? false;
  }

  /**
   * Messages in `[from, to)` that are below the cursor and not done, in order, each with the consumer that
   * has it in flight, if any. The cost depends on the number of such messages in the partition, not on the
   * range.
   */
  *unanswered(partition: number, from: number, to: number): IterableIterator<Unanswered> {
    for (const { offset, deliveries, holder } of this.#state.positions
      .ifOpened(partition)
      ?.pending.ascending() ?? []) {
      if (offset >= to) return;
      if (offset >= from) yield { offset, deliveries, consumer: holder?.consumer };
    }
  }

  /**
   * Whether the receipt is for the last delivery of its message, and the message is not done. See
   * {@link Receipt}.
   */
  isCurrent({ partition, offset, delivery, move, isOfThisRun }: Receipt): boolean {
    const position = this.#state.positions.ifOpened(partition);
    const entry = position?.pending.get(offset);
    return (
      entry?.deliveries === delivery && position!.moves === move && (isOfThisRun || entry.sequence === 0)
    );
  }

  /** How often the position on a partition was reset, which makes receipts stale. See {@link Receipt}. */
  movesOf(partition: number): number {
    return this.#state.positions.ifOpened(partition)?.moves ?? 0;
  }

  /**
   * Deliveries continue soon, because this consumer has credit again. Absent: any consumer may have credit,
   * or there may be a new message.
   */
  wake(consumer?: Consumer): void {
    this.#consumers.mayHaveCredit(consumer);
    this.#pump.wake();
  }

  /** Whether messages are being loaded from disk; deliveries continue when the load has ended. */
  get isLoading(): boolean {
    return this.#state.isLoading;
  }

  /**
   * Calls back once when there is nothing to deliver to consumers with credit, after the current deliveries
   * and after messages from disk are loaded and delivered. A paused group has nothing to deliver. Returns a
   * function that cancels the call.
   */
  whenIdle(callback: () => void): () => void {
    return this.#pump.whenIdle(callback);
  }

  /** Called after a run of the pump, with its number of deliveries. */
  #noteDelivered(deliveries: number, nowMs: number): void {
    const state = this.#state;
    state.lastDeliveredMs = this.#host.clock.now();
    state.deliverRate.count += deliveries;
    state.noteChange(state.config.ack === 'none' ? 'with-next' : 'soon'); // at most once stores no counts
    this.#answers.armDeadline(nowMs);
  }

  /** Restarts the time without a consumer. */
  touch(): void {
    this.#watchInactivity();
  }

  #watchInactivity(): void {
    const isIdle = this.#state.started && !this.#state.closed && this.#consumers.count === 0;
    this.#timers.watchInactivity(isIdle ? this.#state.config.inactiveMs : undefined, () => {
      this.delete().catch(() => undefined); // the log failed: the process ends
    });
  }

  // ---- answers

  /** The message is done. Returns false if it was not pending. */
  ack(partition: number, offset: number): boolean {
    return this.#answers.ack(this.#state.positions.ifOpened(partition), offset);
  }

  /** The message and all messages delivered before it are done. */
  ackAll(partition: number, offset: number): boolean {
    return this.#answers.ackAll(this.#state.positions.ifOpened(partition), offset);
  }

  /**
   * The delivery failed. The message is redelivered after `delayMs`, by default the group's backoff (at once
   * if the backoff serves as the deadline). If this was the last delivery, the dead letter's cause shows up
   * to 200 characters of `reason`.
   */
  nack(partition: number, offset: number, delayMs?: number, reason?: string): boolean {
    return this.#answers.nack(this.#state.positions.ifOpened(partition), offset, delayMs, reason);
  }

  /** The consumer needs more time: the whole wait (the consumer's own or the group's) starts again now. */
  extend(partition: number, offset: number): boolean {
    return this.#answers.extend(this.#state.positions.ifOpened(partition), offset);
  }

  /**
   * Sets the deadline to `ms` milliseconds from now, whatever the group's waits are. Returns false if the
   * message was not in flight.
   */
  setDeadline(partition: number, offset: number, ms: number): boolean {
    return this.#answers.setDeadline(this.#state.positions.ifOpened(partition), offset, ms);
  }

  /**
   * The message is never delivered again. It becomes a dead letter, or is done if there is no dead-letter
   * policy.
   */
  reject(partition: number, offset: number, reason: string): boolean {
    return this.#answers.reject(this.#state.positions.ifOpened(partition), offset, reason);
  }

  /**
   * Gives back a delivery that was not handled; it is redelivered at once. It does not count against
   * maxDeliver. Returns false if the message was not in flight.
   */
  giveBack(partition: number, offset: number): boolean {
    const position = this.#state.positions.ifOpened(partition);
    const entry = position?.pending.get(offset);
    if (!position || entry?.state !== PendingState.inFlight) return false;
    this.#answers.giveBack(position, entry);
    this.#state.noteChange('soon');
    this.#pump.wake();
    return true;
  }

  /**
   * Not now: gives back a delivery that was not handled, and delivers the message, its key or the whole group
   * not before `ms` milliseconds from now. It does not count against maxDeliver. Returns false if the message
   * was not in flight. Throws a BrokerError if the key cannot be held.
   */
  postpone(partition: number, offset: number, ms: number, scope: PostponeScope = 'message'): boolean {
    return this.#holds.postpone(this.#state.positions.ifOpened(partition), offset, ms, scope);
  }

  /** The holds of the group and its keys. */
  get storedHolds(): Iterable<StoredHold> {
    return this.#holds.stored();
  }

  restoreHold(hold: StoredHold): void {
    this.#holds.restore(hold);
  }

  // ---- calls of the topic and the log

  /** A message was appended. Returns true if it passes the filter of this (filtered) group. */
  noteAppended(partition: number, record: Record, offset: number): boolean {
    if (!this.#state.filter!.matchesRecord(record)) return false;
    const position = this.#state.positions.at(partition)!;
    if (offset >= position.cursor) position.filteredLag++;
    return true;
  }

  noteRemoved(partition: number, key: string, offset: number): void {
    const position = this.#state.positions.at(partition)!;
    if (!position.hasPassed(offset) && this.#state.filter!.matches(key)) position.filteredLag--;
  }

  /**
   * Messages were removed: their pending entries are dropped, and the messages held behind them may be
   * delivered.
   */
  noteGone(partition: number, from: number, to: number): void {
    const position = this.#state.positions.ifOpened(partition);
    position?.noteRemoved(from, to);
    if (position === undefined || position.pending.size === 0) return;
    if (!this.#answers.removed(position, from, to) || this.#host.recovering) return;
    this.#state.noteChange('with-next'); // the removal asks for the commit
    this.#pump.wake();
    this.#host.emit({ kind: 'removed', group: this });
  }

  /** Whether a consumer has the message, or the group is moving it to its dead letters. */
  holds(partition: number, offset: number): boolean {
    const state = this.#state.positions.ifOpened(partition)?.pending.get(offset)?.state;
    return state === PendingState.inFlight || state === PendingState.leaving;
  }

  /** The message is past its time to live: the group is done with it, unless a consumer has it. */
  notePassed(partition: number, offset: number): void {
    if (!this.holds(partition, offset)) this.noteGone(partition, offset, offset + 1);
  }

  /** A purge removed everything below `offset`: there is nothing to deliver before it. */
  notePurged(partition: number, offset: number): void {
    if (this.#state.positions.at(partition)?.passTo(offset)) this.#state.noteChange('soon');
  }

  /** A message of the partition keeps the place of an earlier one that it replaced. */
  noteStandIn(partition: number, place: number): void {
    this.#state.positions.ifOpened(partition)?.noteStandIn(place);
  }

  noteDurable(): void {
    if (this.#state.config.messageTtlMs !== undefined && !this.#answers.expiry.isWatching)
      this.#answers.expiry.check();
    this.#pump.wake();
  }

  isDone(partition: number, offset: number): boolean {
    return this.#state.positions.at(partition)!.isDone(offset);
  }

  // ---- position

  addPartition(partition: Partition): void {
    const { filter, config, positions } = this.#state;
    const ordered =
      config.ordering === 'key'
        ? { meter: this.#host.budgets.meter('ordered'), limits: keyLimits(config) }
        : undefined;
    const position = new GroupPartition(
      partition,
      filter,
      ordered,
      new Ranking(this.topic, partition),
      this.#positionHost,
    );
    position.byLevel = config.priority !== 'ignore';
    if (config.messageTtlMs !== undefined) position.timeLimit = this.#answers.expiry;
    positions.add(position);
  }

  /** Goes to the start position. Messages published meanwhile count as new. */
  start(): Promise<void> {
    return this.#moves.start();
  }

  /** After recovery: see {@link GroupMoves}. */
  recovered(): void {
    this.#moves.recovered();
  }

  lockResumedKeys(): Promise<void> {
    return this.#moves.lockResumedKeys();
  }

  recountRecovered(partition: number): Promise<void> {
    return this.#moves.recountRecovered(partition);
  }

  /** Starts deliveries and timers, after `start` or after recovery. */
  resumeTimers(): void {
    this.#state.started = true;
    this.#answers.armDeadline(this.#host.clock.monotonic());
    this.#watchInactivity();
    this.#pause.watch();
    this.#answers.expiry.check();
    this.#pump.wake();
  }

  /**
   * Starts over from another position. Pending messages are forgotten, and deliveries are counted from 1
   * again. Resolves once the move is durable.
   */
  reset(start: GroupStart): Promise<void> {
    return this.#moves.reset(start);
  }

  /**
   * Starts over on one partition. Pending messages there are forgotten. Resolves once the move is durable.
   */
  resetPartition(partition: number, offset: number): Promise<void> {
    return this.#moves.resetPartitions([[partition, offset]]);
  }

  /** The same for several partitions, each with its offset, as one move. */
  resetPartitions(offsets: Iterable<readonly [partition: number, offset: number]>): Promise<void> {
    return this.#moves.resetPartitions(offsets);
  }

  /**
   * Marks everything of the partition below `offset` as done; the next commit carries it. The offset may go
   * back. An offset below 0 is stored, but moves nothing. `epoch` is the log epoch that the committing client
   * knows. Only for groups with committed positions; other groups use acks.
   */
  commitOffset(partition: number, offset: number, metadata: string = '', epoch?: number): void {
    this.#moves.commitOffset(partition, offset, metadata, epoch);
  }

  /** Forgets the committed offset of a partition. Resolves once that is durable. */
  forgetOffset(partition: number): Promise<void> {
    return this.#moves.forgetOffset(partition);
  }

  committed(partition: number): Committed | undefined {
    return this.#state.positions.ifOpened(partition)?.committed;
  }

  // ---- life

  info(): GroupInfo {
    return groupInfo(this.#state, this.#consumers.count, this.#holds, this.#host.clock.monotonic());
  }

  /** The group's progress on one partition; undefined if the topic has no such partition. */
  positionInfo(partition: number): PositionInfo | undefined {
    return positionInfo(this.#state, partition);
  }

  /** Messages that could be delivered now if consumers had credit. */
  get deliverable(): number {
    return countDeliverable(this.#state);
  }

  /** Whether the message at an offset was delivered, or is none for this group. */
  hasPassed(partition: number, offset: number): boolean {
    return this.#state.positions.ifOpened(partition)?.hasPassed(offset) ?? false;
  }

  /**
   * Age of the oldest message that is not done, pending or not yet delivered, in milliseconds; undefined if
   * there is none. `signal` ends a long search for the first message that passes the filter; that message is
   * then left out.
   */
  async oldestAgeMs(signal?: AbortSignal): Promise<number | undefined> {
    const oldestMs = await oldestTimestampMs(this.#state, signal);
    return oldestMs === undefined
      ? undefined
      : Math.max(0, this.#host.steady.now() - this.#host.steady.of(oldestMs));
  }

  stats(): GroupStats {
    return groupStats(this, this.#host.clock.monotonic());
  }

  /** Changes the configuration, except for the name and the start; resolves once that is durable. */
  async update(options: GroupConfig): Promise<void> {
    this.#state.checkOpen();
    const { ordering, ack, durable, positions } = this.#state.config;
    if (
      options.positions !== positions ||
      (options.ordering ?? ordering) !== ordering ||
      (options.ack ?? ack) !== ack ||
      (options.durable ?? durable) !== durable
    ) {
      const problem = `Group "${this.name}" keeps its ordering, positions, ack policy and durability for life.`;
      throw new BrokerError('group-config-invalid', problem, { group: this.name });
    }
    const filterBefore = this.#state.filter;
    this.applyConfig({ ...groupConfig(options), name: this.name });
    this.#host.redefineGroup(this);
    if (this.#state.filter && this.#state.filter !== filterBefore) await this.#moves.recountLag();
    this.#host.emit({ kind: 'group-updated', group: this });
    await this.#state.committed();
  }

  applyConfig(config: GroupConfig): void {
    const filtersChanged = config.filters.join(' ') !== this.#state.config.filters.join(' ');
    const { messageTtlMs } = this.#state.config;
    this.#state.config = config;
    this.#state.setThrottle();
    const limits = keyLimits(config);
    for (const position of this.#state.positions.opened) {
      position.setKeyLimits(limits, this.#host.clock.monotonic());
      position.timeLimit = config.messageTtlMs === undefined ? undefined : this.#answers.expiry;
      position.byLevel = config.priority !== 'ignore';
    }
    if (config.messageTtlMs !== messageTtlMs) this.topic.groupsChanged();
    if (this.#state.started) this.#applyLimits();
    if (filtersChanged) {
      this.#state.filter = filterOf(config);
      for (const position of this.#state.positions.opened) {
        position.setFilter(this.#state.filter);
        position.filteredLag = this.#state.filter ? position.partition.liveFrom(position.cursor) : 0;
      }
      this.topic.groupsChanged();
    }
    this.#precedence.configured();
    this.#pause.watch();
    this.#watchInactivity();
    this.#pump.wake();
  }

  /** Applies changed limits at once, to messages in flight and to messages waiting for redelivery. */
  #applyLimits(): void {
    for (const position of this.#state.positions.opened) {
      position.pending.rewait((deliveries) => this.deadlineMs(deliveries));
      this.#answers.giveUpExhausted(position);
    }
    this.#answers.armDeadline(this.#host.clock.monotonic());
    this.#answers.expiry.check();
  }

  /**
   * Stops deliveries until a time (milliseconds since the epoch), or until the group is resumed. Answers are
   * still accepted.
   */
  pause(untilMs?: number): Promise<void> {
    return this.#pause.pause(untilMs);
  }

  /** Ends the pause and all holds. */
  async resume(): Promise<void> {
    this.#state.checkOpen();
    this.#holds.end();
    await this.#pause.resume();
  }

  /** Deletes the group; resolves once that is durable. */
  async delete(): Promise<void> {
    if (this.#state.closed) return;
    this.close('group-deleted');
    this.topic.removeGroup(this);
    this.#host.undefineGroup(this);
    this.#host.emit({ kind: 'group-deleted', group: this });
    await this.#state.committed();
  }

  close(reason: ConsumerEnd): void {
    if (this.#state.closed) return;
    this.#state.closed = true;
    this.#timers.stop();
    this.#state.active?.stop();
    this.#answers.expiry.stop();
    for (const position of this.#state.positions.opened) position.close();
    const consumers = this.#consumers.removeAll();
    this.#host.budgets.release('consumers', consumers.length);
    for (const { consumer } of consumers) consumer.ended(reason);
  }
}

function filterOf(config: GroupConfig): Filter | undefined {
  return config.filters.length === 0 || config.filters.includes('>') ? undefined : new Filter(config.filters);
}
