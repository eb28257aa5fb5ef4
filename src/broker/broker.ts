import type { LogStats, Record } from '../log/index.ts';
import type { BlockPool, Clock, Random } from '../util/index.ts';
import { Assembly, type BrokerEvent } from './assemble.ts';
import type { Attributes } from './attributes.ts';
import type { BrokerOptions } from './broker-options.ts';
import type { BudgetName } from './budget-table.ts';
import type { Budgets, BudgetUse } from './budgets.ts';
import type { BrokerHealth } from './condition.ts';
import type { DeadLetterRoute } from './dead-letters/dead-letter.ts';
import { redrive, type RedriveOptions, type Redriven } from './dead-letters/redrive.ts';
import { BrokerError } from './errors.ts';
import { groupConfig, type GroupOptions } from './groups/group-config.ts';
import { readReceipt, writeReceipt, type Receipt } from './groups/receipt.ts';
import type { Router } from './live/router.ts';
import type { Pacing } from './pacing.ts';
import { defaultGroup, type Queue } from './queue.ts';
import { recover } from './recovery.ts';
import {
  publishToAll,
  type PublishToAllListener,
  type PublishToAllMode,
  type PublishToAllOptions,
} from './topics/publish-to-all.ts';
import type { Schedules } from './schedules/schedules.ts';
import type { DelayedMessages } from './topics/delayed-messages.ts';
import type { Topic } from './topics/topic.ts';
import { topicConfig, type TopicConfig, type TopicOptions } from './topics/topic-config.ts';
import type { Transactions } from './transactions/transactions.ts';

export interface BrokerStats {
  readonly topics: number;
  readonly groups: number;
  readonly delayed: number;
  readonly schedules: number;
  /** The use and the limit of each budget. */
  readonly budgets: { readonly [name in BudgetName]: BudgetUse };
  readonly diskFreeBytes: number | undefined;
  /** Time until the disk passes its watermark, at the current rate; undefined if it is not getting closer. */
  readonly diskTimeToFullMs: number | undefined;
  readonly log: LogStats;
}

/**
 * The broker: topics and groups over one log, and the router of live subjects. It does not depend on any
 * protocol.
 *
 * All changes of one synchronous run are one commit, which is durable as a whole or not at all.
 */
export class Broker {
  readonly router: Router;
  readonly transactions: Transactions;
  /**
   * The memory pool for batches that frontends bring complete. The log returns the memory when it no longer
   * needs it.
   */
  readonly blocks: BlockPool;
  readonly attributes: Attributes;
  /** The use and the limits of everything that grows on clients' demand. */
  readonly budgets: Budgets;
  /** Long work waits here between its pieces. */
  readonly pacing: Pacing;
  readonly #parts: Assembly;
  #runName: string | undefined = undefined;
  #closing: Promise<void> | undefined = undefined;

  private constructor(parts: Assembly) {
    this.#parts = parts;
    this.router = parts.router;
    this.transactions = parts.transactions;
    this.blocks = parts.blocks;
    this.attributes = parts.attributes;
    this.budgets = parts.budgets;
    this.pacing = parts.pacing;
  }

  /** Opens the data directory, recovers its content, and starts. Rejects with a LogError. */
  static async open(options: BrokerOptions): Promise<Broker> {
    const parts = new Assembly(options);
    const broker = new Broker(parts);
    await parts.openLog();
    try {
      await new Promise<void>((resolve, reject) => {
        if (parts.condition.failure) throw parts.condition.failure.cause; // the log has failed already
        parts.failedToOpen = reject;
        recover(parts).then(resolve, reject);
      });
    } catch (error) {
      await broker.close().catch(() => undefined); // it has failed already
      throw error;
    }
    return broker;
  }

  // ---- topics

  get topics(): ReadonlyMap<string, Topic> {
    return this.#parts.catalog.topics;
  }

  topic(name: string): Topic | undefined {
    return this.#parts.catalog.topics.get(name);
  }

  /** The topic with this id. Ids are never reused in a data directory. */
  topicById(id: number): Topic | undefined {
    return this.#parts.catalog.topicsById.get(id);
  }

  /**
   * Creates a topic; resolves when it is durable. Rejects with `topic-exists`, `subjects-overlap` or
   * `topic-config-invalid`.
   */
  async createTopic(options: TopicOptions): Promise<Topic> {
    const config = this.checkNewTopic(options);
    return this.#defined(() => this.#parts.definitions.defineTopic(config));
  }

  /**
   * The configuration that {@link createTopic} would store for these options. Throws the error that it would
   * reject with.
   */
  checkNewTopic(options: TopicOptions): TopicConfig {
    const config = topicConfig(options);
    this.#parts.condition.checkOpen();
    if (this.topics.has(config.name)) {
      throw new BrokerError('topic-exists', `There is a topic "${config.name}" already.`, {
        topic: config.name,
      });
    }
    this.budgets.check('topics');
    this.budgets.check('partitions', config.partitions);
    this.#parts.definitions.checkSubjects(config);
    return config;
  }

  /**
   * Creates a queue: a topic whose acked messages are deleted, and its group, named {@link defaultGroup}
   * unless the options give another name. Both are in one commit, so that a crash never leaves a queue
   * without its group. Resolves when it is durable. Rejects as {@link createTopic} and `Topic.createGroup`
   * do.
   */
  async defineQueue(options: TopicOptions, group: Partial<GroupOptions> = {}): Promise<Queue> {
    const groupDefinition = groupConfig({ name: defaultGroup, ...group });
    const config = this.checkNewTopic({ retention: 'queue', ...options });
    this.budgets.check('groups');
    this.budgets.check('positions', config.partitions);
    return this.#defined(() => this.#parts.definitions.defineQueue(config, groupDefinition));
  }

  /** A receipt as text, for a client that answers later, possibly after a restart. */
  writeReceipt(receipt: Receipt): string {
    return writeReceipt(receipt, this.#run);
  }

  /**
   * Reads the text of {@link writeReceipt}; the receipt may be stale. Undefined if the text is not a receipt
   * or the group no longer exists.
   */
  readReceipt(text: string): Receipt | undefined {
    return readReceipt(text, this.#run, (id) => this.#parts.catalog.groupsById.get(id));
  }

  /** A name for this run of the broker, unique in this directory. */
  get #run(): string {
    return (this.#runName ??= Buffer.from(this.#parts.random.bytes(6)).readUIntBE(0, 6).toString(36));
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
   * Partitions on disk that belong to no topic, because the definition of the topic was lost. They are left
   * untouched until they are adopted.
   */
  get orphans(): readonly number[] {
    return this.#parts.log.orphans;
  }

  /**
   * Makes an orphan readable again, as a topic of one partition; resolves when that is durable. Rejects as
   * {@link createTopic} does.
   */
  async adopt(orphan: number, name: string): Promise<Topic> {
    const config = topicConfig({ name });
    this.#parts.condition.checkOpen();
    if (!this.#parts.log.orphans.includes(orphan))
      throw new BrokerError('not-allowed', `There is no partition ${orphan} without a topic.`);
    if (this.topics.has(name))
      throw new BrokerError('topic-exists', `There is a topic "${name}" already.`, { topic: name });
    this.budgets.check('topics');
    return this.#defined(() => {
      const topic = this.#parts.definitions.defineTopic(config, [orphan]);
      this.#parts.lose(this.#parts.condition.lost.filter(({ partitionId }) => partitionId === orphan));
      return topic;
    });
  }

  async #defined<T>(define: () => T): Promise<T> {
    const defined = define();
    await new Promise<void>((resolve) => {
      this.#parts.commits.afterDefinitions(resolve);
    });
    return defined;
  }

  /**
   * Registers a dead-letter route under a name. Policies refer to it by name, and for each dead letter the
   * route returns the topics that get it. Each protocol uses its own names. Returns the function that removes
   * the route.
   */
  addDeadLetterRoute(name: string, route: DeadLetterRoute): () => void {
    if (this.#parts.deadLetterRoutes.has(name))
      throw new Error(`There is a route of dead letters "${name}" already.`);
    this.#parts.deadLetterRoutes.set(name, route);
    return () => this.#parts.deadLetterRoutes.delete(name);
  }

  /**
   * Moves dead letters back to their topics of origin. Resolves, when that is durable, to the number of moved
   * messages, and to those that stayed, with the reasons.
   */
  redrive(
    letters: Topic,
    options: RedriveOptions = {},
    mayGoTo?: (topic: string) => boolean,
  ): Promise<Redriven> {
    return redrive(this.#parts.topicHost, letters, options, mayGoTo);
  }

  /** Delayed messages: list, read, move, cancel, publish now. */
  get delayed(): DelayedMessages {
    return this.#parts.delayed;
  }

  /** Schedules: messages that are published again and again, or at a time. */
  get schedules(): Schedules {
    return this.#parts.schedules;
  }

  // ---- for frontends and operators

  get events(): {
    subscribe(listener: (event: BrokerEvent) => void): () => void;
  } {
    return this.#parts.events;
  }

  /** The identity of the data directory: 16 bytes that never change. */
  get uuid(): Uint8Array {
    return this.#parts.log.uuid;
  }

  /** A unique id for an idempotent producer; it is never given out again. */
  nextProducerId(): Promise<number> {
    return this.#parts.producerIds.take();
  }

  get clock(): Clock {
    return this.#parts.clock;
  }

  get random(): Random {
    return this.#parts.random;
  }

  /**
   * Calls back when all changes so far are on disk. If the log has failed it never calls back: the process
   * ends.
   */
  afterCommit(callback: () => void): void {
    this.#parts.commits.afterCommit(callback);
  }

  /** Whether too much waits for the next commit. Publishers should then pause until {@link onUncongested}. */
  get congested(): boolean {
    return this.#parts.log.congested;
  }

  /** Calls back once, when the broker is no longer congested. */
  onUncongested(callback: () => void): void {
    if (this.#parts.log.congested) this.#parts.uncongested.push(callback);
    else callback();
  }

  /**
   * Why every publish is refused until disk or memory have room again; undefined: they have. A publisher may
   * wait for {@link onRoom} instead of being refused.
   */
  get shortage(): BrokerError | undefined {
    return this.#parts.condition.shortage;
  }

  /** Calls back once, when a shortage is over: within a second. */
  onRoom(callback: () => void): void {
    this.#parts.waitingForRoom.push(callback);
  }

  get health(): BrokerHealth {
    return this.#parts.condition.health;
  }

  stats(): BrokerStats {
    return {
      topics: this.topics.size,
      groups: this.#parts.catalog.groupsById.size,
      delayed: this.#parts.delayed.log.size,
      schedules: this.schedules.size,
      budgets: this.budgets.use(),
      diskFreeBytes: this.#parts.watermarks.diskFreeBytes,
      diskTimeToFullMs: this.#parts.watermarks.diskTimeToFullMs,
      log: this.#parts.log.stats,
    };
  }

  /**
   * Syncs the segments, writes the state to disk and frees the journal. The broker does this on its own; the
   * method is for tests and operators.
   */
  checkpoint(): Promise<void> {
    return this.#parts.log.checkpoint();
  }

  /**
   * Rewrites segments that are mostly empty; resolves to how many. The broker does this on its own; the
   * method is for tests and operators.
   */
  compact(): Promise<number> {
    return this.#parts.compactor.run();
  }

  /**
   * Ends deliveries, commits pending changes, and writes a checkpoint, so that the next start has nothing to
   * replay.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    this.#parts.condition.isClosed = true;
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#parts.commits.stop();
    this.#parts.watermarks.stop();
    this.#parts.delayed.log.stop();
    this.#parts.schedules.stop();
    this.transactions.stop();
    for (const topic of this.topics.values()) topic.close('closed');
    await this.#parts.compactor.stop();
    await this.#parts.log.close();
  }
}
