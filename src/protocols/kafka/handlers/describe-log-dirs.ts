import type { Partition, Topic } from '../../../broker/index.ts';
import { ErrorCode } from '../../../wire/kafka/index.ts';
import type { Handler } from '../handler.ts';
import { distinctPartitions, inTurns } from '../in-turns.ts';

/** All data is in one directory; where it lies is nobody's business. */
const logDir = 'data';

export const describeLogDirs: Handler<'DescribeLogDirs'> = async (request, { host, session }) => {
  const { broker, topicNames } = host;
  const topics: { name: string; partitions: ReturnType<typeof describe>[] }[] = [];
  const add = (topic: Topic, partitions: readonly Partition[]): void => {
    if (partitions.length > 0)
      topics.push({ name: topicNames.nameOf(topic), partitions: partitions.map(describe) });
  };
  if (request.topics === null)
    await inTurns(broker.topics.values(), session, (topic) => add(topic, topic.partitions));
  const wanted = distinctPartitions(
    request.topics ?? [],
    ({ topic }) => topic,
    ({ partitions }) => partitions,
  );
  await inTurns(wanted, session, ([name, indexes]) => {
    const topic = topicNames.topic(name);
    if (topic)
      add(
        topic,
        topic.partitions.filter(({ index }) => indexes.has(index)),
      );
  });
  const usableBytes = broker.stats().diskFreeBytes ?? -1;
  return {
    errorCode: ErrorCode.NONE,
    results: [{ errorCode: ErrorCode.NONE, logDir, topics, totalBytes: -1, usableBytes }],
  };
};

function describe(partition: Partition): {
  partitionIndex: number;
  partitionSize: number;
  offsetLag: number;
  isFutureKey: boolean;
} {
  const partitionSize = partition.log.bytesFrom(partition.log.startOffset);
  return { partitionIndex: partition.index, partitionSize, offsetLag: 0, isFutureKey: false };
}
