import type { Partition } from '../../../broker/index.ts';
import { ErrorCode, type ResponseDraft } from '../../../wire/kafka/index.ts';
import type { Handler } from '../handler.ts';

type PartitionDraft = ResponseDraft<'DescribeProducers'>['topics'][number]['partitions'][number];

/** A partition that is named twice is answered once: an answer can be much longer than its question. */
export const describeProducers: Handler<'DescribeProducers'> = (request, { host }) => {
  const wanted = new Map<string, Set<number>>();
  for (const { name, partitionIndexes } of request.topics) {
    const indexes = wanted.get(name) ?? new Set();
    for (const index of partitionIndexes) indexes.add(index);
    wanted.set(name, indexes);
  }
  return {
    topics: Array.from(wanted, ([name, indexes]) => {
      const topic = host.topicNames.topic(name);
      return { name, partitions: Array.from(indexes, (index) => answer(index, topic?.partitions[index])) };
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
