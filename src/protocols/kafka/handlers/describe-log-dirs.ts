import type { Partition, Topic } from '../../../broker/index.ts';
import { ErrorCode } from '../../../wire/kafka/index.ts';
import type { Handler } from '../handler.ts';

/** All data is in one directory; where it lies is nobody's business. */
const logDir = 'data';

export const describeLogDirs: Handler<'DescribeLogDirs'> = (request, { host }) => {
  const { broker, topicNames } = host;
  const topics: { name: string; partitions: ReturnType<typeof describe>[] }[] = [];
  const add = (topic: Topic, partitions: readonly Partition[]): void => {
    if (partitions.length > 0)
      topics.push({ name: topicNames.nameOf(topic), partitions: partitions.map(describe) });
  };
  if (request.topics === null) for (const topic of broker.topics.values()) add(topic, topic.partitions);
  for (const wanted of request.topics ?? []) {
    const topic = topicNames.topic(wanted.topic);
    const isWanted = ({ index }: Partition): boolean => wanted.partitions.includes(index);
    if (topic) add(topic, topic.partitions.filter(isWanted));
  }
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
