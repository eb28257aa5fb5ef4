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
import type { Topic } from './topics/topic.ts';
import { topicConfig, type TopicConfig, type TopicOptions } from './topics/topic-config.ts';
import type { Transactions } from './transactions/transactions.ts';

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
  /** Where long work waits between its pieces. */
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

  /** Opens the data directory, recovers what it holds, and begins. Rejects with a LogError. */
  static async open(options: BrokerOptions): Promise<Broker> {
    const parts = new Assembly(options);
    const broker = new Broker(parts);
    await parts.openLog();
    try {
      await new Promise<void>((resolve, reject) => {
        if (parts.condition.failure) throw parts.condition.failure.cause; // already
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

  /** A topic by the id that it alone ever has in this data directory. */
  topicById(id: number): Topic | undefined {
    return this.#parts.catalog.topicsById.get(id);
  }

  /**
   * Creates a topic; resolves once that is durable. Rejects with `topic-exists`, `subjects-overlap` or
   * `topic-config-invalid`.
   */
  async createTopic(options: TopicOptions): Promise<Topic> {
    const config = this.checkNewTopic(options);
    return this.#defined(() => this.#parts.definitions.defineTopic(config));
  }

  /** What {@link createTopic} would make of these options. Throws what it would reject with. */
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
   * unless the options say otherwise. Both are in one commit, so that a crash never leaves a queue that no
   * group reads. Resolves once that is durable. Rejects as {@link createTopic} and `Topic.createGroup` do.
   */
  async defineQueue(options: TopicOptions, group: Partial<GroupOptions> = {}): Promise<Queue> {
    const groupDefinition = groupConfig({ name: defaultGroup, ...group });
    const config = this.checkNewTopic({ retention: 'queue', ...options });
    this.budgets.check('groups');
    this.budgets.check('positions', config.partitions);
    return this.#defined(() => this.#parts.definitions.defineQueue(config, groupDefinition));
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
    return readReceipt(text, this.#run, (id) => this.#parts.catalog.groupsById.get(id));
  }

  /** A name that no other run of a broker on this directory has. */
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
   * Partitions that are on disk and of no topic: the definition of theirs was lost. Nothing touches them
   * until they are adopted.
   */
  get orphans(): readonly number[] {
    return this.#parts.log.orphans;
  }

  /**
   * Makes an orphan readable again, as a topic of one partition; resolves once that is durable. Rejects as
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
   * Brings a route of dead letters: policies name it, and it says at each dead letter which topics get it. A
   * name is one protocol's own. Returns the call that takes it away again.
   */
  addDeadLetterRoute(name: string, route: DeadLetterRoute): () => void {
    if (this.#parts.deadLetterRoutes.has(name))
      throw new Error(`There is a route of dead letters "${name}" already.`);
    this.#parts.deadLetterRoutes.set(name, route);
    return () => this.#parts.deadLetterRoutes.delete(name);
  }

  /**
   * Puts dead letters back where they came from; resolves, when that is durable, to how many, and how many
   * stayed and why.
   */
  redrive(
    letters: Topic,
    options: RedriveOptions = {},
    mayGoTo?: (topic: string) => boolean,
  ): Promise<Redriven> {
    return redrive(this.#parts.topicHost, letters, options, mayGoTo);
  }

  // ---- what watchers need

  get events(): {
    subscribe(listener: (event: BrokerEvent) => void): () => void;
  } {
    return this.#parts.events;
  }

  /** Whose data this is: 16 bytes that stay with the data directory. */
  get uuid(): Uint8Array {
    return this.#parts.log.uuid;
  }

  /** An id for a producer that wants its batches stored once; no other ever gets the same. */
  nextProducerId(): Promise<number> {
    return this.#parts.producerIds.take();
  }

  get clock(): Clock {
    return this.#parts.clock;
  }

  get random(): Random {
    return this.#parts.random;
  }

  /** Calls back when everything done so far is on disk; never, when the log has failed: the process ends. */
  afterCommit(callback: () => void): void {
    this.#parts.commits.afterCommit(callback);
  }

  /** More waits for the next commit than is good: publishers should pause until {@link onUncongested}. */
  get congested(): boolean {
    return this.#parts.log.congested;
  }

  /** Calls back once, when the broker is not congested any more. */
  onUncongested(callback: () => void): void {
    if (this.#parts.log.congested) this.#parts.uncongested.push(callback);
    else callback();
  }

  get health(): BrokerHealth {
    return this.#parts.condition.health;
  }

  stats(): BrokerStats {
    return {
      topics: this.topics.size,
      groups: this.#parts.catalog.groupsById.size,
      scheduled: this.#parts.delayed.schedule.size,
      budgets: this.budgets.use(),
      diskFreeBytes: this.#parts.watermarks.diskFreeBytes,
      diskTimeToFullMs: this.#parts.watermarks.diskTimeToFullMs,
      log: this.#parts.log.stats,
    };
  }

  /**
   * Syncs the segments, writes the state down and frees the journal. Happens by itself; for tests and
   * operators.
   */
  checkpoint(): Promise<void> {
    return this.#parts.log.checkpoint();
  }

  /**
   * Rewrites segments that are mostly empty; resolves to how many. Happens by itself; for tests and
   * operators.
   */
  compact(): Promise<number> {
    return this.#parts.compactor.run();
  }

  /**
   * Ends deliveries, commits what was done, and leaves a checkpoint, so that the next start has nothing to
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
    this.#parts.delayed.schedule.stop();
    this.transactions.stop();
    for (const topic of this.topics.values()) topic.close('closed');
    await this.#parts.compactor.stop();
    await this.#parts.log.close();
  }
}
