import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  clusterId: { type: 'string', versions: '12+', nullable: true, default: null, tag: 0 },
  replicaId: { type: 'int32', versions: '4-14', default: -1 },
  replicaState: {
    type: 'struct',
    versions: '15+',
    tag: 1,
    fields: {
      replicaId: { type: 'int32', default: -1 },
      replicaEpoch: { type: 'int64', default: -1 },
    },
  },
  maxWaitMs: { type: 'int32' },
  minBytes: { type: 'int32' },
  maxBytes: { type: 'int32', default: 2_147_483_647 },
  isolationLevel: { type: 'int8' },
  sessionId: { type: 'int32', versions: '7+' },
  sessionEpoch: { type: 'int32', versions: '7+', default: -1 },
  topics: {
    type: '[]struct',
    fields: {
      topic: { type: 'string', versions: '4-12' },
      topicId: { type: 'uuid', versions: '13+' },
      partitions: {
        type: '[]struct',
        fields: {
          partition: { type: 'int32' },
          currentLeaderEpoch: { type: 'int32', versions: '9+', default: -1 },
          fetchOffset: { type: 'int64' },
          lastFetchedEpoch: { type: 'int32', versions: '12+', default: -1 },
          logStartOffset: { type: 'int64', versions: '5+', default: -1 },
          partitionMaxBytes: { type: 'int32' },
          replicaDirectoryId: { type: 'uuid', versions: '17+', tag: 0 },
          highWatermark: { type: 'int64', versions: '18+', default: 9_223_372_036_854_775_808, tag: 1 },
        },
      },
    },
  },
  forgottenTopicsData: {
    type: '[]struct',
    versions: '7+',
    fields: {
      topic: { type: 'string', versions: '7-12' },
      topicId: { type: 'uuid', versions: '13+' },
      partitions: { type: '[]int32' },
    },
  },
  rackId: { type: 'string', versions: '11+' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  errorCode: { type: 'int16', versions: '7+' },
  sessionId: { type: 'int32', versions: '7+' },
  responses: {
    type: '[]struct',
    fields: {
      topic: { type: 'string', versions: '4-12' },
      topicId: { type: 'uuid', versions: '13+' },
      partitions: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          errorCode: { type: 'int16' },
          highWatermark: { type: 'int64' },
          lastStableOffset: { type: 'int64', default: -1 },
          logStartOffset: { type: 'int64', versions: '5+', default: -1 },
          divergingEpoch: {
            type: 'struct',
            versions: '12+',
            tag: 0,
            fields: {
              epoch: { type: 'int32', default: -1 },
              endOffset: { type: 'int64', default: -1 },
            },
          },
          currentLeader: {
            type: 'struct',
            versions: '12+',
            tag: 1,
            fields: {
              leaderId: { type: 'int32', default: -1 },
              leaderEpoch: { type: 'int32', default: -1 },
            },
          },
          snapshotId: {
            type: 'struct',
            versions: '12+',
            tag: 2,
            fields: {
              endOffset: { type: 'int64', default: -1 },
              epoch: { type: 'int32', default: -1 },
            },
          },
          abortedTransactions: {
            type: '[]struct',
            nullable: true,
            fields: {
              producerId: { type: 'int64' },
              firstOffset: { type: 'int64' },
            },
          },
          preferredReadReplica: { type: 'int32', versions: '11+', default: -1 },
          records: { type: 'records', nullable: true },
        },
      },
    },
  },
  nodeEndpoints: {
    type: '[]struct',
    versions: '16+',
    tag: 0,
    fields: {
      nodeId: { type: 'int32' },
      host: { type: 'string' },
      port: { type: 'int32' },
      rack: { type: 'string', nullable: true, default: null },
    },
  },
} as const;

export type FetchRequest = Message<typeof request>;
export type FetchResponse = Message<typeof response>;

/**
 * Reads record batches of partitions; waits until there are enough.
 *
 * The order of partitions matters: the first ones are served first. From 4 on a fetch can be limited to
 * committed records, from 7 on sessions name only the partitions that changed (KIP-227), from 12 on epochs
 * reveal divergence, from 13 on topics are named by id.
 *
 * ```
 * request => replicaId{4-14} maxWaitMs minBytes maxBytes isolationLevel sessionId{7+} sessionEpoch{7+}
 *            [topics] [forgottenTopicsData]{7+} rackId{11+} #0:clusterId?{12+} #1:replicaState{15+}
 *   topics => topic{4-12} topicId{13+} [partitions]
 *     partitions => partition currentLeaderEpoch{9+} fetchOffset lastFetchedEpoch{12+}
 *                   logStartOffset{5+} partitionMaxBytes #0:replicaDirectoryId{17+}
 *                   #1:highWatermark{18+}
 *   forgottenTopicsData => topic{7-12} topicId{13+} [partitions]
 *   replicaState => replicaId replicaEpoch
 * response => throttleTimeMs errorCode{7+} sessionId{7+} [responses] #0:[nodeEndpoints]{16+}
 *   responses => topic{4-12} topicId{13+} [partitions]
 *     partitions => partitionIndex errorCode highWatermark lastStableOffset logStartOffset{5+}
 *                   [abortedTransactions]? preferredReadReplica{11+} records? #0:divergingEpoch{12+}
 *                   #1:currentLeader{12+} #2:snapshotId{12+}
 *       abortedTransactions => producerId firstOffset
 *       divergingEpoch => epoch endOffset
 *       currentLeader => leaderId leaderEpoch
 *       snapshotId => endOffset epoch
 *   nodeEndpoints => nodeId host port rack?
 * ```
 */
export const fetchApi: Api<typeof request, typeof response> = defineApi({
  key: 1,
  name: 'Fetch',
  versions: '4-18',
  advertised: '4-17',
  flexible: '12+',
  request,
  response,
});
