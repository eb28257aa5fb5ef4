import { ErrorCode, zeroUuid, type ResponseDraft } from '../../../wire/kafka/index.ts';
import type { Handler } from '../handler.ts';
import { leaderEpoch } from '../partition-view.ts';

type Response = ResponseDraft<'DescribeTopicPartitions'>;
type TopicDraft = Response['topics'][number];

/** Kafka's `max.request.partition.size.limit`. */
const partitionsMax = 2000;

/** Topics in the order of their names, page by page: the cursor is the first partition of the next page. */
export const describeTopicPartitions: Handler<'DescribeTopicPartitions'> = (request, { host }) => {
  const { cursor, responsePartitionLimit } = request;
  const { topicNames, topicIds, nodeId } = host;
  const nodes = [nodeId];
  let left = Math.max(1, Math.min(responsePartitionLimit, partitionsMax));
  const names =
    request.topics.length > 0
      ? request.topics.map(({ name }) => name)
      : Array.from(host.broker.topics.values(), (topic) => topicNames.nameOf(topic));
  const topics: TopicDraft[] = [];
  for (const name of [...new Set(names)].sort()) {
    if (cursor !== null && name < cursor.topicName) continue;
    const from = cursor !== null && name === cursor.topicName ? Math.max(0, cursor.partitionIndex) : 0;
    if (left === 0) return { topics, nextCursor: { topicName: name, partitionIndex: from } };
    const topic = topicNames.topic(name);
    if (!topic) {
      const errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
      topics.push({ errorCode, name, topicId: zeroUuid, isInternal: false, partitions: [] });
      continue;
    }
    const page = topic.partitions.indexes(from, from + left);
    left -= page.length;
    topics.push({
      errorCode: ErrorCode.NONE,
      name,
      topicId: topicIds.idOf(topic),
      isInternal: false,
      partitions: page.map((index) => ({
        errorCode: ErrorCode.NONE,
        partitionIndex: index,
        leaderId: nodeId,
        leaderEpoch,
        replicaNodes: nodes,
        isrNodes: nodes,
        eligibleLeaderReplicas: [],
        lastKnownElr: [],
        offlineReplicas: [],
      })),
    });
    if (from + page.length < topic.partitions.length)
      return { topics, nextCursor: { topicName: name, partitionIndex: from + page.length } };
  }
  return { topics, nextCursor: null };
};
