import type { Partition, Topic } from '../../../broker/index.ts';
import { ErrorCode } from '../../../wire/kafka/index.ts';
import type { Handler } from '../handler.ts';
import { inTurns } from '../../connections/index.ts';
import { distinctPartitions } from '../distinct-partitions.ts';

/** All data is in one directory. Its path is not shown to clients. */
const logDir = 'data';

export const describeLogDirs: Handler<'DescribeLogDirs'> = async (request, { host, session }) => {
  const { broker, topicNames } = host;
  const topics: { name: string; partitions: ReturnType<typeof describe>[] }[] = [];
  const add = (topic: Topic, indexes: Iterable<number>): void => {
    const partitions = Array.from(indexes, (index) => describe(index, topic.partitions.ifOpened(index)));
    if (partitions.length > 0) topics.push({ name: topicNames.nameOf(topic), partitions });
  };
  if (request.topics === null)
    await inTurns(broker.topics.values(), session, (topic) => add(topic, topic.partitions.indexes()));
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
        [...indexes].filter((index) => topic.partitions.has(index)).sort((a, b) => a - b),
      );
  });
  const usableBytes = broker.stats().diskFreeBytes ?? -1;
  return {
    errorCode: ErrorCode.NONE,
    results: [{ errorCode: ErrorCode.NONE, logDir, topics, totalBytes: -1, usableBytes }],
  };
};

function describe(
  partitionIndex: number,
  partition: Partition | undefined,
): {
  partitionIndex: number;
  partitionSize: number;
  offsetLag: number;
  isFutureKey: boolean;
} {
  const partitionSize = partition ? partition.log.bytesFrom(partition.log.startOffset) : 0;
  return { partitionIndex, partitionSize, offsetLag: 0, isFutureKey: false };
}
