import { ErrorCode } from '../../../wire/kafka/index.ts';
import type { Handler } from '../handler.ts';
import { transactionErrorCode } from './errors.ts';

/**
 * "5 raises the epoch with every transaction and returns it" (KIP-890). A request of an earlier transaction
 * that arrives late is then refused.
 */
const raisesSince = 5;

export const endTxn: Handler<'EndTxn'> = async (request, { host, version }) => {
  const { transactionalId, producerId, producerEpoch: epoch, committed } = request;
  try {
    const outcome = committed ? 'commit' : 'abort';
    const caller = { transactionalId, producerId, epoch };
    const next = await host.broker.transactions.end(caller, outcome, version >= raisesSince);
    return { errorCode: ErrorCode.NONE, producerId: next.producerId, producerEpoch: next.epoch };
  } catch (error) {
    return { errorCode: transactionErrorCode(error, version, { fencedSince: 2, abortableSince: 5 }) };
  }
};
