import type { Log, Record } from '../log/index.ts';
import type { Clock, Random, SteadyTime } from '../util/index.ts';
import type { CommitUrgency } from './commit-cycle.ts';
import type { Budgets } from './budgets.ts';
import type { DeadLetterRoute } from './dead-letters/dead-letter.ts';
import type { BrokerError } from './errors.ts';
import type { BrokerEvent } from './events.ts';
import type { Group } from './groups/group.ts';
import type { Partition, PartitionHost } from './partitions/partition.ts';
import type { PublishListener } from './topics/publishes.ts';
import type { Topic } from './topics/topic.ts';
import type { TopicConfig } from './topics/topic-config.ts';
import type { Transactions } from './transactions/transactions.ts';

/** What topics and groups need from the broker around them. */
export interface BrokerCore extends PartitionHost {
  readonly clock: Clock;
  /** What windows, ages and delays are counted in. */
  readonly steady: SteadyTime;
  readonly random: Random;
  readonly log: Log;
  readonly transactions: Transactions;
  readonly budgets: Budgets;
  /** Until all that the data directory holds has been read back. */
  readonly recovering: boolean;
  /** Why no publish is accepted now, if so: a watermark, a failed log, a closed broker. */
  readonly refusal: BrokerError | undefined;
  emit(event: BrokerEvent): void;
  /** The listener hears `published` when what is open now is durable. */
  awaitCommit<T>(
    listener: PublishListener<T>,
    token: T,
    partition: Partition,
    offset: number,
    duplicate: boolean,
  ): void;
  /** The group has changes that the next commit must carry. */
  groupChanged(group: Group, urgency: CommitUrgency): void;
  /** The dedupe id goes into the open commit. */
  recordDedupeId(topic: Topic, partition: number, offset: number, timeMs: number, id: string): void;
  /** Stores the message with the delayed ones until `dueMs` (wall clock). */
  schedule<T>(
    partition: Partition,
    record: Record,
    dueMs: number,
    listener: PublishListener<T>,
    token: T,
  ): void;
  /** A route of dead letters by its name, if a protocol brought it. */
  deadLetterRoute(name: string): DeadLetterRoute | undefined;
  /** Defines a topic inside the open commit; the existing one when there is one of that name. */
  ensureTopic(config: TopicConfig): Topic;
  topic(name: string): Topic | undefined;
  /** Throws `subjects-overlap` when another topic captures what these subjects would. */
  checkSubjects(config: TopicConfig): void;
  defineGroup(group: Group): void;
  undefineGroup(group: Group): void;
  redefineGroup(group: Group): void;
  redefineTopic(topic: Topic): void;
  undefineTopic(topic: Topic): void;
  /** Lets dedupe ids and producers go whose time is over, in all topics. */
  forgetExpired(): void;
  nextId(): number;
  /** A partition is used for the first time. */
  partitionOpened(partition: Partition): void;
}
