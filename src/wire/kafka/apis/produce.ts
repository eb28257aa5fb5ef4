import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  transactionalId: { type: 'string', nullable: true, default: null },
  acks: { type: 'int16' },
  timeoutMs: { type: 'int32' },
  topicData: {
    type: '[]struct',
    fields: {
      name: { type: 'string', versions: '3-12' },
      topicId: { type: 'uuid', versions: '13+' },
      partitionData: {
        type: '[]struct',
        fields: {
          index: { type: 'int32' },
          records: { type: 'records', nullable: true },
        },
      },
    },
  },
} as const;

const response = {
  responses: {
    type: '[]struct',
    fields: {
      name: { type: 'string', versions: '3-12' },
      topicId: { type: 'uuid', versions: '13+' },
      partitionResponses: {
        type: '[]struct',
        fields: {
          index: { type: 'int32' },
          errorCode: { type: 'int16' },
          baseOffset: { type: 'int64' },
          logAppendTimeMs: { type: 'int64', default: -1 },
          logStartOffset: { type: 'int64', versions: '5+', default: -1 },
          recordErrors: {
            type: '[]struct',
            versions: '8+',
            fields: {
              batchIndex: { type: 'int32' },
              batchIndexErrorMessage: { type: 'string', nullable: true, default: null },
            },
          },
          errorMessage: { type: 'string', versions: '8+', nullable: true, default: null },
          currentLeader: {
            type: 'struct',
            versions: '10+',
            tag: 0,
            fields: {
              leaderId: { type: 'int32', default: -1 },
              leaderEpoch: { type: 'int32', default: -1 },
            },
          },
        },
      },
    },
  },
  throttleTimeMs: { type: 'int32', default: 0 },
  nodeEndpoints: {
    type: '[]struct',
    versions: '10+',
    tag: 0,
    fields: {
      nodeId: { type: 'int32' },
      host: { type: 'string' },
      port: { type: 'int32' },
      rack: { type: 'string', nullable: true, default: null },
    },
  },
} as const;

export type ProduceRequest = Message<typeof request>;

/**
 * Appends record batches to partitions.
 *
 * With acks 0 there is no response. Version 7 allows zstd, 8 reports which records were wrong, 12 adds
 * partitions to the transaction implicitly (KIP-890), 13 names topics by id. Versions 0 to 2 are advertised
 * but not served: librdkafka before 2.11.1 does not compress unless it sees them.
 *
 * ```
 * request => transactionalId? acks timeoutMs [topicData]
 *   topicData => name{3-12} topicId{13+} [partitionData]
 *     partitionData => index records?
 * response => [responses] throttleTimeMs #0:[nodeEndpoints]{10+}
 *   responses => name{3-12} topicId{13+} [partitionResponses]
 *     partitionResponses => index errorCode baseOffset logAppendTimeMs logStartOffset{5+}
 *                           [recordErrors]{8+} errorMessage?{8+} #0:currentLeader{10+}
 *       recordErrors => batchIndex batchIndexErrorMessage?
 *       currentLeader => leaderId leaderEpoch
 *   nodeEndpoints => nodeId host port rack?
 * ```
 */
export const produceApi: Api<typeof request, typeof response> = defineApi({
  key: 0,
  name: 'Produce',
  versions: '3-13',
  advertised: '0-12',
  flexible: '9+',
  request,
  response,
});
