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
export type InitProducerIdResponse = Message<typeof response>;

/**
 * The id and epoch of an idempotent or transactional producer; fences an earlier one of the same
 * transactional id.
 *
 * From 3 on a producer may hand in what it had. Version 6 is not stable in Kafka 4.4 (KIP-939) and left out.
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
