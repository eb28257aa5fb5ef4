import type { Record } from '../../log/index.ts';
import { Mutex } from '../../util/index.ts';
import { Answers } from './answers.ts';
import type { CommitUrgency } from '../commit-cycle.ts';
import type { Consumer, ConsumerEnd, ConsumerInfo, DetachOptions } from './consumer.ts';
import { Consumers } from './consumers.ts';
import type { BrokerCore } from '../core.ts';
import { DeliveryPump } from './delivery-pump.ts';
import type { Committed } from '../entries.ts';
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
import { GroupPartition, type GroupPartitionHost } from './group-partition.ts';
import { countLag, startPosition } from './group-start.ts';
import { GroupTimers } from './group-timers.ts';
import { oldestTimestampMs } from './oldest-wait.ts';
import type { Partition } from '../partitions/partition.ts';
import { PendingState, type PendingEntry } from './pending.ts';
import { Positions } from './positions.ts';
import { Rate } from '../partitions/rates.ts';
import { Receipt } from './receipt.ts';
import { groupStats, type GroupStats } from '../stats.ts';
import type { Topic } from '../topics/topic.ts';

/** A message that a group has passed and that is not done. */
export interface Unanswered {
  readonly offset: number;
  readonly deliveries: number;
  readonly consumer: Consumer | undefined;
}

/** More than that are not counted again at a start: it would have to read them. */
const recountMessagesMax = 1_000_000;

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
 * Every change is carried by the next commit ({@link GroupPartition.changes}); after a restart all pending
 * entries are ready, or in flight anew where the group says so. A consumer is served while it has credit;
 * consumers take turns, one message each.
 */
export class Group {
  readonly id: number;
  readonly topic: Topic;
  readonly createdMs: number;
  readonly positions: Positions;
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
  readonly #answers: Answers;
  readonly #positionHost: GroupPartitionHost = {
    loaded: () => this.wake(),
    stalled: () => this.#timers.watchStall(() => this.wake()),
  };
  lastDeliveredMs: number | undefined = undefined;
  readonly #timers: GroupTimers;
  #closed = false;
  #started = false;
  /** Moves of the position, from when they are asked for until they are made. */
  #moving = 0;
  readonly #moves = new Mutex();

  constructor(core: BrokerCore, topic: Topic, id: number, config: GroupConfig, createdMs: number) {
    this.#core = core;
    this.topic = topic;
    this.positions = new Positions(topic.partitions);
    this.id = id;
    this.#config = config;
    this.createdMs = createdMs;
    this.#filter = filterOf(config);
    this.#timers = new GroupTimers(core.clock);
    this.#pump = new DeliveryPump(this, this.#consumers, core.clock);
    this.#answers = new Answers(this, core);
    for (const partition of topic.partitions.opened) this.addPartition(partition);
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

  /** Whether its consumers read by themselves and commit offsets. */
  get isCommitted(): boolean {
    return this.#config.positions === 'committed';
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get lastAckMs(): number | undefined {
    return this.#answers.lastAckMs;
  }

  /** Whether its state survives a restart. */
  get isStored(): boolean {
    return this.#config.durable && this.topic.config.durability === 'disk';
  }

  // ---- consumers

  attach(consumer: Consumer): void {
    if (this.#closed) return consumer.ended('group-deleted');
    this.#consumers.add(consumer);
    this.#core.budgets.take('consumers');
    this.#watchInactivity();
    this.wake();
  }

  /** The consumer takes nothing more; the options say what becomes of what it holds. */
  detach(consumer: Consumer, { held = 'keep' }: DetachOptions = {}): void {
    const attachment = this.#consumers.remove(consumer);
    if (!attachment) return;
    this.#core.budgets.release('consumers');
    if (held === 'release') this.#release(attachment.held());
    if (this.#consumers.count === 0) this.#watchInactivity();
  }

  /**
   * An attached consumer gives back what it holds, of one partition or of all, at once and in the order of
   * delivery. That is no failure: it does not count against maxDeliver.
   */
  release(consumer: Consumer, partition?: number): void {
    const held = this.#consumers.find(consumer)?.held() ?? [];
    this.#release(
      partition === undefined ? held : [...held].filter((entry) => entry.partition === partition),
    );
  }

  #release(held: Iterable<PendingEntry>): void {
    for (const entry of held) this.#answers.release(this.positions.at(entry.partition)!, entry);
    this.noteChange('soon');
    this.wake();
  }

  /** What an attached consumer was given and has not answered, in the order of delivery. */
  held(consumer: Consumer): Receipt[] {
    const held = this.#consumers.find(consumer)?.held() ?? [];
    return Array.from(held, (entry) => new Receipt(this, entry.partition, entry.offset, entry.deliveries));
  }

  /** Its consumers, in the order in which they came, with what each holds. */
  listConsumers(): ConsumerInfo[] {
    return this.#consumers.attachments.map(({ consumer, size, heldSinceMs }) => ({
      label: consumer.label,
      connection: consumer.connection,
      credit: consumer.credit,
      held: size,
      heldSinceMs,
    }));
  }

  /**
   * Messages of `[from, to)` that were passed and are not done, in order: each with the consumer that has it
   * in flight, if one has. Costs as much as there are such messages in the partition, however long the range
   * is.
   */
  *unanswered(partition: number, from: number, to: number): IterableIterator<Unanswered> {
    for (const { offset, deliveries, holder } of this.positions.ifOpened(partition)?.pending.values() ?? []) {
      if (offset >= to) return;
      if (offset >= from) yield { offset, deliveries, consumer: holder?.consumer };
    }
  }

  /** Whether a delivery is the last one of its message, and the message not done. See {@link Receipt}. */
  isCurrent({ partition, offset, delivery, move, isOfThisRun }: Receipt): boolean {
    const position = this.positions.ifOpened(partition);
    const entry = position?.pending.get(offset);
    return (
      entry?.deliveries === delivery && position!.moves === move && (isOfThisRun || entry.sequence === 0)
    );
  }

  /** How often the group was moved on a partition, which makes receipts stale. See {@link Receipt}. */
  movesOf(partition: number): number {
    return this.positions.ifOpened(partition)?.moves ?? 0;
  }

  /** Somebody has credit again, or there may be something to deliver: deliveries go on soon. */
  wake(): void {
    this.#pump.wake();
  }

  /** Messages are on their way from disk: deliveries go on when they are there. */
  get isLoading(): boolean {
    return this.positions.opened.some((position) => position.isLoading);
  }

  /**
   * Calls back once when there is nothing to deliver to consumers with credit, after the deliveries under way
   * have been made, and what is on its way from the disk has come. A paused group has nothing to deliver.
   * Returns a function that calls it off.
   */
  whenIdle(callback: () => void): () => void {
    return this.#pump.whenIdle(callback);
  }

  /** Begins again to count the time without a consumer. */
  touch(): void {
    this.#watchInactivity();
  }

  #watchInactivity(): void {
    const isIdle = this.#started && !this.#closed && this.#consumers.count === 0;
    this.#timers.watchInactivity(isIdle ? this.#config.inactiveMs : undefined, () => {
      this.delete().catch(() => undefined); // the log failed: the process ends
    });
  }

  // ---- what the pump needs

  /** Whether anything may be delivered now. */
  get isDelivering(): boolean {
    return this.#started && this.#moving === 0 && !this.#closed && !this.isPaused && !this.isCommitted;
  }

  /** The pump made so many deliveries. */
  noteDelivered(deliveries: number, nowMs: number): void {
    this.lastDeliveredMs = this.#core.clock.now();
    this.deliverRate.count += deliveries;
    this.noteChange(this.#config.ack === 'none' ? 'with-next' : 'soon'); // at most once has no count to keep
    this.armDeadline(nowMs);
  }

  /** Messages still to deliver for the first time. */
  get lag(): number {
    const { opened } = this.positions;
    if (opened.length === 1) return opened[0]!.lag;
    let lag = 0;
    for (const position of opened) lag += position.lag;
    return lag;
  }

  /** How long the n-th delivery of a message may take. */
  deadlineMs(deliveries: number): number {
    const { backoffMs, backoffMeans, ackWaitMs } = this.#config;
    if (backoffMeans === 'wait' || backoffMs.length === 0) return ackWaitMs;
    return backoffMs[Math.min(deliveries, backoffMs.length) - 1]!;
  }

  // ---- answers

  /** The message is done. False when it was not pending. */
  ack(partition: number, offset: number): boolean {
    return this.#answers.ack(this.positions.ifOpened(partition), offset);
  }

  /** The message and all that were delivered before it are done. */
  ackAll(partition: number, offset: number): boolean {
    return this.#answers.ackAll(this.positions.ifOpened(partition), offset);
  }

  /**
   * The delivery failed: again after `delayMs`, by default the group's backoff (at once where the backoff
   * replaces deadlines). If it was the last delivery, the dead letter's cause shows the `reason`, up to 200
   * characters of it.
   */
  nack(partition: number, offset: number, delayMs?: number, reason?: string): boolean {
    return this.#answers.nack(this.positions.ifOpened(partition), offset, delayMs, reason);
  }

  /** The consumer needs longer: the whole wait, its own or the group's, begins again now. */
  extend(partition: number, offset: number): boolean {
    return this.#answers.extend(this.positions.ifOpened(partition), offset);
  }

  /**
   * The consumer has until `ms` milliseconds from now, whatever the group's waits are. False when it was not
   * in flight.
   */
  setDeadline(partition: number, offset: number, ms: number): boolean {
    return this.#answers.setDeadline(this.positions.ifOpened(partition), offset, ms);
  }

  /** Never again: the message goes to the dead-letter topic, or is passed over where there is none. */
  reject(partition: number, offset: number, reason: string): boolean {
    return this.#answers.reject(this.positions.ifOpened(partition), offset, reason);
  }

  /**
   * A delivery that was not handled goes back at once. It does not count against maxDeliver. False: it was
   * not in flight.
   */
  giveBack(partition: number, offset: number): boolean {
    const position = this.positions.ifOpened(partition);
    const entry = position?.pending.get(offset);
    if (!position || entry?.state !== PendingState.inFlight) return false;
    this.#answers.release(position, entry);
    this.noteChange('soon');
    this.wake();
    return true;
  }

  /** The message was removed: there is nothing to deliver and nothing to answer. */
  settle(position: GroupPartition, entry: PendingEntry): void {
    this.#answers.settle(position, entry);
  }

  // ---- time

  /** The timer goes off at the next deadline or end of a wait, of whichever partition. */
  armDeadline(nowMs: number): void {
    let dueMs = Infinity;
    for (const position of this.positions.opened) dueMs = Math.min(dueMs, position.pending.nextDueMs());
    this.#timers.armDeadline(dueMs, nowMs, this.#onDue);
  }

  readonly #onDue = (): void => {
    const nowMs = this.#core.clock.monotonic();
    for (const position of this.positions.opened) this.#answers.expire(position, nowMs);
    this.armDeadline(nowMs);
    this.wake();
  };

  // ---- what topic and log tell it

  /** A message was appended: true when this (filtered) group wants it. */
  noteAppended(partition: number, record: Record, offset: number): boolean {
    if (!this.#filter!.matchesRecord(record)) return false;
    const position = this.positions.at(partition)!;
    if (offset >= position.cursor) position.filteredLag++;
    return true;
  }

  noteRemoved(partition: number, key: string, offset: number): void {
    const position = this.positions.at(partition)!;
    if (offset >= position.cursor && this.#filter!.matches(key)) position.filteredLag--;
  }

  /** Messages were removed: what was under way of them is done, and what waited behind it may go. */
  noteGone(partition: number, from: number, to: number): void {
    const position = this.positions.ifOpened(partition);
    if (position === undefined || position.pending.size === 0) return;
    if (!this.#answers.removed(position, from, to) || this.#core.recovering) return;
    this.noteChange('with-next'); // the removal asks for the commit
    this.wake();
    this.#core.emit({ kind: 'removed', group: this });
  }

  /** A purge took everything below `offset`: there is nothing to deliver before it. */
  notePurged(partition: number, offset: number): void {
    if (this.positions.at(partition)?.passTo(offset)) this.noteChange('soon');
  }

  noteDurable(): void {
    this.wake();
  }

  isDone(partition: number, offset: number): boolean {
    return this.positions.at(partition)!.isDone(offset);
  }

  // ---- position

  addPartition(partition: Partition): void {
    const ordered = this.#config.ordering === 'key' ? this.#core.budgets.meter('ordered') : undefined;
    this.positions.add(new GroupPartition(partition, this.#filter, ordered, this.#positionHost));
  }

  /** Takes the start position. Messages published meanwhile count as new. */
  async start(): Promise<void> {
    await this.#moves.run(async () => {
      this.#openFor(this.#config.start);
      for (const position of this.positions.opened.slice())
        await startPosition(position, this.#filter, this.#config.start);
    });
    this.resumeTimers();
  }

  /** A position that nothing was written for yet begins at 0, unless it is to wait for an offset. */
  #openFor(start: GroupStart): void {
    const waits = start.kind === 'offset' && start.beyondEnd === true && start.offset > 0;
    if (waits) for (const index of this.topic.partitions.indexes()) this.positions.at(index);
  }

  /**
   * After recovery: what was pending goes out again, at once or when its wait is over. What had its last
   * delivery may still be answered until then in any case, so that it is never delivered more than maxDeliver
   * times.
   */
  recovered(): void {
    const { maxDeliver = Infinity, redeliverAfterRestart } = this.#config;
    const staysOut = redeliverAfterRestart === 'at-deadline';
    const { clock, steady } = this.#core;
    const nowMs = clock.monotonic();
    const steadyMs = steady.now();
    const steadyOf = (wallMs: number): number => steady.of(wallMs);
    for (const position of this.positions.opened) {
      const { pending, partition } = position;
      for (const entry of pending.values()) {
        const isGone = entry.offset < partition.nextOffset && !partition.isLive(entry.offset);
        if (isGone) position.settle(entry); // by a broker that kept such entries until their deadline
        else if (entry.attempts >= maxDeliver || (staysOut && entry.deliveries > 0))
          pending.resume(entry, nowMs, this.deadlineMs(entry.deliveries), steadyMs, steadyOf);
        else pending.makeReady(entry);
      }
      pending.recovered();
    }
  }

  /**
   * After recovery: a message that is still with a consumer of the run before holds its key
   * (`ordering: 'key'`), so that no later message of the key goes beside it.
   */
  async lockResumedKeys(): Promise<void> {
    if (this.#config.ordering !== 'key') return;
    for (const position of this.positions.opened)
      for (const { offset, state } of position.pending.values())
        if (state === PendingState.inFlight) await position.lockKeyOf(offset);
  }

  /**
   * After recovery: the count that was stored had been taken less removals that recovery accounts for once
   * more. A count of very many messages is left as it is.
   */
  async recountRecovered(partition: number): Promise<void> {
    const position = this.positions.at(partition)!;
    if (this.#filter && position.partition.liveFrom(position.cursor) <= recountMessagesMax)
      await countLag(position, this.#filter);
  }

  /** After `start`, or after recovery: deliveries and timers begin. */
  resumeTimers(): void {
    this.#started = true;
    this.armDeadline(this.#core.clock.monotonic());
    this.#watchInactivity();
    this.#watchPause();
    this.wake();
  }

  /**
   * Starts over from another position; what was pending is forgotten, and deliveries are counted from 1
   * again.
   */
  async reset(start: GroupStart): Promise<void> {
    await this.#move(async () => {
      this.deliverySequence = 0;
      this.lastDeliveredMs = undefined;
      this.#answers.forgetTimes();
      this.#openFor(start);
      // What is committed is asked for by partition, of empty ones too.
      if (this.isCommitted) for (const index of this.topic.partitions.indexes()) this.positions.at(index);
      for (const position of this.positions.opened.slice()) {
        await startPosition(position, this.#filter, start);
        if (this.isCommitted) position.committed = { offset: position.cursor, metadata: '' };
      }
    });
  }

  /** Starts over on one partition; what was pending there is forgotten. Resolves once that is durable. */
  resetPartition(partition: number, offset: number): Promise<void> {
    return this.resetPartitions([[partition, offset]]);
  }

  /** The same for several partitions, each with its offset, by one move. */
  async resetPartitions(offsets: Iterable<readonly [partition: number, offset: number]>): Promise<void> {
    const moves = Array.from(
      offsets,
      ([partition, offset]) => [this.#positionOf(partition), offset] as const,
    );
    await this.#move(async () => {
      for (const [position, offset] of moves) {
        await startPosition(position, this.#filter, { kind: 'offset', offset });
        if (this.isCommitted) position.committed = { offset, metadata: '' };
      }
    });
  }

  /**
   * Moves positions; resolves once that is durable. From when it is asked for nothing is delivered: what came
   * from a position to be left would come again from the next. One move is made after the other, and when one
   * fails the group goes on from where its positions are.
   */
  async #move(work: () => Promise<void>): Promise<void> {
    this.#checkOpen();
    this.#moving++;
    await this.#moves.run(async () => {
      try {
        await work();
      } finally {
        this.#moving--;
        if (!this.#closed) {
          this.#core.defineGroup(this);
          this.resumeTimers();
        }
      }
    });
    await this.#committed();
  }

  /**
   * Everything of the partition below `offset` is done; the next commit carries it. Offsets may go back; one
   * below 0 is kept as it is, and moves nothing. `epoch`: of the log that was read, as the committer knows
   * it. Only for groups with committed positions: others know by their acks.
   */
  commitOffset(partition: number, offset: number, metadata: string = '', epoch?: number): void {
    this.#checkOpen();
    if (!this.isCommitted) {
      const problem = `Group "${this.name}" of topic "${this.topic.name}" delivers messages and is told by acks what is done.`;
      throw new BrokerError('not-allowed', `${problem} Commit offsets under another group name.`, {
        topic: this.topic.name,
        group: this.name,
      });
    }
    const position = this.#positionOf(partition);
    const before = position.cursor;
    position.commit({ offset, metadata, ...(epoch === undefined ? {} : { epoch }) });
    this.#answers.passed(position, before);
    this.noteChange('now');
  }

  /** Forgets what was committed for a partition, as if nothing had been. Resolves once that is durable. */
  async forgetOffset(partition: number): Promise<void> {
    this.#checkOpen();
    this.#positionOf(partition).forgetCommitted();
    this.#core.defineGroup(this);
    await this.#committed();
  }

  committed(partition: number): Committed | undefined {
    return this.positions.ifOpened(partition)?.committed;
  }

  #positionOf(partition: number): GroupPartition {
    const position = this.positions.at(partition);
    if (position) return position;
    throw new BrokerError('offset-not-found', `Topic "${this.topic.name}" has no partition ${partition}.`);
  }

  /** The next commit carries what changed. */
  noteChange(urgency: CommitUrgency): void {
    if (this.isStored) this.#core.groupChanged(this, urgency);
    else for (const position of this.positions.opened) position.changes.clear();
  }

  // ---- life

  info(): GroupInfo {
    return groupInfo(this);
  }

  /** Where it stands on one partition; undefined when the topic has no such partition. */
  positionInfo(partition: number): PositionInfo | undefined {
    return positionInfo(this, partition);
  }

  /** Messages that could be delivered now if consumers took them. */
  get deliverable(): number {
    return countDeliverable(this);
  }

  /** Whether the group has passed an offset: its message was delivered, or was none for this group. */
  hasPassed(partition: number, offset: number): boolean {
    return offset < (this.positions.ifOpened(partition)?.cursor ?? 0);
  }

  /**
   * Age of the oldest message that is not done, pending or not delivered yet, in milliseconds; undefined when
   * there is none. `signal` ends a long search for the first message that passes the filter; that one does
   * not count then.
   */
  async oldestAgeMs(signal?: AbortSignal): Promise<number | undefined> {
    const oldestMs = await oldestTimestampMs(this, signal);
    return oldestMs === undefined
      ? undefined
      : Math.max(0, this.#core.steady.now() - this.#core.steady.of(oldestMs));
  }

  stats(): GroupStats {
    return groupStats(this, this.#core.clock.monotonic());
  }

  /** Changes the configuration; resolves once that is durable. The name and the start stay. */
  async update(options: GroupConfig): Promise<void> {
    this.#checkOpen();
    const { ordering, ack, durable, positions } = this.#config;
    if (
      options.positions !== positions ||
      (options.ordering ?? ordering) !== ordering ||
      (options.ack ?? ack) !== ack ||
      (options.durable ?? durable) !== durable
    ) {
      const problem = `Group "${this.name}" keeps its ordering, positions, ack policy and durability for life.`;
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
    if (this.#started) this.#applyLimits();
    if (filtersChanged) {
      this.#filter = filterOf(config);
      for (const position of this.positions.opened) {
        position.setFilter(this.#filter);
        position.filteredLag = this.#filter ? position.partition.liveFrom(position.cursor) : 0;
      }
      this.topic.groupsChanged();
    }
    this.#watchPause();
    this.#watchInactivity();
    this.wake();
  }

  /** Limits that changed hold at once: for what is in flight, and for what waits to be delivered again. */
  #applyLimits(): void {
    for (const position of this.positions.opened) {
      position.pending.rewait((deliveries) => this.deadlineMs(deliveries));
      this.#answers.giveUpExhausted(position);
    }
    this.armDeadline(this.#core.clock.monotonic());
  }

  async #recountLag(): Promise<void> {
    await this.#moves.run(async () => {
      for (const position of this.positions.opened.slice())
        if (this.#filter) await countLag(position, this.#filter);
    });
    // The next commit carries the count.
    for (const position of this.positions.opened) position.cursorMoved = true;
    this.noteChange('now');
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
    this.#timers.watchPause(delayMs, () => {
      this.#pauseEnded().catch(() => undefined); // the log failed: the process ends
    });
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
    for (const position of this.positions.opened) position.close();
    const consumers = this.#consumers.removeAll();
    this.#core.budgets.release('consumers', consumers.length);
    for (const { consumer } of consumers) consumer.ended(reason);
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

function filterOf(config: GroupConfig): Filter | undefined {
  return config.filters.length === 0 || config.filters.includes('>') ? undefined : new Filter(config.filters);
}
