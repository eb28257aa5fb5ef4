import {
  Log,
  type Batch,
  type DamageReport,
  type Files,
  type LogError,
  type LogHost,
  type LogOptions,
  type LogStats,
  type PartitionLog,
  type Record,
} from '../log/index.ts';
import {
  BlockPool,
  ByteWriter,
  heapBytes,
  memoryForObjectsBytes,
  processFigures,
  SystemClock,
  SystemRandom,
  type Clock,
  type Random,
  SteadyTime,
  type ClockJump,
  type Timer,
} from '../util/index.ts';
import { Attributes, type AttributesHost } from './attributes.ts';
import type { BudgetName } from './budget-table.ts';
import { Budgets, budgetLimits, type BudgetLimits, type BudgetUse } from './budgets.ts';
import { Catalog, scheduleLogId } from './catalog.ts';
import { CommitCycle } from './commit-cycle.ts';
import { Compactor } from './retention/compactor.ts';
import type { DeadLetterRoute } from './dead-letters/dead-letter.ts';
import { Definitions } from './definitions.ts';
import { EntryKind, writeDedupeId, writeScheduleTrimmed } from './entries.ts';
import { BrokerError } from './errors.ts';
import * as events from './events.ts';
import type { Filter } from './partitions/filter.ts';
import { groupConfig, type GroupOptions } from './groups/group-config.ts';
import { Pacing } from './pacing.ts';
import type { Partition } from './partitions/partition.ts';
import { ProducerIds } from './transactions/producer-ids.ts';
import type { PublishListener } from './topics/publishes.ts';
import {
  publishToAll,
  type PublishToAllListener,
  type PublishToAllMode,
  type PublishToAllOptions,
} from './topics/publish-to-all.ts';
import { defaultGroup, type Queue } from './queue.ts';
import { readReceipt, writeReceipt, type Receipt } from './groups/receipt.ts';
import { redrive, type RedriveOptions, type Redriven } from './dead-letters/redrive.ts';
import { Router } from './live/router.ts';
import { Runs } from './partitions/runs.ts';
import { Schedule, type ScheduleHost } from './topics/schedule.ts';
import type { Topic, TopicGroup, TopicHost } from './topics/topic.ts';
import { topicConfig, type TopicConfig, type TopicOptions } from './topics/topic-config.ts';
import type { TransactionLimits } from './transactions/transaction-limits.ts';
import { Transactions, type TransactionsHost } from './transactions/transactions.ts';
import { Watermarks, type WatermarkOptions } from './watermarks.ts';

/** What happened, with topics and groups in full. */
export type BrokerEvent = events.BrokerEvent<Topic, TopicGroup>;
export type DeliveryEvent = events.DeliveryEvent<TopicGroup>;

/** Where the broker lives, and what it is made of. */
export interface BrokerOptions {
  readonly dir: string;
  readonly files: Files;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly watermarks?: Partial<WatermarkOptions>;
  readonly log?: Partial<LogOptions>;
  readonly transactions?: Partial<TransactionLimits>;
  /**
   * Limits of what there may be at once; what is not given is sized to the memory there is. See budgets.ts.
   */
  readonly budgets?: Partial<BudgetLimits>;
  /**
   * The log failed: nothing will be acked any more, and the process should end. Called once; not while
   * {@link Broker.open} can still reject.
   */
  readonly onFailed?: (error: LogError) => void;
  readonly onDamaged?: (report: DamageReport) => void;
  /**
   * The wall clock was set, or the machine slept. Windows, ages and delays of what arrived since the start do
   * not follow.
   */
  readonly onClockJumped?: (jump: ClockJump) => void;
  /** Memory in use, in bytes; by default the process's resident set. */
  readonly memoryBytes?: () => number;
  /** Bytes on the heap; by default V8's, or none where `memoryBytes` is given. */
  readonly heapBytes?: () => number;
}

/** Whether the broker is fit to serve. */
export interface BrokerHealth {
  readonly ready: boolean;
  readonly diskFull: boolean;
  readonly memoryFull: boolean;
  readonly failed: string | undefined;
  readonly damage: readonly DamageReport[];
  /**
   * Something was lost or set aside since the start: what is left is served. What to do, in a sentence;
   * undefined: nothing.
   */
  readonly degraded: string | undefined;
  /**
   * How often the wall clock jumped since the start, and by how much it is ahead of where it would be
   * without.
   */
  readonly clockJumps: number;
  readonly clockAheadMs: number;
}

export interface BrokerStats {
  readonly topics: number;
  readonly groups: number;
  readonly scheduled: number;
  /** Of everything that has a limit: how many there are, and may be. */
  readonly budgets: { readonly [name in BudgetName]: BudgetUse };
  readonly diskFreeBytes: number | undefined;
  /** Until the disk's watermark is passed, if it goes on like this; undefined when it does not near. */
  readonly diskTimeToFullMs: number | undefined;
  readonly log: LogStats;
}

const adviceOnDamage =
  'Stored data was missing or damaged; the rest is served. Compare with a backup, look into quarantine/ and the reports in "health.damage", and see "pillarbox doctor".';
/** Beyond it V8 collects ever more often, and ends the process when that is not enough. */
const defaultHeapShare = 0.85;
/** A walk through all topics. */
const forgetEveryMs = 1000;
/** Reports that `health` keeps, the first ones; all are told to `onDamaged`. */
const damageReportsMax = 1000;
/** At most so long does the start wait for age limits; what they have left to remove goes after it. */
const removeAgedMsMax = 1000;

/**
 * The broker: topics and groups over one log, and the router of live subjects beside them. It speaks no
 * protocol.
 *
 * What one synchronous run of it changes is one commit, whole or not at all.
 */
export class Broker {
  readonly router: Router;
  readonly transactions: Transactions;
  /**
   * Where frontends take the memory for batches that they bring whole: it is used again when the log needs it
   * no longer.
   */
  readonly blocks: BlockPool;
  readonly attributes: Attributes;
  /** What there is of everything that grows with what clients ask for, and may be. */
  readonly budgets: Budgets;
  readonly #events = new events.Events<Topic, TopicGroup>();
  readonly #options: BrokerOptions;
  /** Where long work waits between its pieces. */
  readonly pacing: Pacing;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #steady: SteadyTime;
  readonly #watermarks: Watermarks;
  readonly #catalog: Catalog;
  readonly #definitions: Definitions;
  readonly #core: TopicHost;
  readonly #compactor: Compactor;
  #log!: Log;
  #schedule!: Schedule;
  readonly #uncongested: (() => void)[] = [];
  readonly #deadLetterRoutes = new Map<string, DeadLetterRoute>();
  readonly #scratch = new ByteWriter();
  readonly #producerIds = new ProducerIds({
    record: (end) => this.#log.record(EntryKind.producerIds, 0, this.#scratch.reset().uvarint(end).view()),
    afterCommit: (callback) => this.afterCommit(callback),
  });
  readonly #commits: CommitCycle;
  readonly #damage: DamageReport[] = [];
  /** Offsets that a damaged journal held. */
  readonly #lost: DamageReport[] = [];
  #forgetNotBeforeMs = 0;
  #failure: BrokerError | undefined = undefined;
  /** Rejects the opening under way: who waits for a commit that never comes would not. */
  #failedToOpen: (error: LogError) => void = () => {};
  #ready = false;
  #runName: string | undefined = undefined;
  #closed: Promise<void> | undefined = undefined;

  private constructor(options: BrokerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? new SystemClock();
    this.pacing = new Pacing(this.#clock);
    this.#random = options.random ?? new SystemRandom();
    this.blocks = options.log?.blocks ?? new BlockPool();
    this.#steady = new SteadyTime(this.#clock, (jump) => options.onClockJumped?.(jump));
    this.#watermarks = new Watermarks(
      {
        diskFreeBytesMin: undefined,
        memoryBytesMax: Infinity,
        heapBytesMax: Math.floor(heapBytes().limit * defaultHeapShare),
        ...options.watermarks,
      },
      {
        files: options.files,
        dir: options.dir,
        clock: this.#clock,
        memoryBytes: options.memoryBytes ?? (() => processFigures().rss),
        heapBytes: options.heapBytes ?? (options.memoryBytes ? () => 0 : () => heapBytes().used),
        unflushedBytes: () => this.#log.unflushedBytes,
        checked: (diskFull) => {
          this.#log.roomIsShort(diskFull);
          this.#steady.now(); // notices a jump also when nobody asks for the time
        },
      },
    );
    this.#commits = new CommitCycle(() => this.#log, this.#clock);
    this.budgets = new Budgets(budgetLimits(memoryForObjectsBytes(), options.budgets), (looks) =>
      this.#watermarks.memoryRefusal(looks),
    );
    this.router = new Router(this.#random, this.budgets);
    this.#core = this.#makeCore();
    this.transactions = new Transactions(this.#makeTransactionsHost(), {
      producersMax: this.budgets.limit('transactionalIds'),
      openMax: this.budgets.limit('openTransactions'),
      ...options.transactions,
    });
    this.budgets.count('transactionalIds', () => this.transactions.size);
    this.budgets.count('openTransactions', () => this.transactions.openCount);
    this.attributes = new Attributes(this.#makeAttributesHost(), this.budgets);
    this.#catalog = new Catalog(
      this.#core,
      () => this.#schedule,
      this.#producerIds,
      this.transactions,
      this.attributes,
    );
    this.#definitions = new Definitions({
      core: this.#core,
      catalog: this.#catalog,
      router: this.router,
      commits: this.#commits,
      log: () => this.#log,
    });
    this.#compactor = new Compactor(this.#clock, () => this.#catalog.partitionsById.values());
  }

  /** Opens the data directory, recovers what it holds, and begins. Rejects with a LogError. */
  static async open(options: BrokerOptions): Promise<Broker> {
    const broker = new Broker(options);
    await broker.#openLog();
    try {
      await new Promise<void>((resolve, reject) => {
        if (broker.#failure) throw broker.#failure.cause; // already
        broker.#failedToOpen = reject;
        broker.#recover().then(resolve, reject);
      });
    } catch (error) {
      await broker.close().catch(() => undefined); // it has failed already
      throw error;
    }
    return broker;
  }

  async #openLog(): Promise<void> {
    const { dir, files, log: logOptions } = this.#options;
    await Log.open(this.#makeHost(), {
      ...logOptions,
      blocks: this.blocks,
      dir,
      files,
      clock: this.#clock,
      random: this.#random,
    });
  }

  /** Makes good for what the journal cannot say, and begins. */
  async #recover(): Promise<void> {
    // Definitions were lost; a new partition must not get old messages.
    this.#catalog.noteIds(this.#log.orphans);
    this.#lose(this.#lost);
    this.#catalog.recovered();
    for (const topic of this.topics.values()) {
      for (const partition of topic.partitions.opened.slice()) {
        const isStale = partition.accounting.size > 0;
        await partition.accounting.run().catch(() => undefined); // tried again with the next commit
        for (const group of isStale ? topic.groups.values() : [])
          await group.recountRecovered(partition.index).catch(() => undefined);
        await partition.trackKeys(topic.config);
      }
      this.#definitions.bind(topic);
    }
    await this.#beforeClients();
    await this.#watermarks.start();
    if (this.#failure) return; // `open` has rejected
    this.#ready = true;
    this.transactions.resume();
    this.#schedule.resume();
    this.#compactor.start();
    for (const topic of this.topics.values()) topic.resume();
  }

  /** Age limits and keys under way hold before the first client asks; the journal does not tell of them. */
  async #beforeClients(): Promise<void> {
    const topics = [...this.topics.values()];
    let timer: Timer | undefined;
    const slow = new Promise<void>((resolve) => {
      timer = this.#clock.setTimer(removeAgedMsMax, resolve);
    });
    await Promise.race([Promise.all(topics.map((topic) => topic.removeAged())), slow]);
    timer?.cancel();
    for (const topic of topics) for (const group of topic.groups.values()) await group.lockResumedKeys();
  }

  // ---- topics

  get topics(): ReadonlyMap<string, Topic> {
    return this.#catalog.topics;
  }

  topic(name: string): Topic | undefined {
    return this.#catalog.topics.get(name);
  }

  /** A topic by the id that it alone ever has in this data directory. */
  topicById(id: number): Topic | undefined {
    return this.#catalog.topicsById.get(id);
  }

  /**
   * Creates a topic; resolves once that is durable. Rejects with `topic-exists`, `subjects-overlap` or
   * `topic-config-invalid`.
   */
  async createTopic(options: TopicOptions): Promise<Topic> {
    const config = this.checkNewTopic(options);
    return this.#defined(() => this.#definitions.defineTopic(config));
  }

  /** What {@link createTopic} would make of these options. Throws what it would reject with. */
  checkNewTopic(options: TopicOptions): TopicConfig {
    const config = topicConfig(options);
    this.#checkOpen();
    if (this.topics.has(config.name)) {
      throw new BrokerError('topic-exists', `There is a topic "${config.name}" already.`, {
        topic: config.name,
      });
    }
    this.budgets.check('topics');
    this.budgets.check('partitions', config.partitions);
    this.#definitions.checkSubjects(config);
    return config;
  }

  /**
   * Creates a queue: a topic whose acked messages are deleted, and its group, named {@link defaultGroup}
   * unless the options say otherwise. Both are in one commit, so that a crash never leaves a queue that no
   * group reads. Resolves once that is durable. Rejects as {@link createTopic} and `Topic.createGroup` do.
   */
  async defineQueue(options: TopicOptions, group: Partial<GroupOptions> = {}): Promise<Queue> {
    const groupDefinition = groupConfig({ name: defaultGroup, ...group });
    const config = this.checkNewTopic({ retention: 'queue', ...options });
    this.budgets.check('groups');
    this.budgets.check('positions', config.partitions);
    return this.#defined(() => this.#definitions.defineQueue(config, groupDefinition));
  }

  /** A receipt as text, for a client that answers with it later, also after a restart. */
  writeReceipt(receipt: Receipt): string {
    return writeReceipt(receipt, this.#run);
  }

  /**
   * A receipt as {@link writeReceipt} wrote it, stale or not; undefined when the text is none, or the group
   * is gone.
   */
  readReceipt(text: string): Receipt | undefined {
    return readReceipt(text, this.#run, (id) => this.#catalog.groupsById.get(id));
  }

  /** A name that no other run of a broker on this directory has. */
  get #run(): string {
    return (this.#runName ??= Buffer.from(this.#random.bytes(6)).readUIntBE(0, 6).toString(36));
  }

  /** See {@link publishToAll}. */
  publishToAll<T>(
    topics: readonly Topic[],
    record: Record,
    options: PublishToAllOptions | undefined,
    mode: PublishToAllMode,
    listener: PublishToAllListener<T>,
    token: T,
  ): void {
    publishToAll(topics, record, options, mode, listener, token);
  }

  /**
   * Partitions that are on disk and of no topic: the definition of theirs was lost. Nothing touches them
   * until they are adopted.
   */
  get orphans(): readonly number[] {
    return this.#log.orphans;
  }

  /**
   * Makes an orphan readable again, as a topic of one partition; resolves once that is durable. Rejects as
   * {@link createTopic} does.
   */
  async adopt(orphan: number, name: string): Promise<Topic> {
    const config = topicConfig({ name });
    this.#checkOpen();
    if (!this.#log.orphans.includes(orphan))
      throw new BrokerError('not-allowed', `There is no partition ${orphan} without a topic.`);
    if (this.topics.has(name))
      throw new BrokerError('topic-exists', `There is a topic "${name}" already.`, { topic: name });
    this.budgets.check('topics');
    return this.#defined(() => {
      const topic = this.#definitions.defineTopic(config, [orphan]);
      this.#lose(this.#lost.filter(({ partitionId }) => partitionId === orphan));
      return topic;
    });
  }

  /** What a damaged journal held of a partition is no message of it. */
  #lose(reports: readonly DamageReport[]): void {
    for (const { partitionId = -1, fromOffset = 0, toOffset = 0 } of reports)
      this.#catalog.partition(partitionId)?.lose(fromOffset, toOffset);
  }

  async #defined<T>(define: () => T): Promise<T> {
    const defined = define();
    await new Promise<void>((resolve) => {
      if (!this.#failure) this.#commits.afterDefinitions(resolve);
    });
    return defined;
  }

  /**
   * Brings a route of dead letters: policies name it, and it says at each dead letter which topics get it. A
   * name is one protocol's own. Returns the call that takes it away again.
   */
  addDeadLetterRoute(name: string, route: DeadLetterRoute): () => void {
    if (this.#deadLetterRoutes.has(name))
      throw new Error(`There is a route of dead letters "${name}" already.`);
    this.#deadLetterRoutes.set(name, route);
    return () => this.#deadLetterRoutes.delete(name);
  }

  /**
   * Puts dead letters back where they came from; resolves, when that is durable, to how many, and how many
   * stayed and why.
   */
  redrive(letters: Topic, options: RedriveOptions = {}): Promise<Redriven> {
    return redrive(this.#core, letters, options);
  }

  // ---- what watchers need

  get events(): {
    subscribe(listener: (event: BrokerEvent) => void): () => void;
  } {
    return this.#events;
  }

  /** Whose data this is: 16 bytes that stay with the data directory. */
  get uuid(): Uint8Array {
    return this.#log.uuid;
  }

  /** An id for a producer that wants its batches stored once; no other ever gets the same. */
  nextProducerId(): Promise<number> {
    return this.#producerIds.take();
  }

  get clock(): Clock {
    return this.#clock;
  }

  get random(): Random {
    return this.#random;
  }

  /** Calls back when everything done so far is on disk; never, when the log has failed: the process ends. */
  afterCommit(callback: () => void): void {
    if (!this.#failure) this.#commits.afterCommit(callback);
  }

  /** More waits for the next commit than is good: publishers should pause until {@link onUncongested}. */
  get congested(): boolean {
    return this.#log.congested;
  }

  /** Calls back once, when the broker is not congested any more. */
  onUncongested(callback: () => void): void {
    if (this.#log.congested) this.#uncongested.push(callback);
    else callback();
  }

  get health(): BrokerHealth {
    return {
      ready: this.#ready && !this.#failure && !this.#closed,
      diskFull: this.#watermarks.diskFull || this.#log.stalled !== undefined,
      memoryFull: this.#watermarks.memoryFull,
      failed: this.#failure?.message,
      damage: this.#damage,
      degraded: this.#damage.length === 0 ? undefined : adviceOnDamage,
      clockJumps: this.#steady.jumps,
      clockAheadMs: Math.round(this.#steady.aheadMs),
    };
  }

  stats(): BrokerStats {
    return {
      topics: this.topics.size,
      groups: this.#catalog.groupsById.size,
      scheduled: this.#schedule.size,
      budgets: this.budgets.use(),
      diskFreeBytes: this.#watermarks.diskFreeBytes,
      diskTimeToFullMs: this.#watermarks.diskTimeToFullMs,
      log: this.#log.stats,
    };
  }

  /**
   * Syncs the segments, writes the state down and frees the journal. Happens by itself; for tests and
   * operators.
   */
  checkpoint(): Promise<void> {
    return this.#log.checkpoint();
  }

  /**
   * Rewrites segments that are mostly empty; resolves to how many. Happens by itself; for tests and
   * operators.
   */
  compact(): Promise<number> {
    return this.#compactor.run();
  }

  /**
   * Ends deliveries, commits what was done, and leaves a checkpoint, so that the next start has nothing to
   * replay.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#commits.stop();
    this.#watermarks.stop();
    this.#schedule.stop();
    this.transactions.stop();
    for (const topic of this.topics.values()) topic.close('closed');
    await this.#compactor.stop();
    await this.#log.close();
  }

  #checkOpen(): void {
    if (this.#refusalForGood()) throw this.#refusalForGood()!;
  }

  /**
   * No room for the next journal file, whatever the watermark says: what is left of the current one is for
   * acks, so that consumers go on.
   */
  #refusalWhileStalled(): BrokerError | undefined {
    const { stalled } = this.#log;
    return (
      stalled &&
      new BrokerError(
        'storage-full',
        `The disk of ${this.#options.dir} is full: the journal cannot grow. Consume or purge topics, or free space.`,
        {},
        stalled,
      )
    );
  }

  #refusalForGood(): BrokerError | undefined {
    if (this.#failure) return this.#failure;
    return this.#closed && new BrokerError('closed', 'The broker is closed.');
  }

  // ---- the broker as topics and groups see it

  #makeCore(): TopicHost {
    // oxlint-disable-next-line typescript/no-this-alias -- accessors below need both `this`
    const broker = this;
    return {
      clock: this.#clock,
      steady: this.#steady,
      pacing: this.pacing,
      random: this.#random,
      get log() {
        return broker.#log;
      },
      get transactions() {
        return broker.transactions;
      },
      budgets: this.budgets,
      get recovering() {
        return !broker.#ready;
      },
      get refusal() {
        return broker.#watermarks.refusal ?? broker.#refusalWhileStalled() ?? broker.#refusalForGood();
      },
      emit: (event: BrokerEvent) => this.#events.emit(event),
      damaged: (report) => this.#onDamaged(report),
      awaitCommit: (listener, token, partition, offset, duplicate) =>
        this.#commits.await(listener, token, partition, offset, duplicate),
      afterCommit: (callback) => this.afterCommit(callback),
      partitionChanged: (partition) => this.#commits.partitionChanged(partition),
      groupChanged: (group, urgency) => this.#commits.groupChanged(group, urgency),
      recordDedupeId: (topic, partition, offset, timeMs, id) => {
        if (topic.config.durability === 'memory') return;
        writeDedupeId(this.#scratch.reset(), partition, offset, timeMs, id);
        this.#log.record(EntryKind.dedupeId, topic.id, this.#scratch.view());
      },
      schedule: (partition, record, dueMs, listener, token) =>
        this.#scheduleMessage(partition, record, dueMs, listener, token),
      unschedule: (partition, filter) => this.#unschedule(partition, filter),
      topic: (name) => this.topic(name),
      checkSubjects: (config) => this.#definitions.checkSubjects(config),
      deadLetterRoute: (name) => this.#deadLetterRoutes.get(name),
      ensureTopic: (options) =>
        this.topic(options.name) ?? this.#definitions.defineTopic(topicConfig(options)),
      redefineTopic: (topic) => this.#definitions.redefineTopic(topic),
      undefineTopic: (topic) => this.#definitions.undefineTopic(topic),
      defineGroup: (group: TopicGroup) => this.#definitions.defineGroup(group),
      redefineGroup: (group: TopicGroup) => this.#definitions.redefineGroup(group),
      undefineGroup: (group: TopicGroup) => this.#definitions.undefineGroup(group),
      forgetExpired: () => this.#forgetExpired(),
      nextId: () => this.#catalog.nextId(),
      partitionOpened: (partition) => this.#catalog.partitionsById.set(partition.log.id, partition),
    };
  }

  #unschedule({ log: { id } }: Partition, filter: Filter | undefined): number | Promise<number> {
    if (filter === undefined) return this.#takeBack(this.#schedule.offsetsOf(id));
    return this.#schedule.matching(id, filter).then((offsets) => this.#takeBack(offsets));
  }

  #takeBack(offsets: readonly number[]): number {
    if (offsets.length === 0) return 0;
    const runs = new Runs();
    for (const offset of offsets) runs.add(offset);
    writeScheduleTrimmed(this.#scratch.reset(), runs.bounds());
    this.#log.record(EntryKind.scheduleTrimmed, 0, this.#scratch.view());
    this.#schedule.remove(offsets);
    return offsets.length;
  }

  /**
   * What is remembered for a time only goes when its topic is written to; where a budget is used up, it goes
   * everywhere.
   */
  #forgetExpired(): void {
    const nowMs = this.#clock.monotonic();
    if (nowMs < this.#forgetNotBeforeMs) return;
    this.#forgetNotBeforeMs = nowMs + forgetEveryMs;
    for (const topic of this.topics.values()) topic.forgetExpired();
  }

  #scheduleMessage<T>(
    partition: Partition,
    record: Record,
    dueMs: number,
    listener: PublishListener<T>,
    token: T,
  ): void {
    const offset = this.#schedule.append(record);
    this.#log.record(
      EntryKind.scheduled,
      partition.log.id,
      this.#scratch.reset().uvarint(offset).uvarint(dueMs).view(),
    );
    this.#schedule.add(offset, dueMs, partition.log.id);
    this.#commits.awaitScheduled(listener, token, partition);
  }

  // ---- the broker as transactions see it

  #makeTransactionsHost(): TransactionsHost {
    // oxlint-disable-next-line typescript/no-this-alias -- the accessor below needs both `this`
    const broker = this;
    return {
      clock: this.#clock,
      steady: this.#steady,
      get refusal() {
        return broker.#refusalForGood();
      },
      record: (kind, id, payload) => this.#log.record(kind, id, payload),
      afterCommit: (callback) => this.afterCommit(callback),
      takeProducerId: () => this.#producerIds.take(),
      partition: (id) => this.#catalog.partition(id),
      partitions: () => this.#catalog.partitionsById.values(),
      group: (id) => this.#catalog.groupsById.get(id),
    };
  }

  // ---- the broker as attributes see it

  #makeAttributesHost(): AttributesHost {
    // oxlint-disable-next-line typescript/no-this-alias -- the accessor below needs both `this`
    const broker = this;
    return {
      get refusal() {
        return broker.#refusalForGood();
      },
      record: (entry) => this.#log.record(EntryKind.attribute, 0, Buffer.from(JSON.stringify(entry))),
      afterCommit: (callback) => this.afterCommit(callback),
    };
  }

  // ---- the broker as the log sees it

  #makeHost(): LogHost {
    const scheduleHost: ScheduleHost = {
      clock: this.#clock,
      steady: this.#steady,
      due: (partitionId, offset, record) => {
        const partition = this.#catalog.partition(partitionId);
        record.timestampMs = this.#clock.now(); // age counts from here, and the log's times do not go backwards
        partition?.topic.appendAccepted(record, partition);
        this.#log.record(EntryKind.unscheduled, 0, this.#scratch.reset().uvarint(offset).view());
      },
    };
    return {
      opening: (log) => {
        this.#log = log;
      },
      restore: (snapshot) => {
        this.#schedule = new Schedule(
          this.#log.openPartition(scheduleLogId),
          scheduleHost,
          this.budgets.meter('scheduled'),
        );
        if (snapshot) this.#catalog.restore(snapshot);
      },
      replayBatch: (log, batch) => this.#replayBatch(log, batch),
      replayEntry: (kind, id, payload) => this.#catalog.apply(kind, id, payload),
      openPartitions: (mayHaveLost) => this.#catalog.openPartitions(mayHaveLost),
      beforeSeal: () => this.#commits.beforeSeal(),
      sealed: () => this.#commits.sealed(),
      durable: (touched) => this.#onDurable(touched),
      relieved: () => this.#onRelieved(),
      volatileGrew: (touched) => this.#onVolatileGrew(touched),
      snapshot: () => this.#catalog.snapshot(),
      failed: (error) => this.#onFailed(error),
      damaged: (report) => this.#onDamaged(report),
    };
  }

  #replayBatch(log: PartitionLog, batch: Batch): void {
    const partition = this.#catalog.partition(log.id);
    if (!partition) return; // the schedule's own, or a topic deleted since
    const filtered = [...partition.topic.groups.values()].filter((group) => group.isFiltered);
    const note = (record: Record): void => {
      for (const group of filtered) group.noteAppended(partition.index, record, record.offset);
    };
    partition.noteBatch(batch, filtered.length > 0 ? note : undefined);
  }

  /** In this order: groups deliver, publishers hear "ok", others go on. */
  #onDurable(touched: readonly PartitionLog[]): void {
    this.#noteDurable(touched);
    this.#commits.durable();
    this.#watermarks.written(this.#log.committedBytes);
  }

  #onRelieved(): void {
    for (const callback of this.#uncongested.splice(0)) callback();
  }

  #noteDurable(touched: readonly PartitionLog[]): void {
    for (const { id } of touched) {
      const partition = this.#catalog.partitionsById.get(id);
      partition?.topic.noteDurable(partition);
    }
  }

  #onVolatileGrew(touched: readonly PartitionLog[]): void {
    this.#noteDurable(touched);
    this.#commits.volatileGrew();
  }

  #onFailed(error: LogError): void {
    this.#failure = new BrokerError(
      'storage-failed',
      `Writing to ${this.#options.dir} failed: ${error.message}`,
      {},
      error,
    );
    this.#commits.failed(this.#failure);
    if (!this.#ready) return this.#failedToOpen(error);
    this.#events.emit({ kind: 'failed', error: this.#failure });
    this.#options.onFailed?.(error);
  }

  #onDamaged(report: DamageReport): void {
    // Only a start reads the journal; what it lost is taken out when all of it has been read.
    if (report.kind === 'journal' && report.fromOffset !== undefined) this.#lost.push(report);
    if (this.#damage.length < damageReportsMax) this.#damage.push(report);
    this.#options.onDamaged?.(report);
  }
}
