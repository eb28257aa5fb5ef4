import { defineApi, type Api } from '../api.ts';

const request = {
  topics: {
    type: '[]struct',
    fields: {
      topicName: { type: 'string' },
      partitions: { type: '[]struct', fields: { partitionIndex: { type: 'int32' } } },
    },
  },
} as const;

const response = {
  errorCode: { type: 'int16' },
  errorMessage: { type: 'string', versions: '2+', nullable: true },
  topics: {
    type: '[]struct',
    fields: {
      topicName: { type: 'string' },
      partitions: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          errorCode: { type: 'int16' },
          errorMessage: { type: 'string', versions: '2+', nullable: true, default: null },
          leaderId: { type: 'int32' },
          leaderEpoch: { type: 'int32' },
          highWatermark: { type: 'int64' },
          currentVoters: {
            type: '[]struct',
            fields: {
              replicaId: { type: 'int32' },
              replicaDirectoryId: { type: 'uuid', versions: '2+' },
              logEndOffset: { type: 'int64' },
              lastFetchTimestamp: { type: 'int64', versions: '1+', default: -1 },
              lastCaughtUpTimestamp: { type: 'int64', versions: '1+', default: -1 },
            },
          },
          observers: {
            type: '[]struct',
            fields: {
              replicaId: { type: 'int32' },
              replicaDirectoryId: { type: 'uuid', versions: '2+' },
              logEndOffset: { type: 'int64' },
              lastFetchTimestamp: { type: 'int64', versions: '1+', default: -1 },
              lastCaughtUpTimestamp: { type: 'int64', versions: '1+', default: -1 },
            },
          },
        },
      },
    },
  },
  nodes: {
    type: '[]struct',
    versions: '2+',
    fields: {
      nodeId: { type: 'int32' },
      listeners: {
        type: '[]struct',
        fields: { name: { type: 'string' }, host: { type: 'string' }, port: { type: 'int16' } },
      },
    },
  },
} as const;

/**
 * The quorum of controllers (KIP-595, KIP-836, KIP-853). A port is a uint16, which is read here as an int16.
 *
 * ```
 * request => [topics]
 *   topics => topicName [partitions]
 *     partitions => partitionIndex
 * response => errorCode errorMessage?{2+} [topics] [nodes]{2+}
 *   topics => topicName [partitions]
 *     partitions => partitionIndex errorCode errorMessage?{2+} leaderId leaderEpoch highWatermark
 *                   [currentVoters] [observers]
 *       currentVoters, observers => replicaId replicaDirectoryId{2+} logEndOffset lastFetchTimestamp{1+}
 *                                   lastCaughtUpTimestamp{1+}
 *   nodes => nodeId [listeners]
 *     listeners => name host port
 * ```
 */
export const describeQuorumApi: Api<typeof request, typeof response> = defineApi({
  key: 55,
  name: 'DescribeQuorum',
  versions: '0-2',
  flexible: '0+',
  request,
  response,
});
