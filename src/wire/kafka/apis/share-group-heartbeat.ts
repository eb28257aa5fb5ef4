import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  groupId: { type: 'string' },
  memberId: { type: 'string' },
  memberEpoch: { type: 'int32' },
  rackId: { type: 'string', nullable: true, default: null },
  subscribedTopicNames: { type: '[]string', nullable: true, default: null },
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

export type ShareGroupHeartbeatRequest = Message<typeof request>;

/**
 * A member of a share group (KIP-932) joins, stays, or leaves, and learns which partitions it may read.
 *
 * memberEpoch: 0 joins, -1 leaves. Fields of null are unchanged since the last heartbeat.
 *
 * ```
 * request => groupId memberId memberEpoch rackId? [subscribedTopicNames]?
 * response => throttleTimeMs errorCode errorMessage? memberId? memberEpoch heartbeatIntervalMs
 *             assignment?
 *   assignment => [topicPartitions]
 *     topicPartitions => topicId [partitions]
 * ```
 */
export const shareGroupHeartbeatApi: Api<typeof request, typeof response> = defineApi({
  key: 76,
  name: 'ShareGroupHeartbeat',
  versions: '1',
  flexible: '0+',
  request,
  response,
});
