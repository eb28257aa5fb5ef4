import { defineApi, type Api } from '../api.ts';

const request = {
  stateFilters: { type: '[]string' },
  producerIdFilters: { type: '[]int64' },
  durationFilter: { type: 'int64', versions: '1+', default: -1 },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  errorCode: { type: 'int16' },
  unknownStateFilters: { type: '[]string' },
  transactionStates: {
    type: '[]struct',
    fields: {
      transactionalId: { type: 'string' },
      producerId: { type: 'int64' },
      transactionState: { type: 'string' },
    },
  },
} as const;

/**
 * The transactional ids of the broker (KIP-664).
 *
 * From 1 on the request can select transactions that have been open for longer than `durationFilter`, in
 * milliseconds. Version 2 adds a regular expression for the ids. It is not offered, because the cost of
 * matching ids of any length has no reasonable bound.
 *
 * ```
 * request => [stateFilters] [producerIdFilters] durationFilter{1+}
 * response => throttleTimeMs errorCode [unknownStateFilters] [transactionStates]
 *   transactionStates => transactionalId producerId transactionState
 * ```
 */
export const listTransactionsApi: Api<typeof request, typeof response> = defineApi({
  key: 66,
  name: 'ListTransactions',
  versions: '0-1',
  flexible: '0+',
  request,
  response,
});
