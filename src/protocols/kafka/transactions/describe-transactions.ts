import type { TransactionalProducer } from '../../../broker/index.ts';
import { ErrorCode, type ResponseDraft } from '../../../wire/kafka/index.ts';
import type { Handler } from '../handler.ts';
import { inTurns } from '../../connections/index.ts';
import type { TopicNames } from '../kafka-host.ts';
import { Operation, type Rights } from '../security/index.ts';
import { transactionStateOf } from './transaction-state.ts';

type StateDraft = ResponseDraft<'DescribeTransactions'>['transactionStates'][number];

/** An id that is named twice is answered once, because an answer can be much longer than its question. */
export const describeTransactions: Handler<'DescribeTransactions'> = async (
  request,
  { host, session, rights },
) => ({
  transactionStates: await inTurns(new Set(request.transactionalIds), session, (transactionalId) => {
    if (!rights.mayTransactionalId(Operation.describe, transactionalId))
      return unknown(transactionalId, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    const producer = host.broker.transactions.find(transactionalId);
    return producer ? describe(producer, host.topicNames, rights) : unknown(transactionalId);
  }),
});

function describe(producer: TransactionalProducer, topicNames: TopicNames, rights: Rights): StateDraft {
  const { transactionalId, timeoutMs, producerId, epoch, transaction } = producer;
  const indexes = new Map<{ readonly name: string }, number[]>();
  for (const { topic, index } of transaction?.partitions ?? []) {
    const known = indexes.get(topic);
    if (known) known.push(index);
    else indexes.set(topic, [index]);
  }
  return {
    errorCode: ErrorCode.NONE,
    transactionalId,
    transactionState: transactionStateOf(producer),
    transactionTimeoutMs: timeoutMs,
    transactionStartTimeMs: transaction?.startedMs ?? -1,
    producerId,
    producerEpoch: epoch,
    topics: Array.from(indexes, ([topic, partitions]) => ({
      topic: topicNames.nameOf(topic),
      partitions,
    })).filter(({ topic }) => rights.mayTopic(Operation.describe, topic)),
  };
}

function unknown(
  transactionalId: string,
  errorCode: ErrorCode = ErrorCode.TRANSACTIONAL_ID_NOT_FOUND,
): StateDraft {
  return {
    errorCode,
    transactionalId,
    transactionState: '',
    transactionTimeoutMs: 0,
    transactionStartTimeMs: -1,
    producerId: -1,
    producerEpoch: -1,
    topics: [],
  };
}
