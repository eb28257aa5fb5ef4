import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  topics: {
    type: '[]struct',
    nullable: '1+',
    fields: {
      topicId: { type: 'uuid', versions: '10+' },
      name: { type: 'string', nullable: '10+' },
    },
  },
  allowAutoTopicCreation: { type: 'bool', versions: '4+', default: true },
  includeClusterAuthorizedOperations: { type: 'bool', versions: '8-10' },
  includeTopicAuthorizedOperations: { type: 'bool', versions: '8+' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', versions: '3+' },
  brokers: {
    type: '[]struct',
    fields: {
      nodeId: { type: 'int32' },
      host: { type: 'string' },
      port: { type: 'int32' },
      rack: { type: 'string', versions: '1+', nullable: true, default: null },
    },
  },
  clusterId: { type: 'string', versions: '2+', nullable: true, default: null },
  controllerId: { type: 'int32', versions: '1+', default: -1 },
  topics: {
    type: '[]struct',
    fields: {
      errorCode: { type: 'int16' },
      name: { type: 'string', nullable: '12+' },
      topicId: { type: 'uuid', versions: '10+' },
      isInternal: { type: 'bool', versions: '1+' },
      partitions: {
        type: '[]struct',
        fields: {
          errorCode: { type: 'int16' },
          partitionIndex: { type: 'int32' },
          leaderId: { type: 'int32' },
          leaderEpoch: { type: 'int32', versions: '7+', default: -1 },
          replicaNodes: { type: '[]int32' },
          isrNodes: { type: '[]int32' },
          offlineReplicas: { type: '[]int32', versions: '5+' },
        },
      },
      topicAuthorizedOperations: { type: 'int32', versions: '8+', default: -2_147_483_648 },
    },
  },
  clusterAuthorizedOperations: { type: 'int32', versions: '8-10', default: -2_147_483_648 },
  errorCode: { type: 'int16', versions: '13+' },
} as const;

export type MetadataRequest = Message<typeof request>;
export type MetadataResponse = Message<typeof response>;

/**
 * Brokers, topics, and partitions with their leaders. The request may create the topics that it names.
 *
 * To ask for all topics, version 0 sends an empty list. Later versions send null, and their empty list means
 * no topics. From 10 on topics have ids (KIP-516), from 12 on a request can name them by id.
 *
 * ```
 * request => [topics]? allowAutoTopicCreation{4+} includeClusterAuthorizedOperations{8-10}
 *            includeTopicAuthorizedOperations{8+}
 *   topics => topicId{10+} name?
 * response => throttleTimeMs{3+} [brokers] clusterId?{2+} controllerId{1+} [topics]
 *             clusterAuthorizedOperations{8-10} errorCode{13+}
 *   brokers => nodeId host port rack?{1+}
 *   topics => errorCode name? topicId{10+} isInternal{1+} [partitions] topicAuthorizedOperations{8+}
 *     partitions => errorCode partitionIndex leaderId leaderEpoch{7+} [replicaNodes] [isrNodes]
 *                   [offlineReplicas]{5+}
 * ```
 */
export const metadataApi: Api<typeof request, typeof response> = defineApi({
  key: 3,
  name: 'Metadata',
  versions: '0-13',
  flexible: '9+',
  request,
  response,
});
