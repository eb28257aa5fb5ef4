import type { Topic } from '../../../../broker/index.ts';
import { ErrorCode, type OffsetCommitRequest, type ResponseDraft } from '../../../../wire/kafka/index.ts';
import { KafkaError, errorCodeOf } from '../../errors.ts';
import type { Handler } from '../../handler.ts';
import { Operation } from '../../security/index.ts';
import { mayUse } from '../../topic-access.ts';
import type { GroupCoordinator } from '../coordinator.ts';
import { afterCommit } from './after-commit.ts';

type TopicRequest = OffsetCommitRequest['topics'][number];
type PartitionResponse = { readonly partitionIndex: number; readonly errorCode: ErrorCode };

/** Answered once the offsets are on disk. */
export const offsetCommit: Handler<'OffsetCommit'> = async (request, context) => {
  const { version } = context;
  const { coordinator } = context.host;
  try {
    checkCommit(coordinator, request, version);
  } catch (error) {
    return answerAll(request, errorCodeOf(error));
  }
  const topics = request.topics.map((asked) => {
    const isAllowed = mayUse(context, Operation.read, asked.name);
    return { asked, isAllowed, topic: isAllowed ? coordinator.topicNames.topic(asked.name) : undefined };
  });
  const refusals = await ensureGroups(coordinator, request.groupId, topics);
  let commits = false;
  const response = topics.map(({ asked, isAllowed, topic }) => ({
    name: asked.name,
    topicId: asked.topicId,
    partitions: asked.partitions.map((partition): PartitionResponse => {
      const { partitionIndex } = partition;
      if (!isAllowed) return { partitionIndex, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED };
      if (!topic) return { partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION };
      const errorCode = refusals.get(topic) ?? commitOne(coordinator, request.groupId, topic, partition);
      commits ||= errorCode === ErrorCode.NONE;
      return { partitionIndex, errorCode };
    }),
  }));
  if (commits) await afterCommit(coordinator.broker);
  return { topics: response };
};

/** Throws a KafkaError if the client may not commit now. */
function checkCommit(coordinator: GroupCoordinator, request: OffsetCommitRequest, version: number): void {
  const { groupId, memberId, generationIdOrMemberEpoch: generationId, groupInstanceId } = request;
  if (groupId === '') throw new KafkaError(ErrorCode.INVALID_GROUP_ID);
  const group = coordinator.find(groupId);
  if (group?.kind === 'share' && !group.isForgettable) throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND);
  if (group?.kind === 'consumer') {
    if (!group.isForgettable && generationId >= 0 && version < 9)
      throw new KafkaError(ErrorCode.UNSUPPORTED_VERSION);
    return group.checkEpochOf(memberId, generationId);
  }
  if (group?.kind === 'classic') return group.checkCommit({ generationId, memberId, groupInstanceId });
  if (generationId >= 0) throw new KafkaError(ErrorCode.ILLEGAL_GENERATION);
}

/** Creates missing broker groups; returns the errors of the topics on which that failed. */
export async function ensureGroups(
  coordinator: GroupCoordinator,
  groupId: string,
  topics: readonly { readonly topic: Topic | undefined }[],
): Promise<Map<Topic, ErrorCode>> {
  const refusals = new Map<Topic, ErrorCode>();
  let created = false;
  for (const { topic } of topics) {
    if (!topic || coordinator.offsets.isReady(groupId, topic)) continue;
    try {
      await coordinator.offsets.ensure(groupId, topic);
      created = true;
    } catch (error) {
      refusals.set(topic, errorCodeOf(error));
    }
  }
  if (created) coordinator.noteCreated(groupId);
  return refusals;
}

function commitOne(
  coordinator: GroupCoordinator,
  groupId: string,
  topic: Topic,
  partition: TopicRequest['partitions'][number],
): ErrorCode {
  const { partitionIndex, committedOffset, committedLeaderEpoch: epoch, committedMetadata } = partition;
  const metadata = committedMetadata ?? '';
  const { offsetMetadataMax } = coordinator.limits;
  if (metadata.length > offsetMetadataMax) return ErrorCode.OFFSET_METADATA_TOO_LARGE;
  if (!topic.partitions.has(partitionIndex)) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  try {
    const group = coordinator.offsets.find(groupId, topic);
    if (!group) return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS; // just deleted: the client tries again
    group.commitOffset(partitionIndex, committedOffset, metadata, epoch < 0 ? undefined : epoch);
    return ErrorCode.NONE;
  } catch (error) {
    return errorCodeOf(error);
  }
}

function answerAll({ topics }: OffsetCommitRequest, errorCode: ErrorCode): ResponseDraft<'OffsetCommit'> {
  return {
    topics: topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  };
}
