import type { Partition, TransactionCaller } from '../../../broker/index.ts';
import { ErrorCode, type AddPartitionsToTxnRequest } from '../../../wire/kafka/index.ts';
import type { Handler, RequestContext } from '../handler.ts';
import { inTurns } from '../../connections/index.ts';
import { Operation } from '../security/index.ts';
import { mayUse } from '../topic-access.ts';
import { transactionErrorCode } from './errors.ts';

type TopicRequest = AddPartitionsToTxnRequest['v3AndBelowTopics'][number];
type TransactionRequest = Omit<AddPartitionsToTxnRequest['transactions'][number], 'topics'> & {
  readonly topics: readonly TopicRequest[];
};

interface TopicResult {
  readonly name: string;
  readonly resultsByPartition: readonly {
    readonly partitionIndex: number;
    readonly partitionErrorCode: ErrorCode;
  }[];
}

/** Answered once the change is on disk: after a restart a client need not ask again. */
export const addPartitionsToTxn: Handler<'AddPartitionsToTxn'> = async (request, context) => {
  const { session, version } = context;
  if (version >= 4) {
    const resultsByTransaction = await inTurns(request.transactions, session, async (one) => ({
      transactionalId: one.transactionalId,
      topicResults: await answerTo(one, context),
    }));
    return { errorCode: ErrorCode.NONE, resultsByTransaction };
  }
  const one: TransactionRequest = {
    transactionalId: request.v3AndBelowTransactionalId,
    producerId: request.v3AndBelowProducerId,
    producerEpoch: request.v3AndBelowProducerEpoch,
    verifyOnly: false,
    topics: request.v3AndBelowTopics,
  };
  return { resultsByTopicV3AndBelow: await answerTo(one, context) };
};

async function answerTo(request: TransactionRequest, context: RequestContext): Promise<TopicResult[]> {
  const { host, version } = context;
  const { transactionalId, producerId, producerEpoch: epoch, topics, verifyOnly } = request;
  const { transactions } = host.broker;
  const caller: TransactionCaller = { transactionalId, producerId, epoch };
  const results = (code: (partition: Partition | undefined, name: string) => ErrorCode): TopicResult[] =>
    topics.map(({ name, partitions }) => ({
      name,
      resultsByPartition: partitions.map((partitionIndex) => ({
        partitionIndex,
        partitionErrorCode: code(host.topicNames.topic(name)?.partitions.at(partitionIndex), name),
      })),
    }));
  // From version 4 on the requests come from brokers, for producers that they have authorized.
  const mayWrite = (name: string): boolean => version >= 4 || mayUse(context, Operation.write, name);
  const known: Partition[] = [];
  let isWhole = true;
  for (const { name, partitions } of topics) {
    const topic = mayWrite(name) ? host.topicNames.topic(name) : undefined;
    for (const index of partitions) {
      const partition = topic?.partitions.at(index);
      if (partition) known.push(partition);
      else isWhole = false;
    }
  }
  if (!isWhole)
    return results((partition, name) => {
      if (!mayWrite(name)) return ErrorCode.TOPIC_AUTHORIZATION_FAILED;
      return partition ? ErrorCode.OPERATION_NOT_ATTEMPTED : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    });
  try {
    if (verifyOnly)
      return results((partition) =>
        transactions.hasPartition(caller, partition!) ? ErrorCode.NONE : ErrorCode.TRANSACTION_ABORTABLE,
      );
    await transactions.addPartitions(caller, known);
    return results(() => ErrorCode.NONE);
  } catch (error) {
    const code = transactionErrorCode(error, version, { fencedSince: 2, abortableSince: 5 });
    return results(() => code);
  }
}
