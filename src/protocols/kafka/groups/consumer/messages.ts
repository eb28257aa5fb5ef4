import type { TopicPartitions } from './assignment.ts';
import type { TopicFilter } from './subscribed-topics.ts';

/** A ConsumerGroupHeartbeat request. Null and -1 fields did not change since the last one. */
export interface ConsumerHeartbeat {
  readonly memberId: string;
  /** 0 enters, -1 leaves, -2 leaves for a while (static members). */
  readonly memberEpoch: number;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly rebalanceTimeoutMs: number;
  readonly subscribedTopicNames: readonly string[] | null;
  readonly subscribedTopicRegex: string | null;
  readonly serverAssignor: string | null;
  readonly topicPartitions: readonly TopicPartitions[] | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** Which topics the member may know of; absent: all. */
  readonly filter?: TopicFilter | undefined;
}

export interface ConsumerHeartbeatResult {
  readonly memberId: string;
  readonly memberEpoch: number;
  /** Null: as it was. */
  readonly assignment: readonly TopicPartitions[] | null;
}
