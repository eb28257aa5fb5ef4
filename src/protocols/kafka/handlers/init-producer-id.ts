import { ErrorCode } from '../../../wire/kafka/index.ts';
import type { Handler } from '../handler.ts';

/** Idempotent producers have no name: each gets an id of its own, whatever it had before. */
export const initProducerId: Handler<'InitProducerId'> = async ({ transactionalId }, { host }) => {
  if (transactionalId !== null)
    return { errorCode: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, producerEpoch: -1 };
  return { errorCode: ErrorCode.NONE, producerId: await host.broker.nextProducerId(), producerEpoch: 0 };
};
