import { ErrorCode, type OffsetFetchRequest } from '../../../../wire/kafka/index.ts';
import { errorCodeOf } from '../../errors.ts';
import type { Handler } from '../../handler.ts';
import type { GroupCoordinator } from '../coordinator.ts';

type GroupRequest = OffsetFetchRequest['groups'][number];

interface PartitionOffset {
  readonly partitionIndex: number;
  readonly committedOffset: number;
  readonly committedLeaderEpoch: number;
  readonly metadata: string;
  readonly errorCode: ErrorCode;
}

interface TopicOffsets {
  readonly name: string;
  readonly partitions: readonly PartitionOffset[];
}

/** Every answer is stable: an offset is seen once its commit has been taken, and transactions commit theirs when they end. */
export const offsetFetch: Handler<'OffsetFetch'> = (request, { host, version }) => {
  const { coordinator } = host;
  if (version >= 8) return { groups: request.groups.map((group) => fetchGroup(coordinator, group)) };
  return { errorCode: ErrorCode.NONE, topics: fetchTopics(coordinator, request.groupId, request.topics) };
};

function fetchGroup(
  coordinator: GroupCoordinator,
  { groupId, memberId, memberEpoch, topics }: GroupRequest,
): { readonly groupId: string; readonly topics: readonly TopicOffsets[]; readonly errorCode: ErrorCode } {
  try {
    const group = coordinator.find(groupId);
    if (group?.kind === 'consumer' && (memberEpoch >= 0 || memberId !== null))
      group.checkEpochOf(memberId ?? '', memberEpoch);
  } catch (error) {
    return { groupId, topics: [], errorCode: errorCodeOf(error) };
  }
  return { groupId, topics: fetchTopics(coordinator, groupId, topics), errorCode: ErrorCode.NONE };
}

/** Null topics: all that have something committed. */
function fetchTopics(
  coordinator: GroupCoordinator,
  groupId: string,
  topics: readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[] | null,
): TopicOffsets[] {
  if (topics) {
    return topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partition) => fetchOne(coordinator, groupId, name, partition)),
    }));
  }
  const found: TopicOffsets[] = [];
  for (const { topic } of coordinator.offsets.of(groupId)) {
    const name = coordinator.topicNames.nameOf(topic);
    const partitions = topic.partitions
      .map(({ index }) => fetchOne(coordinator, groupId, name, index))
      .filter(({ committedOffset }) => committedOffset >= 0);
    if (partitions.length > 0) found.push({ name, partitions });
  }
  return found;
}

function fetchOne(
  coordinator: GroupCoordinator,
  groupId: string,
  name: string,
  partitionIndex: number,
): PartitionOffset {
  const topic = coordinator.topicNames.topic(name);
  const { offset, metadata } = topic
    ? coordinator.offsets.committed(groupId, topic, partitionIndex)
    : { offset: -1, metadata: '' };
  return {
    partitionIndex,
    committedOffset: offset,
    committedLeaderEpoch: -1,
    metadata,
    errorCode: ErrorCode.NONE,
  };
}
