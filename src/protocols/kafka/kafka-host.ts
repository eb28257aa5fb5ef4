import type { Broker, Topic } from '../../broker/index.ts';
import type { Clock, Random } from '../../util/index.ts';
import type { AnyApi, Uuid } from '../../wire/kafka/index.ts';
import type { KafkaSettings } from './kafka-settings.ts';
import type { DeletedNames } from './deleted-names.ts';
import type { GroupCoordinator } from './groups/index.ts';
import type { KafkaLimits } from './limits.ts';
import type { OffsetsTopic } from './offsets-topic.ts';
import type { Users } from '../users/index.ts';
import type { QuotaMeters, Quotas } from './quotas/index.ts';
import type { Acls, KeptUsers } from './security/index.ts';

/** Where clients are told to connect to. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Topics by the ids that Kafka clients know them by (KIP-516). */
export interface TopicIds {
  /** Of the offsets topic, which is none of the broker's. */
  readonly ofOffsetsTopic: Uuid;
  /**
   * Deterministic from the data directory and the topic, so the same after a restart, and another one for a
   * topic created anew under its name.
   */
  idOf(topic: Topic): Uuid;
  topic(id: Uuid): Topic | undefined;
}

/**
 * Topics by the names that Kafka clients know them by: names with characters that Kafka does not allow are
 * shown escaped.
 */
export interface TopicNames {
  nameOf(topic: { readonly name: string }): string;
  topic(name: string): Topic | undefined;
}

/**
 * Whether topics come into being when a client asks for them, as Kafka's `auto.create.topics.enable` and
 * `num.partitions`.
 */
export interface AutoCreation {
  readonly enabled: boolean;
  /** Also what CreateTopics takes for -1 partitions. */
  readonly partitions: number;
}

/** What sessions and handlers need from the frontend around them. */
export interface KafkaHost {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: KafkaLimits;
  readonly settings: KafkaSettings;
  /** Id of the cluster: stays with the data directory. */
  readonly clusterId: Uuid;
  /** Id of this broker in its cluster of one. */
  readonly nodeId: number;
  /** What ApiVersions tells: every API that has a handler. */
  readonly advertisedApis: readonly AnyApi[];
  readonly autoCreation: AutoCreation;
  readonly topicIds: TopicIds;
  readonly topicNames: TopicNames;
  readonly deletedNames: DeletedNames;
  readonly coordinator: GroupCoordinator;
  readonly acls: Acls;
  readonly quotas: Quotas;
  readonly quotaMeters: QuotaMeters;
  /** The table of users that all protocols share. */
  readonly users: Users;
  /** Users that Kafka clients manage. */
  readonly keptUsers: KeptUsers;
  /** To be called when kept users were changed: the table hears of it. */
  readonly keptUsersChanged: () => void;
  /** To be called when ACLs were changed: the other protocols hear of it. */
  readonly aclsChanged: () => void;
  readonly offsetsTopic: OffsetsTopic;
}
