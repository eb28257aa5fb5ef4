import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  groupId: { type: 'string', nullable: true, default: null },
  memberId: { type: 'string', nullable: true },
  shareSessionEpoch: { type: 'int32' },
  isRenewAck: { type: 'bool', versions: '2+' },
  topics: {
    type: '[]struct',
    fields: {
      topicId: { type: 'uuid' },
      partitions: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          acknowledgementBatches: {
            type: '[]struct',
            fields: {
              firstOffset: { type: 'int64' },
              lastOffset: { type: 'int64' },
              acknowledgeTypes: { type: '[]int8' },
            },
          },
        },
      },
    },
  },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  errorCode: { type: 'int16' },
  errorMessage: { type: 'string', nullable: true, default: null },
  acquisitionLockTimeoutMs: { type: 'int32', versions: '2+' },
  responses: {
    type: '[]struct',
    fields: {
      topicId: { type: 'uuid' },
      partitions: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          errorCode: { type: 'int16' },
          errorMessage: { type: 'string', nullable: true, default: null },
          currentLeader: {
            type: 'struct',
            fields: {
              leaderId: { type: 'int32' },
              leaderEpoch: { type: 'int32' },
            },
          },
        },
      },
    },
  },
  nodeEndpoints: {
    type: '[]struct',
    fields: {
      nodeId: { type: 'int32' },
      host: { type: 'string' },
      port: { type: 'int32' },
      rack: { type: 'string', nullable: true, default: null },
    },
  },
} as const;

export type ShareAcknowledgeRequest = Message<typeof request>;

/**
 * Acknowledges records that a member of a share group acquired.
 *
 * acknowledgeTypes: 0 gap, 1 accept, 2 release, 3 reject, 4 renew (from 2 on).
 *
 * ```
 * request => groupId? memberId? shareSessionEpoch isRenewAck{2+} [topics]
 *   topics => topicId [partitions]
 *     partitions => partitionIndex [acknowledgementBatches]
 *       acknowledgementBatches => firstOffset lastOffset [acknowledgeTypes]
 * response => throttleTimeMs errorCode errorMessage? acquisitionLockTimeoutMs{2+} [responses]
 *             [nodeEndpoints]
 *   responses => topicId [partitions]
 *     partitions => partitionIndex errorCode errorMessage? currentLeader
 *       currentLeader => leaderId leaderEpoch
 *   nodeEndpoints => nodeId host port rack?
 * ```
 */
export const shareAcknowledgeApi: Api<typeof request, typeof response> = defineApi({
  key: 79,
  name: 'ShareAcknowledge',
  versions: '1-2',
  flexible: '0+',
  request,
  response,
});
