import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  transactions: {
    type: '[]struct',
    versions: '4+',
    fields: {
      transactionalId: { type: 'string' },
      producerId: { type: 'int64' },
      producerEpoch: { type: 'int16' },
      verifyOnly: { type: 'bool' },
      topics: {
        type: '[]struct',
        fields: {
          name: { type: 'string' },
          partitions: { type: '[]int32' },
        },
      },
    },
  },
  v3AndBelowTransactionalId: { type: 'string', versions: '0-3' },
  v3AndBelowProducerId: { type: 'int64', versions: '0-3' },
  v3AndBelowProducerEpoch: { type: 'int16', versions: '0-3' },
  v3AndBelowTopics: {
    type: '[]struct',
    versions: '0-3',
    fields: {
      name: { type: 'string' },
      partitions: { type: '[]int32' },
    },
  },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  errorCode: { type: 'int16', versions: '4+' },
  resultsByTransaction: {
    type: '[]struct',
    versions: '4+',
    fields: {
      transactionalId: { type: 'string' },
      topicResults: {
        type: '[]struct',
        fields: {
          name: { type: 'string' },
          resultsByPartition: {
            type: '[]struct',
            fields: {
              partitionIndex: { type: 'int32' },
              partitionErrorCode: { type: 'int16' },
            },
          },
        },
      },
    },
  },
  resultsByTopicV3AndBelow: {
    type: '[]struct',
    versions: '0-3',
    fields: {
      name: { type: 'string' },
      resultsByPartition: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          partitionErrorCode: { type: 'int16' },
        },
      },
    },
  },
} as const;

export type AddPartitionsToTxnRequest = Message<typeof request>;

/**
 * Adds partitions that a transaction will write to.
 *
 * Versions up to 3 are for clients and name one transaction; from 4 on they are for brokers and name several.
 *
 * ```
 * request => [transactions]{4+} v3AndBelowTransactionalId{0-3} v3AndBelowProducerId{0-3}
 *            v3AndBelowProducerEpoch{0-3} [v3AndBelowTopics]{0-3}
 *   transactions => transactionalId producerId producerEpoch verifyOnly [topics]
 *     topics => name [partitions]
 *   v3AndBelowTopics => name [partitions]
 * response => throttleTimeMs errorCode{4+} [resultsByTransaction]{4+} [resultsByTopicV3AndBelow]{0-3}
 *   resultsByTransaction => transactionalId [topicResults]
 *     topicResults => name [resultsByPartition]
 *       resultsByPartition => partitionIndex partitionErrorCode
 *   resultsByTopicV3AndBelow => name [resultsByPartition]
 *     resultsByPartition => partitionIndex partitionErrorCode
 * ```
 */
export const addPartitionsToTxnApi: Api<typeof request, typeof response> = defineApi({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: '0-5',
  flexible: '3+',
  request,
  response,
});
