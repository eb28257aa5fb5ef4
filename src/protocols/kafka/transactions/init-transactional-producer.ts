import type { ProducerIdentity } from '../../../broker/index.ts';
import { ErrorCode, type InitProducerIdRequest, type ResponseDraft } from '../../../wire/kafka/index.ts';
import type { RequestContext } from '../handler.ts';
import { transactionErrorCode } from './errors.ts';

/** Makes the client the one producer of its transactional id. */
export async function initTransactionalProducer(
  transactionalId: string,
  { transactionTimeoutMs, producerId, producerEpoch }: InitProducerIdRequest,
  { host, version }: RequestContext,
): Promise<ResponseDraft<'InitProducerId'>> {
  if (transactionalId === '' || producerId < 0 !== producerEpoch < 0)
    return refused(ErrorCode.INVALID_REQUEST);
  const expected: ProducerIdentity | undefined =
    producerId < 0 ? undefined : { producerId, epoch: producerEpoch };
  try {
    const next = await host.broker.transactions.init(transactionalId, transactionTimeoutMs, expected);
    return { errorCode: ErrorCode.NONE, producerId: next.producerId, producerEpoch: next.epoch };
  } catch (error) {
    return refused(transactionErrorCode(error, version, { fencedSince: 4 }));
  }
}

function refused(errorCode: ErrorCode): ResponseDraft<'InitProducerId'> {
  return { errorCode, producerId: -1, producerEpoch: -1 };
}
