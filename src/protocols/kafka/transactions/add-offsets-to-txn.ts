import { ErrorCode } from '../../../wire/kafka/index.ts';
import type { Handler } from '../handler.ts';
import { transactionErrorCode } from './errors.ts';

export const addOffsetsToTxn: Handler<'AddOffsetsToTxn'> = async (request, { host, version }) => {
  const { transactionalId, producerId, producerEpoch: epoch, groupId } = request;
  if (groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID };
  try {
    await host.broker.transactions.addGroup({ transactionalId, producerId, epoch }, groupId);
    return { errorCode: ErrorCode.NONE };
  } catch (error) {
    return { errorCode: transactionErrorCode(error, version, { fencedSince: 2, abortableSince: 4 }) };
  }
};
