import { ErrorCode, zeroUuid, type ResponseDraft } from '../../../wire/kafka/index.ts';
import { topicOperations } from '../authorized-operations.ts';
import type { Handler } from '../handler.ts';
import { leaderEpoch } from '../partition-view.ts';
import { Operation } from '../security/index.ts';

type Response = ResponseDraft<'DescribeTopicPartitions'>;
type TopicDraft = Response['topics'][number];

/** Kafka's `max.request.partition.size.limit`. */
const partitionsMax = 2000;

/** Topics in the order of their names, page by page. The cursor is the first partition of the next page. */
export const describeTopicPartitions: Handler<'DescribeTopicPartitions'> = (request, { host, rights }) => {
  const { cursor, responsePartitionLimit } = request;
  const { topicNames, topicIds, nodeId, offsetsTopic } = host;
  const nodes = [nodeId];
  let left = Math.max(1, Math.min(responsePartitionLimit, partitionsMax));
  const names =
    request.topics.length > 0
      ? request.topics.map(({ name }) => name)
      : Array.from(host.broker.topics.values(), (topic) => topicNames.nameOf(topic));
  if (request.topics.length === 0 && offsetsTopic.isListed) names.push(offsetsTopic.name);
  const topics: TopicDraft[] = [];
  // If the request does not name topics, the answer contains only those that the client may describe.
  const isNamed = request.topics.length > 0;
  const mayDescribe = (name: string): boolean => rights.mayTopic(Operation.describe, name);
  for (const name of [...new Set(names)].sort()) {
    if (!isNamed && !mayDescribe(name)) continue;
    if (cursor !== null && name < cursor.topicName) continue;
    const from = cursor !== null && name === cursor.topicName ? Math.max(0, cursor.partitionIndex) : 0;
    if (left === 0) return { topics, nextCursor: { topicName: name, partitionIndex: from } };
    if (isNamed && !mayDescribe(name)) {
      topics.push(refused(name, ErrorCode.TOPIC_AUTHORIZATION_FAILED));
      continue;
    }
    const topic = topicNames.topic(name);
    const isInternal = offsetsTopic.is(name);
    if (!topic && !isInternal) {
      topics.push(refused(name, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
      continue;
    }
    const count = topic?.partitions.length ?? offsetsTopic.partitions;
    const page = Array.from({ length: Math.max(0, Math.min(left, count - from)) }, (_, at) => from + at);
    left -= page.length;
    topics.push({
      errorCode: ErrorCode.NONE,
      name,
      topicId: topic ? topicIds.idOf(topic) : offsetsTopic.id,
      isInternal,
      topicAuthorizedOperations: topicOperations(rights, name),
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
    if (from + page.length < count)
      return { topics, nextCursor: { topicName: name, partitionIndex: from + page.length } };
  }
  return { topics, nextCursor: null };
};

function refused(name: string, errorCode: ErrorCode): TopicDraft {
  return { errorCode, name, topicId: zeroUuid, isInternal: false, partitions: [] };
}
