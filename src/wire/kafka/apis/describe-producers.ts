import { defineApi, type Api } from '../api.ts';

const request = {
  topics: {
    type: '[]struct',
    fields: {
      name: { type: 'string' },
      partitionIndexes: { type: '[]int32' },
    },
  },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  topics: {
    type: '[]struct',
    fields: {
      name: { type: 'string' },
      partitions: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          errorCode: { type: 'int16' },
          errorMessage: { type: 'string', nullable: true, default: null },
          activeProducers: {
            type: '[]struct',
            fields: {
              producerId: { type: 'int64' },
              producerEpoch: { type: 'int32' },
              lastSequence: { type: 'int32', default: -1 },
              lastTimestamp: { type: 'int64', default: -1 },
              coordinatorEpoch: { type: 'int32', default: -1 },
              currentTxnStartOffset: { type: 'int64', default: -1 },
            },
          },
        },
      },
    },
  },
} as const;

/**
 * The idempotent producers known in partitions, and the offsets where their open transactions begin
 * (KIP-664).
 *
 * ```
 * request => [topics]
 *   topics => name [partitionIndexes]
 * response => throttleTimeMs [topics]
 *   topics => name [partitions]
 *     partitions => partitionIndex errorCode errorMessage? [activeProducers]
 *       activeProducers => producerId producerEpoch lastSequence lastTimestamp coordinatorEpoch
 *                          currentTxnStartOffset
 * ```
 */
export const describeProducersApi: Api<typeof request, typeof response> = defineApi({
  key: 61,
  name: 'DescribeProducers',
  versions: '0',
  flexible: '0+',
  request,
  response,
});
