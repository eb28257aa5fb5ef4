import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  transactionalId: { type: 'string', nullable: true },
  transactionTimeoutMs: { type: 'int32' },
  producerId: { type: 'int64', versions: '3+', default: -1 },
  producerEpoch: { type: 'int16', versions: '3+', default: -1 },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  errorCode: { type: 'int16' },
  producerId: { type: 'int64', default: -1 },
  producerEpoch: { type: 'int16' },
} as const;

export type InitProducerIdRequest = Message<typeof request>;

/**
 * Assigns an id and an epoch to an idempotent or transactional producer, and fences an earlier producer with
 * the same transactional id.
 *
 * From 3 on a producer may present its current id and epoch. Version 6 is not stable in Kafka 4.4 (KIP-939)
 * and is not supported.
 *
 * ```
 * request => transactionalId? transactionTimeoutMs producerId{3+} producerEpoch{3+}
 * response => throttleTimeMs errorCode producerId producerEpoch
 * ```
 */
export const initProducerIdApi: Api<typeof request, typeof response> = defineApi({
  key: 22,
  name: 'InitProducerId',
  versions: '0-5',
  flexible: '2+',
  request,
  response,
});
