import { ErrorCode, type OffsetFetchRequest } from '../../../../wire/kafka/index.ts';
import { errorCodeOf } from '../../errors.ts';
import type { Handler, RequestContext } from '../../handler.ts';
import { inTurns } from '../../../connections/index.ts';
import { distinctPartitions } from '../../distinct-partitions.ts';
import { Operation } from '../../security/index.ts';
import { mayUse } from '../../topic-access.ts';
import type { GroupCoordinator } from '../coordinator.ts';
import { nothing } from '../offsets.ts';

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

/**
 * Fetches committed offsets, including those whose commit is not on disk yet. If a client requires stable
 * offsets, and a transaction has an undecided position for the partition, the client is told to retry
 * (KIP-447). Otherwise it would continue from an offset that is about to change.
 */
export const offsetFetch: Handler<'OffsetFetch'> = async (request, context) => {
  const { groupId, topics, requireStable } = request;
  if (context.version < 8 && !context.rights.mayGroup(Operation.describe, groupId))
    return { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, topics: [] };
  if (context.version < 8)
    return { errorCode: ErrorCode.NONE, topics: await fetchTopics(context, groupId, topics, requireStable) };
  // A group that is named twice is answered once, because an answer can be much longer than its question.
  const groups = new Map(request.groups.map((group) => [group.groupId, group]));
  return {
    groups: await inTurns(groups.values(), context.session, (group) =>
      fetchGroup(context, group, requireStable),
    ),
  };
};

async function fetchGroup(
  context: RequestContext,
  { groupId, memberId, memberEpoch, topics }: GroupRequest,
  requireStable: boolean,
): Promise<{
  readonly groupId: string;
  readonly topics: readonly TopicOffsets[];
  readonly errorCode: ErrorCode;
}> {
  if (!context.rights.mayGroup(Operation.describe, groupId))
    return { groupId, topics: [], errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED };
  const { coordinator } = context.host;
  try {
    const group = coordinator.find(groupId);
    if (group?.kind === 'consumer' && (memberEpoch >= 0 || memberId !== null))
      group.checkEpochOf(memberId ?? '', memberEpoch);
  } catch (error) {
    return { groupId, topics: [], errorCode: errorCodeOf(error) };
  }
  const found = await fetchTopics(context, groupId, topics, requireStable);
  return { groupId, topics: found, errorCode: ErrorCode.NONE };
}

/** Null topics: all topics with committed offsets. */
async function fetchTopics(
  context: RequestContext,
  groupId: string,
  topics: readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[] | null,
  requireStable: boolean,
): Promise<TopicOffsets[]> {
  const { session } = context;
  const { coordinator } = context.host;
  if (topics) {
    const wanted = distinctPartitions(
      topics,
      ({ name }) => name,
      ({ partitionIndexes }) => partitionIndexes,
    );
    return inTurns(wanted, session, async ([name, indexes]) => ({
      name,
      partitions: mayUse(context, Operation.describe, name)
        ? await inTurns(indexes, session, (partition) =>
            fetchOne(coordinator, groupId, name, partition, requireStable),
          )
        : Array.from(indexes, (index) => refused(index, ErrorCode.TOPIC_AUTHORIZATION_FAILED)),
    }));
  }
  const found: TopicOffsets[] = [];
  for (const group of coordinator.offsets.of(groupId)) {
    const name = coordinator.topicNames.nameOf(group.topic);
    if (!mayUse(context, Operation.describe, name)) continue;
    const partitions = group.topic.partitions.opened
      .map(({ index }) => fetchOne(coordinator, groupId, name, index, requireStable))
      .filter(
        ({ partitionIndex, errorCode }) =>
          group.committed(partitionIndex) !== undefined || errorCode !== ErrorCode.NONE,
      );
    if (partitions.length > 0) found.push({ name, partitions });
  }
  return found;
}

function fetchOne(
  coordinator: GroupCoordinator,
  groupId: string,
  name: string,
  partitionIndex: number,
  requireStable: boolean,
): PartitionOffset {
  const topic = coordinator.topicNames.topic(name);
  const group = requireStable && topic ? coordinator.offsets.find(groupId, topic) : undefined;
  if (group && coordinator.broker.transactions.hasUndecidedPosition(group, partitionIndex))
    return refused(partitionIndex, ErrorCode.UNSTABLE_OFFSET_COMMIT);
  const committed = topic ? coordinator.offsets.committed(groupId, topic, partitionIndex) : nothing;
  return {
    partitionIndex,
    committedOffset: committed.offset,
    committedLeaderEpoch: committed.epoch ?? -1,
    metadata: committed.metadata,
    errorCode: ErrorCode.NONE,
  };
}

function refused(partitionIndex: number, errorCode: ErrorCode): PartitionOffset {
  return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode };
}
