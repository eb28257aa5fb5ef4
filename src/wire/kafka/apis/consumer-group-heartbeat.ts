import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  groupId: { type: 'string' },
  memberId: { type: 'string' },
  memberEpoch: { type: 'int32' },
  instanceId: { type: 'string', nullable: true, default: null },
  rackId: { type: 'string', nullable: true, default: null },
  rebalanceTimeoutMs: { type: 'int32', default: -1 },
  subscribedTopicNames: { type: '[]string', nullable: true, default: null },
  subscribedTopicRegex: { type: 'string', versions: '1+', nullable: true, default: null },
  serverAssignor: { type: 'string', nullable: true, default: null },
  topicPartitions: {
    type: '[]struct',
    nullable: true,
    default: null,
    fields: {
      topicId: { type: 'uuid' },
      partitions: { type: '[]int32' },
    },
  },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  errorCode: { type: 'int16' },
  errorMessage: { type: 'string', nullable: true, default: null },
  memberId: { type: 'string', nullable: true, default: null },
  memberEpoch: { type: 'int32' },
  heartbeatIntervalMs: { type: 'int32' },
  assignment: {
    type: 'struct',
    nullable: true,
    default: null,
    fields: {
      topicPartitions: {
        type: '[]struct',
        fields: {
          topicId: { type: 'uuid' },
          partitions: { type: '[]int32' },
        },
      },
    },
  },
} as const;

export type ConsumerGroupHeartbeatRequest = Message<typeof request>;

/**
 * A member of a KIP-848 group joins, stays, or leaves, and learns which partitions are assigned to it.
 *
 * memberEpoch: 0 joins, -1 leaves, -2 leaves for a while as a static member. Fields of null and -1 are
 * unchanged since the last heartbeat. From 1 on members choose their own id (KIP-1082) and may subscribe by
 * regular expression.
 *
 * ```
 * request => groupId memberId memberEpoch instanceId? rackId? rebalanceTimeoutMs
 *            [subscribedTopicNames]? subscribedTopicRegex?{1+} serverAssignor? [topicPartitions]?
 *   topicPartitions => topicId [partitions]
 * response => throttleTimeMs errorCode errorMessage? memberId? memberEpoch heartbeatIntervalMs
 *             assignment?
 *   assignment => [topicPartitions]
 *     topicPartitions => topicId [partitions]
 * ```
 */
export const consumerGroupHeartbeatApi: Api<typeof request, typeof response> = defineApi({
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: '0-1',
  flexible: '0+',
  request,
  response,
});
