import { ErrorCode } from '../../../wire/kafka/index.ts';
import type { Handler } from '../handler.ts';
import { Operation } from '../security/index.ts';
import { transactionStateOf, transactionStates } from './transaction-state.ts';

export const listTransactions: Handler<'ListTransactions'> = (request, { host, rights }) => {
  const { broker } = host;
  const { durationFilter } = request;
  const states = new Set(request.stateFilters);
  const producerIds = new Set(request.producerIdFilters);
  const startedBeforeMs = durationFilter < 0 ? Infinity : broker.clock.now() - durationFilter;
  const unknownStateFilters = request.stateFilters.filter(
    (state) => !transactionStates.some((known) => known === state),
  );
  const found: { transactionalId: string; producerId: number; transactionState: string }[] = [];
  for (const producer of broker.transactions.producers()) {
    const { transactionalId, producerId, transaction } = producer;
    if (!rights.mayTransactionalId(Operation.describe, transactionalId)) continue;
    const transactionState = transactionStateOf(producer);
    if (states.size > 0 && !states.has(transactionState)) continue;
    if (producerIds.size > 0 && !producerIds.has(producerId)) continue;
    if (durationFilter >= 0 && !(transaction && transaction.startedMs < startedBeforeMs)) continue;
    found.push({ transactionalId, producerId, transactionState });
  }
  return { errorCode: ErrorCode.NONE, unknownStateFilters, transactionStates: found };
};
