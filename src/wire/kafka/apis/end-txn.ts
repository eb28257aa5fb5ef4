import { defineApi, type Api } from '../api.ts';

const request = {
  transactionalId: { type: 'string' },
  producerId: { type: 'int64' },
  producerEpoch: { type: 'int16' },
  committed: { type: 'bool' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  errorCode: { type: 'int16' },
  producerId: { type: 'int64', versions: '5+', default: -1 },
  producerEpoch: { type: 'int16', versions: '5+', default: -1 },
} as const;

/**
 * Commits or aborts a transaction.
 *
 * Version 5 raises the epoch with every transaction and returns it (KIP-890).
 *
 * ```
 * request => transactionalId producerId producerEpoch committed
 * response => throttleTimeMs errorCode producerId{5+} producerEpoch{5+}
 * ```
 */
export const endTxnApi: Api<typeof request, typeof response> = defineApi({
  key: 26,
  name: 'EndTxn',
  versions: '0-5',
  flexible: '3+',
  request,
  response,
});
