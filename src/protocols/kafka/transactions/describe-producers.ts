import type { Partition } from '../../../broker/index.ts';
import { ErrorCode, type ResponseDraft } from '../../../wire/kafka/index.ts';
import type { Handler } from '../handler.ts';
import { Operation } from '../security/index.ts';
import { mayUse } from '../topic-access.ts';
import { inTurns } from '../../connections/index.ts';
import { distinctPartitions } from '../distinct-partitions.ts';

type PartitionDraft = ResponseDraft<'DescribeProducers'>['topics'][number]['partitions'][number];

/**
 * A partition that is named twice is answered once, because an answer can be much longer than its question.
 */
export const describeProducers: Handler<'DescribeProducers'> = async (request, context) => {
  const { host, session } = context;
  const wanted = distinctPartitions(
    request.topics,
    ({ name }) => name,
    ({ partitionIndexes }) => partitionIndexes,
  );
  return {
    topics: await inTurns(wanted, session, async ([name, indexes]) => {
      const topic = host.topicNames.topic(name);
      const isAllowed = mayUse(context, Operation.read, name);
      const isInternal = host.offsetsTopic.is(name);
      const partitions = await inTurns(indexes, session, (index): PartitionDraft =>
        !isAllowed
          ? { activeProducers: [], partitionIndex: index, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED }
          : isInternal && host.offsetsTopic.has(index)
            ? { partitionIndex: index, errorCode: ErrorCode.NONE, activeProducers: [] }
            : answer(index, topic?.partitions.at(index)),
      );
      return { name, partitions };
    }),
  };
};

function answer(partitionIndex: number, partition: Partition | undefined): PartitionDraft {
  if (partition)
    return { partitionIndex, errorCode: ErrorCode.NONE, activeProducers: producersOf(partition) };
  return { partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, activeProducers: [] };
}

function producersOf({ producers, transactions }: Partition): PartitionDraft['activeProducers'] {
  return Array.from(producers.views(), ({ producerId, epoch, lastSequence, lastMs }) => ({
    producerId,
    producerEpoch: epoch,
    lastSequence,
    lastTimestamp: lastMs,
    currentTxnStartOffset: transactions.firstOffsetOf(producerId) ?? -1,
  }));
}
