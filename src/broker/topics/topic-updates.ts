import { Mutex } from '../../util/index.ts';
import type { Partition } from '../partitions/partition.ts';
import type { AgeRetention } from '../retention/age-retention.ts';
import type { SizeRetention } from '../retention/size-retention.ts';
import type { TopicConfig } from './topic-config.ts';

/** The part of a topic that its updates use. */
interface UpdatedTopic {
  readonly config: TopicConfig;
  readonly isDeleted: boolean;
  readonly partitions: { readonly opened: readonly Partition[] };
  /** The configuration that the topic would have with these options. Throws if it cannot have it. */
  checkUpdate(options: TopicConfig): TopicConfig;
  /** Changes the configuration, in the open commit. */
  redefine(config: TopicConfig): void;
  /** Room was made other than by acks. */
  noteRoom(): void;
  readonly settlements: { sweep(): void };
}

/** The services that the broker offers to updates of topics. */
interface UpdatesHost {
  /** Calls back when all changes so far are durable. */
  afterCommit(callback: () => void): void;
}

/**
 * The updates of a topic apply a changed configuration to the messages that it has: their keys are read where
 * the topic begins to know them, and what is beyond the new limits is removed.
 */
export class TopicUpdates {
  readonly #topic: UpdatedTopic;
  readonly #host: UpdatesHost;
  readonly #size: SizeRetention;
  readonly #age: AgeRetention;
  /** Updates that switch `keyState` on, one after the other. */
  readonly #mutex = new Mutex();
  /**
   * Partitions whose keys must be checked against their limit again when the transactions open there have
   * ended.
   */
  readonly #keysToCheck = new Set<Partition>();

  constructor(topic: UpdatedTopic, host: UpdatesHost, size: SizeRetention, age: AgeRetention) {
    this.#topic = topic;
    this.#host = host;
    this.#size = size;
    this.#age = age;
  }

  /** Changes the configuration; resolves once that is durable. */
  async update(options: TopicConfig): Promise<void> {
    const topic = this.#topic;
    const config = topic.checkUpdate(options);
    if (config.keyState && !topic.config.keyState)
      return this.#mutex.run(async () => {
        const untracked = (): Partition | undefined =>
          topic.partitions.opened.find(({ keyIndex }) => keyIndex === undefined);
        // Until none is left, because partitions may be opened meanwhile.
        for (let next = untracked(); next; next = untracked()) await next.trackKeys(config);
        return this.#apply(topic.checkUpdate(config)); // the topic may have changed meanwhile
      });
    return this.#apply(config);
  }

  async #apply(config: TopicConfig): Promise<void> {
    const topic = this.#topic;
    const { retention } = topic.config;
    topic.redefine(config);
    for (const partition of topic.partitions.opened.slice()) {
      await partition.trackKeys(config);
      this.checkKeys(partition);
      this.#size.appendedAny(partition, config);
      void this.#age.check(partition);
    }
    if (config.retention !== retention) topic.settlements.sweep(); // the new retention applies to old messages
    topic.noteRoom();
    await new Promise<void>((resolve) => this.#host.afterCommit(resolve));
  }

  /** Removes what a partition has beyond the limit of messages per key. */
  checkKeys(partition: Partition): void {
    const { isDeleted, config } = this.#topic;
    if (isDeleted || this.#size.checkKeys(partition, config)) this.#keysToCheck.delete(partition);
    else this.#keysToCheck.add(partition);
  }

  /** A transaction has ended in the partition. */
  decided(partition: Partition): void {
    if (this.#keysToCheck.has(partition)) this.#host.afterCommit(() => this.checkKeys(partition));
  }
}
