import { defineApi, type Api } from '../api.ts';

const request = {
  topics: {
    type: '[]struct',
    fields: {
      name: { type: 'string' },
    },
  },
  responsePartitionLimit: { type: 'int32', default: 2_000 },
  cursor: {
    type: 'struct',
    nullable: true,
    default: null,
    fields: {
      topicName: { type: 'string' },
      partitionIndex: { type: 'int32' },
    },
  },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  topics: {
    type: '[]struct',
    fields: {
      errorCode: { type: 'int16' },
      name: { type: 'string', nullable: true },
      topicId: { type: 'uuid' },
      isInternal: { type: 'bool' },
      partitions: {
        type: '[]struct',
        fields: {
          errorCode: { type: 'int16' },
          partitionIndex: { type: 'int32' },
          leaderId: { type: 'int32' },
          leaderEpoch: { type: 'int32', default: -1 },
          replicaNodes: { type: '[]int32' },
          isrNodes: { type: '[]int32' },
          eligibleLeaderReplicas: { type: '[]int32', nullable: true, default: null },
          lastKnownElr: { type: '[]int32', nullable: true, default: null },
          offlineReplicas: { type: '[]int32' },
        },
      },
      topicAuthorizedOperations: { type: 'int32', default: -2_147_483_648 },
    },
  },
  nextCursor: {
    type: 'struct',
    nullable: true,
    default: null,
    fields: {
      topicName: { type: 'string' },
      partitionIndex: { type: 'int32' },
    },
  },
} as const;

/**
 * Topics with their partitions, page by page.
 *
 * ```
 * request => [topics] responsePartitionLimit cursor?
 *   topics => name
 *   cursor => topicName partitionIndex
 * response => throttleTimeMs [topics] nextCursor?
 *   topics => errorCode name? topicId isInternal [partitions] topicAuthorizedOperations
 *     partitions => errorCode partitionIndex leaderId leaderEpoch [replicaNodes] [isrNodes]
 *                   [eligibleLeaderReplicas]? [lastKnownElr]? [offlineReplicas]
 *   nextCursor => topicName partitionIndex
 * ```
 */
export const describeTopicPartitionsApi: Api<typeof request, typeof response> = defineApi({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: '0',
  flexible: '0+',
  request,
  response,
});
