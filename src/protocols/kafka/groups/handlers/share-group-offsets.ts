import type { Group, Topic } from '../../../../broker/index.ts';
import {
  ErrorCode,
  errorName,
  zeroUuid,
  type AlterShareGroupOffsetsRequest,
  type ResponseDraft,
} from '../../../../wire/kafka/index.ts';
import { KafkaError, errorCodeOf, errorMessageOf } from '../../errors.ts';
import type { Handler } from '../../handler.ts';
import { inTurns } from '../../../connections/index.ts';
import { Operation } from '../../security/index.ts';
import { mayUse } from '../../topic-access.ts';
import type { GroupCoordinator } from '../coordinator.ts';
import { isShareGroup } from '../share/share-offsets.ts';

type MovedPartition = ResponseDraft<'AlterShareGroupOffsets'>['responses'][number]['partitions'][number];
type DescribedTopic = ResponseDraft<'DescribeShareGroupOffsets'>['groups'][number]['topics'][number];

const notAllowed = {
  errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
  errorMessage: errorName(ErrorCode.TOPIC_AUTHORIZATION_FAILED),
};

/** Start offset and lag of share groups. A group that is named twice is described once. */
export const describeShareGroupOffsets: Handler<'DescribeShareGroupOffsets'> = async (request, context) => {
  const { session, rights } = context;
  const { coordinator } = context.host;
  const wanted = new Map(request.groups.map((group) => [group.groupId, group]));
  return {
    groups: await inTurns(wanted.values(), session, ({ groupId, topics }) => {
      if (!rights.mayGroup(Operation.describe, groupId)) {
        const errorCode = ErrorCode.GROUP_AUTHORIZATION_FAILED;
        return { groupId, topics: [], errorCode, errorMessage: errorName(errorCode) };
      }
      const isShown = (name: string): boolean => mayUse(context, Operation.describe, name);
      const live = coordinator.find(groupId);
      if (live && live.kind !== 'share' && !live.isForgettable) {
        const errorMessage = `Group "${groupId}" is no share group.`;
        return { groupId, topics: [], errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage };
      }
      const described = topics
        ? topics.map(({ topicName, partitions }) =>
            isShown(topicName)
              ? describeTopic(coordinator, groupId, topicName, partitions)
              : refusedTopic(topicName, partitions),
          )
        : topicsOf(coordinator, groupId).flatMap((topic) => {
            const name = coordinator.topicNames.nameOf(topic);
            return isShown(name)
              ? [describeTopic(coordinator, groupId, name, topic.partitions.indexes())]
              : [];
          });
      return { groupId, topics: described, errorCode: ErrorCode.NONE };
    }),
  };
};

function refusedTopic(topicName: string, partitions: readonly number[]): DescribedTopic {
  const errorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED;
  return {
    topicName,
    topicId: zeroUuid,
    partitions: partitions.map((partitionIndex) => ({
      partitionIndex,
      startOffset: -1,
      leaderEpoch: 0,
      lag: -1,
      errorCode,
      errorMessage: errorName(errorCode),
    })),
  };
}

function topicsOf(coordinator: GroupCoordinator, groupId: string): Topic[] {
  return [...coordinator.broker.topics.values()].filter((topic) =>
    coordinator.shareOffsets.find(groupId, topic),
  );
}

function describeTopic(
  coordinator: GroupCoordinator,
  groupId: string,
  topicName: string,
  partitions: readonly number[],
): DescribedTopic {
  const topic = coordinator.topicNames.topic(topicName);
  const group = topic && coordinator.shareOffsets.find(groupId, topic);
  return {
    topicName,
    topicId: topic ? coordinator.topicIds.idOf(topic) : zeroUuid,
    partitions: partitions.map((partitionIndex) => {
      const position = group?.positionInfo(partitionIndex);
      const isThere = topic?.partitions.has(partitionIndex) === true;
      return {
        partitionIndex,
        startOffset: position?.ackFloor ?? -1,
        leaderEpoch: 0,
        lag: position?.undone ?? -1,
        errorCode: isThere ? ErrorCode.NONE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      };
    }),
  };
}

/** Number of partitions moved by one commit, before other clients have their turn. */
const movedAtOnce = 1000;

/**
 * Moves a share group without members. If a partition is named more than once, the last of its offsets
 * counts, and it is answered once.
 */
export const alterShareGroupOffsets: Handler<'AlterShareGroupOffsets'> = async (
  { groupId, topics },
  context,
) => {
  const { session } = context;
  const { coordinator } = context.host;
  try {
    checkEmpty(coordinator, groupId);
  } catch (error) {
    return { errorCode: errorCodeOf(error), errorMessage: errorMessageOf(error), responses: [] };
  }
  const responses = await inTurns(distinctOffsets(topics), session, async ([topicName, offsets]) => {
    const topic = coordinator.topicNames.topic(topicName);
    const isAllowed = mayUse(context, Operation.read, topicName);
    const answers = await inTurns(pieces(offsets), session, (piece) =>
      isAllowed
        ? move(coordinator, groupId, topic, piece)
        : piece.map(([partitionIndex]): MovedPartition => ({ partitionIndex, ...notAllowed })),
    );
    const topicId = topic && isAllowed ? coordinator.topicIds.idOf(topic) : zeroUuid;
    return { topicName, topicId, partitions: answers.flat() };
  });
  return { errorCode: ErrorCode.NONE, responses };
};

type Offset = readonly [partition: number, offset: number];

/** Offsets by partition by topic, each partition once, in the order of the request. */
function distinctOffsets(topics: AlterShareGroupOffsetsRequest['topics']): Map<string, Map<number, number>> {
  const distinct = new Map<string, Map<number, number>>();
  for (const { topicName, partitions } of topics) {
    const offsets = distinct.get(topicName) ?? new Map<number, number>();
    distinct.set(topicName, offsets);
    for (const { partitionIndex, startOffset } of partitions) offsets.set(partitionIndex, startOffset);
  }
  return distinct;
}

function* pieces(offsets: Iterable<Offset>): Iterable<Offset[]> {
  let piece: Offset[] = [];
  for (const offset of offsets) {
    piece.push(offset);
    if (piece.length < movedAtOnce) continue;
    yield piece;
    piece = [];
  }
  if (piece.length > 0) yield piece;
}

async function move(
  coordinator: GroupCoordinator,
  groupId: string,
  topic: Topic | undefined,
  offsets: readonly Offset[],
): Promise<MovedPartition[]> {
  const moved = offsets.filter(([partition, offset]) => problemOf(topic, partition, offset) === undefined);
  let failure: unknown;
  try {
    if (topic && moved.length > 0) {
      const group = await coordinator.shareOffsets.ensure(groupId, topic);
      checkIdle(group);
      await group.resetPartitions(moved);
    }
  } catch (error) {
    failure = error;
  }
  return offsets.map(([partitionIndex, offset]) => {
    const error = problemOf(topic, partitionIndex, offset) ?? failure;
    return error === undefined
      ? { partitionIndex, errorCode: ErrorCode.NONE, errorMessage: null }
      : { partitionIndex, errorCode: errorCodeOf(error), errorMessage: errorMessageOf(error) };
  });
}

function problemOf(topic: Topic | undefined, partition: number, offset: number): KafkaError | undefined {
  if (!topic?.partitions.has(partition)) return new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  return offset < 0 ? new KafkaError(ErrorCode.OFFSET_OUT_OF_RANGE) : undefined;
}

/** Deletes the positions of a share group without members on topics. */
export const deleteShareGroupOffsets: Handler<'DeleteShareGroupOffsets'> = async (
  { groupId, topics },
  context,
) => {
  const { session } = context;
  const { coordinator } = context.host;
  try {
    checkEmpty(coordinator, groupId);
  } catch (error) {
    return { errorCode: errorCodeOf(error), errorMessage: errorMessageOf(error), responses: [] };
  }
  const responses = await inTurns(topics, session, async ({ topicName }) => {
    if (!mayUse(context, Operation.read, topicName)) return { topicName, topicId: zeroUuid, ...notAllowed };
    const topic = coordinator.topicNames.topic(topicName);
    const topicId = topic ? coordinator.topicIds.idOf(topic) : zeroUuid;
    return { topicName, topicId, ...(await forget(coordinator, groupId, topic)) };
  });
  return { errorCode: ErrorCode.NONE, responses };
};

async function forget(
  coordinator: GroupCoordinator,
  groupId: string,
  topic: Topic | undefined,
): Promise<{ readonly errorCode: ErrorCode; readonly errorMessage: string | null }> {
  try {
    if (!topic) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    const group = coordinator.shareOffsets.find(groupId, topic);
    // A Kafka tool does not delete a JetStream consumer.
    if (group && !isShareGroup(group))
      throw new KafkaError(
        ErrorCode.POLICY_VIOLATION,
        `Group "${groupId}" was not made by Kafka; delete it where it was made.`,
      );
    if (group) checkIdle(group);
    await group?.delete();
    return { errorCode: ErrorCode.NONE, errorMessage: null };
  } catch (error) {
    return { errorCode: errorCodeOf(error), errorMessage: errorMessageOf(error) };
  }
}

function checkEmpty(coordinator: GroupCoordinator, groupId: string): void {
  const live = coordinator.find(groupId);
  if (groupId === '') throw new KafkaError(ErrorCode.INVALID_GROUP_ID);
  if (!live || live.isForgettable) return;
  if (live.kind !== 'share')
    throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, `Group "${groupId}" is no share group.`);
  throw new KafkaError(ErrorCode.NON_EMPTY_GROUP, `Share group "${groupId}" has members; stop them first.`);
}

function checkIdle(group: Group): void {
  if (group.consumers === 0) return;
  throw new KafkaError(
    ErrorCode.NON_EMPTY_GROUP,
    `Group "${group.name}" of topic "${group.topic.name}" has consumers.`,
  );
}
