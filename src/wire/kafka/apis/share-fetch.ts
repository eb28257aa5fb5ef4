import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  groupId: { type: 'string', nullable: true, default: null },
  memberId: { type: 'string', nullable: true },
  shareSessionEpoch: { type: 'int32' },
  maxWaitMs: { type: 'int32' },
  minBytes: { type: 'int32' },
  maxBytes: { type: 'int32', default: 2_147_483_647 },
  maxRecords: { type: 'int32' },
  batchSize: { type: 'int32' },
  shareAcquireMode: { type: 'int8', versions: '2+' },
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
  forgottenTopicsData: {
    type: '[]struct',
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
  acquisitionLockTimeoutMs: { type: 'int32' },
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
          acknowledgeErrorCode: { type: 'int16' },
          acknowledgeErrorMessage: { type: 'string', nullable: true, default: null },
          currentLeader: {
            type: 'struct',
            fields: {
              leaderId: { type: 'int32' },
              leaderEpoch: { type: 'int32' },
            },
          },
          records: { type: 'records' },
          acquiredRecords: {
            type: '[]struct',
            fields: {
              firstOffset: { type: 'int64' },
              lastOffset: { type: 'int64' },
              deliveryCount: { type: 'int16' },
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

export type ShareFetchRequest = Message<typeof request>;

/**
 * Acquires records for a member of a share group, and may acknowledge earlier ones in the same request.
 *
 * shareSessionEpoch: 0 opens the session, -1 ends it. acknowledgeTypes: 0 gap, 1 accept, 2 release, 3 reject,
 * 4 renew (from 2 on).
 *
 * ```
 * request => groupId? memberId? shareSessionEpoch maxWaitMs minBytes maxBytes maxRecords batchSize
 *            shareAcquireMode{2+} isRenewAck{2+} [topics] [forgottenTopicsData]
 *   topics => topicId [partitions]
 *     partitions => partitionIndex [acknowledgementBatches]
 *       acknowledgementBatches => firstOffset lastOffset [acknowledgeTypes]
 *   forgottenTopicsData => topicId [partitions]
 * response => throttleTimeMs errorCode errorMessage? acquisitionLockTimeoutMs [responses]
 *             [nodeEndpoints]
 *   responses => topicId [partitions]
 *     partitions => partitionIndex errorCode errorMessage? acknowledgeErrorCode
 *                   acknowledgeErrorMessage? currentLeader records [acquiredRecords]
 *       currentLeader => leaderId leaderEpoch
 *       acquiredRecords => firstOffset lastOffset deliveryCount
 *   nodeEndpoints => nodeId host port rack?
 * ```
 */
export const shareFetchApi: Api<typeof request, typeof response> = defineApi({
  key: 78,
  name: 'ShareFetch',
  versions: '1-2',
  flexible: '0+',
  request,
  response,
});
