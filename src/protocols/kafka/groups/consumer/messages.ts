import type { TopicPartitions } from './assignment.ts';
import type { TopicFilter } from './subscribed-topics.ts';

/** A ConsumerGroupHeartbeat request. Fields of null and -1 have not changed since the last one. */
export interface ConsumerHeartbeat {
  readonly memberId: string;
  /** 0 to enter, -1 to leave, -2 to leave temporarily (static members). */
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
  /** Null if unchanged. */
  readonly assignment: readonly TopicPartitions[] | null;
}
