import { defineApi, type Api } from '../api.ts';

const request = {
  transactionalIds: { type: '[]string' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  transactionStates: {
    type: '[]struct',
    fields: {
      errorCode: { type: 'int16' },
      transactionalId: { type: 'string' },
      transactionState: { type: 'string' },
      transactionTimeoutMs: { type: 'int32' },
      transactionStartTimeMs: { type: 'int64' },
      producerId: { type: 'int64' },
      producerEpoch: { type: 'int16' },
      topics: {
        type: '[]struct',
        fields: {
          topic: { type: 'string' },
          partitions: { type: '[]int32' },
        },
      },
    },
  },
} as const;

/**
 * The producers of transactional ids, and the partitions that their open transactions have written to
 * (KIP-664).
 *
 * ```
 * request => [transactionalIds]
 * response => throttleTimeMs [transactionStates]
 *   transactionStates => errorCode transactionalId transactionState transactionTimeoutMs
 *                        transactionStartTimeMs producerId producerEpoch [topics]
 *     topics => topic [partitions]
 * ```
 */
export const describeTransactionsApi: Api<typeof request, typeof response> = defineApi({
  key: 65,
  name: 'DescribeTransactions',
  versions: '0',
  flexible: '0+',
  request,
  response,
});
