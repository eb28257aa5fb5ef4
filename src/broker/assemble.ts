import {
  Log,
  type Batch,
  type DamageReport,
  type LogError,
  type LogHost,
  type PartitionLog,
  type Record,
} from '../log/index.ts';
import {
  BlockPool,
  ByteWriter,
  heapBytes,
  memoryForObjectsBytes,
  processFigures,
  SteadyTime,
  SystemClock,
  SystemRandom,
  type Clock,
  type ClockJump,
  type Random,
} from '../util/index.ts';
import { Attributes, type AttributesHost } from './attributes.ts';
import type { BrokerOptions } from './broker-options.ts';
import { Budgets, budgetLimits } from './budgets.ts';
import { Catalog, delayLogId } from './catalog.ts';
import { CommitCycle } from './commit-cycle.ts';
import { Condition } from './condition.ts';
import type { DeadLetterRoute } from './dead-letters/dead-letter.ts';
import { Definitions } from './definitions.ts';
import { EntryKind, writeClockFrame, writeDedupeId, writeUniqueKey, type StoredHold } from './entries.ts';
import * as events from './events.ts';
import { Router } from './live/router.ts';
import { Pacing } from './pacing.ts';
import { Replay, type StoredParts } from './replay.ts';
import { writeSnapshot } from './snapshot.ts';
import { Schedules, type SchedulesHost } from './schedules/schedules.ts';
import { Compactor } from './retention/compactor.ts';
import { survivesRestart } from './topics/deduplication.ts';
import { DelayedMessages } from './topics/delayed-messages.ts';
import type { Topic, TopicGroup, TopicHost, TopicPartition } from './topics/topic.ts';
import { topicConfig } from './topics/topic-config.ts';
import { ProducerIds } from './transactions/producer-ids.ts';
import { Transactions, type TransactionsHost } from './transactions/transactions.ts';
import { Watermarks } from './watermarks.ts';

/** A broker event, with the full types of topics and groups. */
export type BrokerEvent = events.BrokerEvent<Topic, TopicGroup>;
export type DeliveryEvent = events.DeliveryEvent<TopicGroup>;

/** Above this share V8 collects garbage more and more often, and ends the process if that is not enough. */
const defaultHeapShare = 0.85;
/** The minimum time between two walks through all topics. */
const forgetEveryMs = 1000;

/**
 * The assembly of a broker: its parts, and the services that each part gets from the others. {@link Broker}
 * is the interface for callers.
 */
export class Assembly {
  readonly options: BrokerOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly steady: SteadyTime;
  readonly pacing: Pacing;
  readonly blocks: BlockPool;
  readonly watermarks: Watermarks;
  readonly condition: Condition;
  readonly budgets: Budgets;
  readonly events: events.Events<Topic, TopicGroup> = new events.Events();
  readonly commits: CommitCycle;
  readonly router: Router;
  readonly topicHost: TopicHost;
  readonly transactions: Transactions;
  readonly producerIds: ProducerIds;
  readonly attributes: Attributes;
  readonly schedules: Schedules;
  readonly catalog: Catalog;
  readonly replay: Replay;
  readonly definitions: Definitions;
  readonly compactor: Compactor;
  readonly deadLetterRoutes: Map<string, DeadLetterRoute> = new Map();
  /** Called when the log is no longer congested. */
  readonly uncongested: (() => void)[] = [];
  readonly waitingForRoom: (() => void)[] = [];
  /** Called when the log fails before the broker is ready; rejects the opening. */
  failedToOpen: (error: LogError) => void = () => {};
  readonly #stored: StoredParts;
  #log: Log | undefined = undefined;
  #delayed: DelayedMessages | undefined = undefined;
  #forgetNotBeforeMs = 0;
  readonly #scratch = new ByteWriter();

  constructor(options: BrokerOptions) {
    this.options = options;
    this.clock = options.clock ?? new SystemClock();
    this.random = options.random ?? new SystemRandom();
    this.pacing = new Pacing(this.clock);
    this.blocks = options.log?.blocks ?? new BlockPool();
    this.steady = new SteadyTime(this.clock, (jump) => this.#onClockJumped(jump));
    this.watermarks = this.#makeWatermarks();
    this.condition = new Condition({
      dir: options.dir,
      watermarks: this.watermarks,
      steady: this.steady,
    });
    this.commits = new CommitCycle(this.clock);
    this.budgets = new Budgets(budgetLimits(memoryForObjectsBytes(), options.budgets), (looks) =>
      this.watermarks.memoryRefusal(looks),
    );
    this.router = new Router(this.random, this.budgets);
    this.producerIds = new ProducerIds({
      record: (end) => this.log.record(EntryKind.producerIds, 0, this.#scratch.reset().uvarint(end).view()),
      afterCommit: (callback) => this.commits.afterCommit(callback),
    });
    this.transactions = new Transactions(this.#makeTransactionsHost(), {
      producersMax: this.budgets.limit('transactionalIds'),
      openMax: this.budgets.limit('openTransactions'),
      ...options.transactions,
    });
    this.budgets.count('transactionalIds', () => this.transactions.size);
    this.budgets.count('openTransactions', () => this.transactions.openCount);
    this.topicHost = this.#makeTopicHost();
    this.attributes = new Attributes(this.#makeAttributesHost(), this.budgets);
    this.schedules = new Schedules(this.#makeSchedulesHost());
    this.catalog = new Catalog(this.topicHost);
    this.#stored = {
      catalog: this.catalog,
      producerIds: this.producerIds,
      transactions: this.transactions,
      attributes: this.attributes,
      schedules: this.schedules,
      delayLog: () => this.delayed.log,
    };
    this.replay = new Replay(this.#stored, this.topicHost);
    this.definitions = new Definitions({
      core: this.topicHost,
      catalog: this.catalog,
      router: this.router,
      commits: this.commits,
      schedules: this.schedules,
      log: () => this.log,
    });
    this.compactor = new Compactor(this.clock, () => this.catalog.partitionsById.values());
  }

  /** Set as soon as the log starts to open. */
  get log(): Log {
    return this.#log!;
  }

  /** Set as soon as the log restores its content. */
  get delayed(): DelayedMessages {
    return this.#delayed!;
  }

  /** Opens the log; resolves when the journal has been replayed. */
  async openLog(): Promise<void> {
    const { dir, files, log: logOptions } = this.options;
    await Log.open(this.#makeLogHost(), {
      ...logOptions,
      blocks: this.blocks,
      dir,
      files,
      clock: this.clock,
      random: this.random,
    });
  }

  /** Records the offset ranges that were lost with a damaged journal. They hold no messages. */
  lose(reports: readonly DamageReport[]): void {
    for (const { partitionId = -1, fromOffset = 0, toOffset = 0 } of reports)
      this.catalog.partition(partitionId)?.lose(fromOffset, toOffset);
  }

  #makeWatermarks(): Watermarks {
    const { options } = this;
    return new Watermarks(
      {
        diskFreeBytesMin: undefined,
        memoryBytesMax: Infinity,
        heapBytesMax: Math.floor(heapBytes().limit * defaultHeapShare),
        ...options.watermarks,
      },
      {
        files: options.files,
        dir: options.dir,
        clock: this.clock,
        memoryBytes: options.memoryBytes ?? (() => processFigures().rss),
        heapBytes: options.heapBytes ?? (options.memoryBytes ? () => 0 : () => heapBytes().used),
        unflushedBytes: () => this.log.unflushedBytes,
        checked: (diskFull) => {
          this.log.roomIsShort(diskFull);
          this.steady.now(); // notices a jump even when no code reads the time
          if (!this.condition.shortage) for (const callback of this.waitingForRoom.splice(0)) callback();
        },
      },
    );
  }

  // ---- the broker as topics and groups see it

  #makeTopicHost(): TopicHost {
    // oxlint-disable-next-line typescript/no-this-alias -- accessors below need both `this`
    const parts = this;
    const { commits, condition } = this;
    return {
      clock: this.clock,
      steady: this.steady,
      pacing: this.pacing,
      random: this.random,
      get log() {
        return parts.log;
      },
      transactions: this.transactions,
      budgets: this.budgets,
      get recovering() {
        return !condition.isReady;
      },
      get refusal() {
        return condition.refusal;
      },
      emit: (event: BrokerEvent) => this.events.emit(event),
      damaged: (report) => this.#onDamaged(report),
      awaitCommit: commits.await.bind(commits),
      afterCommit: commits.afterCommit.bind(commits),
      partitionChanged: commits.partitionChanged.bind(commits),
      groupChanged: commits.groupChanged.bind(commits),
      recordDedupeId: (topic, partition, offset, timeMs, id) => {
        if (!survivesRestart(topic.config.durability, offset)) return;
        writeDedupeId(this.#scratch.reset(), partition, offset, timeMs, id);
        this.log.record(EntryKind.dedupeId, topic.id, this.#scratch.view());
      },
      record: (kind, id, payload) => this.log.record(kind, id, payload),
      recordLevel: ({ log: { id } }, offset, level) =>
        this.log.record(EntryKind.level, id, this.#scratch.reset().uvarint(level).uvarint(offset).view()),
      delay: (partition, record, delay, listener, token) =>
        this.delayed.add(partition, record, delay, listener, token),
      get delays() {
        return parts.delayed;
      },
      recordStandIn: ({ log: { id } }, offset, place) =>
        this.log.record(EntryKind.standIn, id, this.#scratch.reset().uvarint(offset).uvarint(place).view()),
      recordUniqueKey: (partition, message) => {
        if (partition.log.volatile && message.state !== 'delayed') return;
        writeUniqueKey(this.#scratch.reset(), message);
        this.log.record(EntryKind.uniqueKey, partition.log.id, this.#scratch.view());
      },
      uniqueKeyFreed: commits.uniqueKeyFreed.bind(commits),
      undelay: (partition, filter) => this.delayed.takeBack(partition, filter),
      refusalOfSchedule: (options) => this.schedules.refusalOf(options),
      schedule: (topic, options, carrier) => void this.schedules.defineCarried(topic, options, carrier),
      topic: (name) => this.catalog.topics.get(name),
      checkSubjects: (config) => this.definitions.checkSubjects(config),
      deadLetterRoute: (name) => this.deadLetterRoutes.get(name),
      ensureTopic: (wanted) =>
        this.catalog.topics.get(wanted.name) ?? this.definitions.defineTopic(topicConfig(wanted)),
      redefineTopic: (topic) => this.definitions.redefineTopic(topic),
      undefineTopic: (topic) => this.definitions.undefineTopic(topic),
      defineGroup: (group: TopicGroup) => this.definitions.defineGroup(group),
      redefineGroup: (group: TopicGroup) => this.definitions.redefineGroup(group),
      undefineGroup: (group: TopicGroup) => this.definitions.undefineGroup(group),
      holdGroup: (group: TopicGroup, hold: StoredHold) => this.definitions.holdGroup(group, hold),
      forgetExpired: () => this.#forgetExpired(),
      nextId: () => this.catalog.nextId(),
      partitionOpened: (partition) => this.catalog.partitionsById.set(partition.log.id, partition),
    };
  }

  /**
   * State that is kept for a limited time is normally dropped when its topic is written to. When a budget is
   * used up, this drops it in all topics.
   */
  #forgetExpired(): void {
    const nowMs = this.clock.monotonic();
    if (nowMs < this.#forgetNotBeforeMs) return;
    this.#forgetNotBeforeMs = nowMs + forgetEveryMs;
    for (const topic of this.catalog.topics.values()) topic.forgetExpired();
  }

  // ---- the broker as transactions, attributes and schedules see it

  #makeSchedulesHost(): SchedulesHost {
    const { commits, condition } = this;
    return {
      clock: this.clock,
      steady: this.steady,
      random: this.random,
      pacing: this.pacing,
      budgets: this.budgets,
      get refusal() {
        return condition.refusalForGood;
      },
      nextId: () => this.catalog.nextId(),
      topic: (name) => this.catalog.topics.get(name),
      topicById: (id) => this.catalog.topicsById.get(id),
      record: (kind, id, payload) => this.log.record(kind, id, payload),
      defined: commits.defined.bind(commits),
      afterCommit: commits.afterCommit.bind(commits),
      afterDefinitions: commits.afterDefinitions.bind(commits),
      uncongested: () =>
        this.log.congested ? new Promise((resolve) => this.uncongested.push(resolve)) : undefined,
    };
  }

  #makeTransactionsHost(): TransactionsHost {
    const { commits, condition } = this;
    return {
      clock: this.clock,
      steady: this.steady,
      get refusal() {
        return condition.refusalForGood;
      },
      record: (kind, id, payload) => this.log.record(kind, id, payload),
      afterCommit: commits.afterCommit.bind(commits),
      takeProducerId: () => this.producerIds.take(),
      partition: (id) => this.catalog.partition(id),
      partitions: () => this.catalog.partitionsById.values(),
      group: (id) => this.catalog.groupsById.get(id),
    };
  }

  #makeAttributesHost(): AttributesHost {
    const { commits, condition } = this;
    return {
      get refusal() {
        return condition.refusalForGood;
      },
      record: (entry) => this.log.record(EntryKind.attribute, 0, Buffer.from(JSON.stringify(entry))),
      afterCommit: commits.afterCommit.bind(commits),
    };
  }

  // ---- the broker as the log sees it

  #makeLogHost(): LogHost {
    const { commits } = this;
    return {
      opening: (log) => {
        this.#log = log;
        this.condition.log = log;
        this.commits.begin(log);
      },
      restore: (snapshot) => {
        this.#delayed = this.#makeDelayed();
        if (snapshot) this.replay.restore(snapshot);
      },
      replayBatch: (log, batch) => this.#replayBatch(log, batch),
      replayEntry: (kind, id, payload) => this.replay.apply(kind, id, payload),
      openPartitions: (mayHaveLost) => this.catalog.openPartitions(mayHaveLost),
      beforeSeal: commits.beforeSeal.bind(commits),
      sealed: commits.sealed.bind(commits),
      durable: (touched) => this.#onDurable(touched),
      relieved: () => this.#onRelieved(),
      volatileGrew: (touched) => this.#onVolatileGrew(touched),
      snapshot: () => writeSnapshot(this.#stored, this.clock, this.steady),
      failed: (error) => this.#onFailed(error),
      damaged: (report) => this.#onDamaged(report),
    };
  }

  #makeDelayed(): DelayedMessages {
    const { condition } = this;
    const log = this.log.openPartition(delayLogId);
    const host = {
      clock: this.clock,
      steady: this.steady,
      pacing: this.pacing,
      get refusal() {
        return condition.refusalForGood;
      },
      record: (kind: number, id: number, payload: Uint8Array) => this.log.record(kind, id, payload),
      awaitDelayed: this.commits.awaitDelayed.bind(this.commits),
      afterCommit: this.commits.afterCommit.bind(this.commits),
      partition: (id: number) => this.catalog.partition(id),
      append: (partitionId: number, record: Record, id: number) => {
        const partition = this.catalog.partition(partitionId);
        partition?.topic.takeDue(record, partition, id);
      },
    };
    return new DelayedMessages(log, host, this.budgets.meter('delayed'));
  }

  #replayBatch(log: PartitionLog, batch: Batch): void {
    const partition = this.catalog.partition(log.id);
    if (!partition) return; // a batch of delayed messages, or of a topic deleted since
    const filtered = [...partition.topic.groups.values()].filter((group) => group.isFiltered);
    const note = (record: Record): void => {
      for (const group of filtered) group.noteAppended(partition.index, record, record.offset);
    };
    partition.noteBatch(batch, filtered.length > 0 ? note : undefined);
  }

  /**
   * In this order: groups deliver, publishers get their "ok" and other callbacks run, the watermarks are
   * checked.
   */
  #onDurable(touched: readonly PartitionLog[]): void {
    this.#noteDurable(touched);
    this.commits.durable();
    this.watermarks.written(this.log.committedBytes);
  }

  #onRelieved(): void {
    for (const callback of this.uncongested.splice(0)) callback();
  }

  #noteDurable(touched: readonly PartitionLog[]): void {
    for (const { id } of touched) {
      const partition: TopicPartition | undefined = this.catalog.partitionsById.get(id);
      partition?.topic.noteDurable(partition);
    }
  }

  #onVolatileGrew(touched: readonly PartitionLog[]): void {
    this.#noteDurable(touched);
    this.commits.volatileGrew();
  }

  #onFailed(error: LogError): void {
    const failure = this.condition.failed(error);
    this.commits.failed(failure);
    if (!this.condition.isReady) return this.failedToOpen(error);
    this.events.emit({ kind: 'failed', error: failure });
    this.options.onFailed?.(error);
  }

  #onClockJumped(jump: ClockJump): void {
    this.schedules.clockJumped(jump.byMs);
    // The time may have been read while a commit is being written.
    this.clock.defer(() => this.#recordJump(jump));
    this.options.onClockJumped?.(jump);
  }

  /** Steady time goes on after a restart, so the jump is stored. */
  #recordJump(jump: ClockJump): void {
    if (this.#recordFrame()) this.events.emit({ kind: 'clock-jumped', byMs: jump.byMs });
  }

  /** Stores when the current frame of steady time begins. */
  #recordFrame(): boolean {
    const frame = this.steady.frames.at(-1);
    if (!frame || !this.condition.isReady || this.condition.refusalForGood) return false;
    writeClockFrame(this.#scratch.reset(), frame);
    this.log.record(EntryKind.clockJumped, 0, this.#scratch.view());
    this.commits.afterCommit(() => {});
    return true;
  }

  /** After the start: the clock may have been set back behind the last jump meanwhile. */
  clockRecovered(): void {
    if (this.steady.wasSetBack) this.#recordFrame();
  }

  #onDamaged(report: DamageReport): void {
    this.condition.damaged(report);
    this.options.onDamaged?.(report);
  }
}
