import { ErrorCode } from '../../../wire/kafka/index.ts';
import { errorCodeOf } from '../errors.ts';
import type { Handler } from '../handler.ts';
import { initTransactionalProducer } from '../transactions/index.ts';

/** An idempotent producer has no name, so each request gets a new id, whatever id the producer had before. */
export const initProducerId: Handler<'InitProducerId'> = async (request, context) => {
  const { host } = context;
  if (request.transactionalId !== null)
    return initTransactionalProducer(request.transactionalId, request, context);
  try {
    return { errorCode: ErrorCode.NONE, producerId: await host.broker.nextProducerId(), producerEpoch: 0 };
  } catch (error) {
    return { errorCode: errorCodeOf(error), producerId: -1, producerEpoch: -1 };
  }
};
