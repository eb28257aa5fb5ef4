import { BrokerError } from '../errors.ts';
import type { TransactionalProducer } from './transactional-producer.ts';

/** The refusals of transactions and of their parts, one sentence each. */
export const transactionRefusal = {
  timeout: (timeoutMs: number, timeoutMsMax: number): BrokerError =>
    new BrokerError(
      'transaction-timeout-invalid',
      `A transaction may take 1 to ${timeoutMsMax} ms, not ${timeoutMs}.`,
    ),
  name: (lengthMax: number): BrokerError =>
    new BrokerError('transaction-state', `A transactional id has 1 to ${lengthMax} characters.`),
  manyProducers: (limit: number): BrokerError =>
    new BrokerError(
      'transactions-full',
      `There are ${limit} transactional ids. Those not used for long are forgotten.`,
      { limit },
    ),
  manyOpen: (limit: number): BrokerError =>
    new BrokerError('transactions-full', `${limit} transactions are open. End some.`, { limit }),
  unknown: (producerId: number, transactionalId: string): BrokerError =>
    new BrokerError(
      'transaction-unknown',
      `Producer ${producerId} does not belong to transactional id "${transactionalId}". Begin anew.`,
    ),
  busy: ({ transactionalId }: TransactionalProducer): BrokerError =>
    new BrokerError('transaction-busy', `The last transaction of "${transactionalId}" is being ended.`),
  fenced: ({ transactionalId, epoch }: TransactionalProducer, stale: number): BrokerError =>
    new BrokerError(
      'producer-fenced',
      `Another producer writes under transactional id "${transactionalId}", or its transaction took too long: it is in epoch ${epoch}, not ${stale}.`,
    ),
  tooLarge: (transactionalId: string, what: string): BrokerError =>
    new BrokerError(
      'transaction-too-large',
      `The transaction of "${transactionalId}" takes ${what} at most. End or abort it.`,
    ),
  notPart: ({ transactionalId }: TransactionalProducer, what: string): BrokerError =>
    new BrokerError(
      'not-in-transaction',
      `${what} was not added to the transaction of "${transactionalId}".`,
    ),
  onlyTransactions: (producerId: number): BrokerError =>
    new BrokerError('transaction-state', `Producer ${producerId} writes in transactions only.`),
  wrongEnd: ({ transactionalId }: TransactionalProducer, what: string): BrokerError =>
    new BrokerError('transaction-state', `The last transaction of "${transactionalId}" ${what}.`),
} as const;
