import { BrokerError, type Topic } from '../../../broker/index.ts';
import {
  ErrorCode,
  zeroUuid,
  type MetadataRequest,
  type MetadataResponse,
  type ResponseDraft,
} from '../../../wire/kafka/index.ts';
import { clusterOperations, topicOperations } from '../authorized-operations.ts';
import { errorCodeOf } from '../errors.ts';
import type { Handler, RequestContext } from '../handler.ts';
import { inTurns } from '../../connections/index.ts';
import type { KafkaHost } from '../kafka-host.ts';
import { leaderEpoch } from '../partition-view.ts';
import { fullRights, Operation, type Rights } from '../security/index.ts';
import { mayUse, mayUseId } from '../topic-access.ts';
import { isTopicName } from '../topic-names.ts';

type TopicDraft = ResponseDraft<'Metadata'>['topics'][number];
type WantedTopic = NonNullable<MetadataRequest['topics']>[number];
type PartitionDraft = MetadataResponse['topics'][number]['partitions'][number];

/** "Topic IDs are not supported in versions 10 and 11" (KIP-516). */
const idsSince = 12;
const noReplicas: readonly number[] = [];

export const metadata: Handler<'Metadata'> = async (request, context) => {
  const { host, session, version, rights } = context;
  const { topics: wanted } = request;
  let creations = host.limits.autoCreationsMax;
  // All topics: null, or in version 0 the empty list.
  const isAll = wanted === null || (version === 0 && wanted.length === 0);
  const topics = isAll
    ? await describeAll(context)
    : await inTurns(distinct(wanted), session, ({ name, topicId }) =>
        find(name, topicId, request.allowAutoTopicCreation, context, () => creations-- > 0),
      );
  return {
    brokers: [{ nodeId: host.nodeId, ...session.endpoint }],
    clusterId: host.clusterId,
    controllerId: host.nodeId,
    topics: request.includeTopicAuthorizedOperations
      ? topics.map((topic) => withOperations(topic, rights))
      : topics,
    ...(request.includeClusterAuthorizedOperations
      ? { clusterAuthorizedOperations: clusterOperations(rights) }
      : {}),
  };
};

/** Describes all topics, except for those that the client may not describe. */
async function describeAll({ host, session, rights }: RequestContext): Promise<TopicDraft[]> {
  const { broker, topicNames, offsetsTopic } = host;
  const isAll = rights === fullRights;
  const topics = await inTurns(broker.topics.values(), session, (topic) =>
    isAll || rights.mayTopic(Operation.describe, topicNames.nameOf(topic))
      ? describe(topic, host)
      : undefined,
  );
  const described = topics.filter((topic) => topic !== undefined);
  if (offsetsTopic.isListed && rights.mayTopic(Operation.describe, offsetsTopic.name))
    described.push(describeOffsets(host));
  return described;
}

function withOperations(topic: TopicDraft, rights: Rights): TopicDraft {
  return topic.errorCode === ErrorCode.NONE
    ? { ...topic, topicAuthorizedOperations: topicOperations(rights, topic.name ?? '') }
    : topic;
}

/**
 * A topic that is named twice is described once, as by Kafka, because the answer can be much longer than the
 * name.
 */
function distinct(wanted: readonly WantedTopic[]): readonly WantedTopic[] {
  if (wanted.length < 2) return wanted;
  const topics = new Map<string, WantedTopic>();
  for (const topic of wanted) topics.set(`${topic.topicId}/${topic.name ?? ''}`, topic);
  return [...topics.values()];
}

function find(
  name: string | null,
  topicId: string,
  mayCreate: boolean,
  context: RequestContext,
  takeCreation: () => boolean,
): TopicDraft | Promise<TopicDraft> {
  const { host, version, rights } = context;
  // Versions 10 and 11 have ids in the request, but cannot answer without a name.
  if (version < idsSince && (name === null || topicId !== zeroUuid))
    return unknown(ErrorCode.INVALID_REQUEST, name ?? '', topicId);
  // The Java client asks by id, with an empty name.
  if (name === null || (name === '' && topicId !== zeroUuid)) {
    const topic = host.topicIds.topic(topicId);
    // "Topic IDs are not considered sensitive information."
    if (!mayUseId(context, Operation.describe, topicId))
      return unknown(ErrorCode.TOPIC_AUTHORIZATION_FAILED, null, topicId);
    if (host.offsetsTopic.isId(topicId)) return describeOffsets(host);
    return topic ? describe(topic, host) : unknown(ErrorCode.UNKNOWN_TOPIC_ID, null, topicId);
  }
  // A refused client does not learn whether the topic exists.
  if (!mayUse(context, Operation.describe, name)) return unknown(ErrorCode.TOPIC_AUTHORIZATION_FAILED, name);
  const topic = host.topicNames.topic(name);
  if (topic) return describe(topic, host);
  if (host.offsetsTopic.is(name)) return describeOffsets(host);
  if (!isTopicName(name)) return unknown(ErrorCode.INVALID_TOPIC_EXCEPTION, name);
  if (!mayCreate || !host.autoCreation.enabled || host.deletedNames.has(name))
    return unknown(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, name);
  if (!mayUse(context, Operation.create, name) && !rights.mayCluster(Operation.create))
    return unknown(ErrorCode.TOPIC_AUTHORIZATION_FAILED, name);
  // The client asks again for the missing topics, and then gets the next ones. Creating more topics at once
  // would delay other clients.
  if (!takeCreation()) return unknown(ErrorCode.LEADER_NOT_AVAILABLE, name);
  return create(name, host);
}

async function create(name: string, host: KafkaHost): Promise<TopicDraft> {
  try {
    return describe(await createByName(name, host), host);
  } catch (error) {
    return unknown(errorCodeOf(error), name);
  }
}

/** Two clients may ask for the same new topic: both get it. */
async function createByName(name: string, { broker, autoCreation }: KafkaHost): Promise<Topic> {
  try {
    return await broker.createTopic({ name, partitions: autoCreation.partitions });
  } catch (error) {
    const existing = broker.topic(name);
    if (existing && error instanceof BrokerError && error.code === 'topic-exists') return existing;
    throw error;
  }
}

function unknown(errorCode: ErrorCode, name: string | null, topicId: string = zeroUuid): TopicDraft {
  return { errorCode, name, topicId, partitions: [] };
}

function describe(topic: Topic, { nodeId, topicIds, topicNames }: KafkaHost): TopicDraft {
  return {
    errorCode: ErrorCode.NONE,
    name: topicNames.nameOf(topic),
    topicId: topicIds.idOf(topic),
    isInternal: false,
    partitions: partitionsOf(topic.partitions.indexes(), nodeId),
  };
}

function describeOffsets({ nodeId, offsetsTopic: { name, id, partitions } }: KafkaHost): TopicDraft {
  const indexes = Array.from({ length: partitions }, (_, index) => index);
  return {
    errorCode: ErrorCode.NONE,
    name,
    topicId: id,
    isInternal: true,
    partitions: partitionsOf(indexes, nodeId),
  };
}

function partitionsOf(indexes: readonly number[], nodeId: number): PartitionDraft[] {
  const nodes = [nodeId];
  return indexes.map((index) => ({
    errorCode: ErrorCode.NONE,
    partitionIndex: index,
    leaderId: nodeId,
    leaderEpoch,
    replicaNodes: nodes,
    isrNodes: nodes,
    offlineReplicas: noReplicas,
  }));
}
