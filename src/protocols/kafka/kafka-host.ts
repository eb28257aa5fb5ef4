import type { Broker, Topic } from '../../broker/index.ts';
import type { Clock, Random } from '../../util/index.ts';
import type { AnyApi, Uuid } from '../../wire/kafka/index.ts';
import type { KafkaSettings } from './kafka-settings.ts';
import type { DeletedNames } from './deleted-names.ts';
import type { GroupCoordinator } from './groups/index.ts';
import type { KafkaLimits } from './limits.ts';
import type { OffsetsTopic } from './offsets-topic.ts';
import type { Hall } from '../connections/index.ts';
import type { Users } from '../users/index.ts';
import type { QuotaMeters, Quotas } from './quotas/index.ts';
import type { Acls, KeptUsers } from './security/index.ts';

/** The address that clients connect to. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Topics by the ids that Kafka clients use (KIP-516). */
export interface TopicIds {
  /** Id of the offsets topic, which is not a topic of the broker. */
  readonly ofOffsetsTopic: Uuid;
  /**
   * Derived from the data directory and the topic: the same after a restart, but different for a topic that
   * is created again under the same name.
   */
  idOf(topic: Topic): Uuid;
  topic(id: Uuid): Topic | undefined;
}

/** Topics by the names that Kafka clients use. Characters that Kafka does not allow are shown escaped. */
export interface TopicNames {
  nameOf(topic: { readonly name: string }): string;
  topic(name: string): Topic | undefined;
}

/**
 * Whether a topic is created when a client asks for it, as by Kafka's `auto.create.topics.enable` and
 * `num.partitions`.
 */
export interface AutoCreation {
  readonly enabled: boolean;
  /** Also the number that CreateTopics uses for -1 partitions. */
  readonly partitions: number;
}

/** The services that the frontend offers to sessions and handlers. */
export interface KafkaHost {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: KafkaLimits;
  readonly settings: KafkaSettings;
  /** Id of the cluster; it belongs to the data directory. */
  readonly clusterId: Uuid;
  /** Id of this broker in its cluster of one. */
  readonly nodeId: number;
  /** The APIs in the answer to ApiVersions: all that have a handler. */
  readonly advertisedApis: readonly AnyApi[];
  readonly autoCreation: AutoCreation;
  readonly topicIds: TopicIds;
  readonly topicNames: TopicNames;
  readonly deletedNames: DeletedNames;
  readonly coordinator: GroupCoordinator;
  readonly acls: Acls;
  readonly quotas: Quotas;
  readonly quotaMeters: QuotaMeters;
  /** The table of users, shared by all protocols. */
  readonly users: Users;
  /** Users that Kafka clients manage. */
  readonly keptUsers: KeptUsers;
  /** To be called when kept users were changed; updates the table of users. */
  readonly keptUsersChanged: () => void;
  /** To be called when ACLs were changed; informs the other protocols. */
  readonly aclsChanged: () => void;
  readonly offsetsTopic: OffsetsTopic;
  readonly hall: Pick<Hall, 'batchesRead'>;
}
