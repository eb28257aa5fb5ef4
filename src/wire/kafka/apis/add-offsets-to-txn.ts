import { defineApi, type Api } from '../api.ts';

const request = {
  transactionalId: { type: 'string' },
  producerId: { type: 'int64' },
  producerEpoch: { type: 'int16' },
  groupId: { type: 'string' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  errorCode: { type: 'int16' },
} as const;

/**
 * Adds a group to a transaction that will store positions of it.
 *
 * ```
 * request => transactionalId producerId producerEpoch groupId
 * response => throttleTimeMs errorCode
 * ```
 */
export const addOffsetsToTxnApi: Api<typeof request, typeof response> = defineApi({
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: '0-4',
  flexible: '3+',
  request,
  response,
});
