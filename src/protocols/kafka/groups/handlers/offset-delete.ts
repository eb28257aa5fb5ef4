import { ErrorCode } from '../../../../wire/kafka/index.ts';
import { errorCodeOf } from '../../errors.ts';
import type { Handler } from '../../handler.ts';
import { inTurns } from '../../../connections/index.ts';
import { Operation } from '../../security/index.ts';
import { mayUse } from '../../topic-access.ts';
import type { GroupCoordinator } from '../coordinator.ts';
import { consumerProtocolType } from '../classic/subscription.ts';

/** Deletes offsets of topics that no member reads. */
export const offsetDelete: Handler<'OffsetDelete'> = async (request, context) => {
  const { session } = context;
  const { coordinator } = context.host;
  const { groupId } = request;
  const live = coordinator.find(groupId);
  const groups = coordinator.offsets.of(groupId);
  if (groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID, topics: [] };
  if (
    groups.length === 0 &&
    (live === undefined || live.kind === 'share') &&
    coordinator.emptied.find(groupId) === undefined
  )
    return { errorCode: ErrorCode.GROUP_ID_NOT_FOUND, topics: [] };
  // Members with another protocol type than "consumer" do not say which topics they read.
  if (live?.kind === 'classic' && live.members.size > 0 && live.protocolType !== consumerProtocolType)
    return { errorCode: ErrorCode.NON_EMPTY_GROUP, topics: [] };
  const topics = await inTurns(request.topics, session, async ({ name, partitions }) => {
    const isAllowed = mayUse(context, Operation.read, name);
    const answers = await inTurns(partitions, session, async ({ partitionIndex }) => {
      const errorCode = isAllowed
        ? await forget(coordinator, groupId, name, partitionIndex)
        : ErrorCode.TOPIC_AUTHORIZATION_FAILED;
      return { partitionIndex, errorCode };
    });
    return { name, partitions: answers };
  });
  return { errorCode: ErrorCode.NONE, topics };
};

async function forget(
  coordinator: GroupCoordinator,
  groupId: string,
  name: string,
  partition: number,
): Promise<ErrorCode> {
  const topic = coordinator.topicNames.topic(name);
  const group = topic && coordinator.offsets.find(groupId, topic);
  if (!topic?.partitions.has(partition)) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  if (!group?.isCommitted) return ErrorCode.NONE;
  if (group.consumers > 0) return ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC;
  try {
    await group.forgetOffset(partition);
    return ErrorCode.NONE;
  } catch (error) {
    return errorCodeOf(error);
  }
}
