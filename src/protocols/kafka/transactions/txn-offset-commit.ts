import type { PositionInTransaction, Topic } from '../../../broker/index.ts';
import { ErrorCode, type TxnOffsetCommitRequest } from '../../../wire/kafka/index.ts';
import { KafkaError, errorCodeOf } from '../errors.ts';
import type { GroupCoordinator } from '../groups/index.ts';
import { ensureGroups } from '../groups/index.ts';
import type { Handler, RequestContext } from '../handler.ts';
import { Operation } from '../security/index.ts';
import { mayUse, mayUseId } from '../topic-access.ts';
import { transactionErrorCode } from './errors.ts';

type PartitionRequest = TxnOffsetCommitRequest['topics'][number]['partitions'][number];

/** From version 5 on the group is added to the transaction implicitly (KIP-890). */
const addsGroupSince = 5;

/** Adds positions that the group gets when the transaction commits. Answered once they are on disk. */
export const txnOffsetCommit: Handler<'TxnOffsetCommit'> = async (request, context) => {
  const { host, version } = context;
  const { transactionalId, producerId, producerEpoch: epoch, groupId } = request;
  const { coordinator, broker } = host;
  const caller = { transactionalId, producerId, epoch };
  const topics = request.topics.map((asked) => {
    const isById = version >= 6;
    const isAllowed = isById
      ? mayUseId(context, Operation.read, asked.topicId)
      : mayUse(context, Operation.read, asked.name);
    const found = isById ? host.topicIds.topic(asked.topicId) : host.topicNames.topic(asked.name);
    return { asked, isAllowed, topic: isAllowed ? found : undefined };
  });
  const answer = (codeOf: (topic: Topic | undefined, partition: PartitionRequest) => ErrorCode) => ({
    topics: topics.map(({ asked, isAllowed, topic }) => ({
      name: asked.name,
      topicId: asked.topicId,
      partitions: asked.partitions.map((partition) => ({
        partitionIndex: partition.partitionIndex,
        errorCode: isAllowed ? codeOf(topic, partition) : ErrorCode.TOPIC_AUTHORIZATION_FAILED,
      })),
    })),
  });
  try {
    checkMember(coordinator, request);
    broker.transactions.checkGroup(caller, groupId, version >= addsGroupSince);
    const refusals = await ensureGroups(coordinator, groupId, topics);
    const positions: PositionInTransaction[] = [];
    const result = answer((topic, partition) => {
      const refused = refusals.get(topic!) ?? refusalOf(topic, partition, context);
      const group = topic && coordinator.offsets.find(groupId, topic);
      if (refused !== ErrorCode.NONE) return refused;
      // Just deleted: the client tries again.
      if (!group?.isCommitted) return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
      const { partitionIndex, committedOffset: offset, committedLeaderEpoch: epoch } = partition;
      positions.push({
        group,
        partition: partitionIndex,
        offset,
        metadata: partition.committedMetadata ?? '',
        ...(epoch < 0 ? {} : { epoch }),
      });
      return ErrorCode.NONE;
    });
    if (positions.length > 0) await broker.transactions.addPositions(caller, groupId, positions);
    return result;
  } catch (error) {
    const code = transactionErrorCode(error, version, { abortableSince: 4 });
    return answer(() => code);
  }
};

/**
 * "Only validated if any of them is provided" (KIP-447): older clients do not send their member id. Throws a
 * KafkaError.
 */
function checkMember(coordinator: GroupCoordinator, request: TxnOffsetCommitRequest): void {
  const { groupId, memberId, generationIdOrMemberEpoch: generationId, groupInstanceId } = request;
  if (groupId === '') throw new KafkaError(ErrorCode.INVALID_GROUP_ID);
  const group = coordinator.find(groupId);
  if (group?.kind === 'share' && !group.isForgettable) throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND);
  if (generationId < 0 && memberId === '' && groupInstanceId === null) return;
  if (group?.kind === 'consumer') return group.checkEpochOf(memberId, generationId);
  if (group?.kind !== 'classic') {
    if (generationId >= 0) throw new KafkaError(ErrorCode.ILLEGAL_GENERATION);
    return;
  }
  try {
    group.checkCommit({ generationId, memberId, groupInstanceId });
  } catch (error) {
    // During a rebalance, members of this generation may still finish their work.
    if (errorCodeOf(error) !== ErrorCode.REBALANCE_IN_PROGRESS) throw error;
  }
}

function refusalOf(
  topic: Topic | undefined,
  { partitionIndex, committedMetadata }: PartitionRequest,
  { host, version }: RequestContext,
): ErrorCode {
  if (!topic && version >= 6) return ErrorCode.UNKNOWN_TOPIC_ID;
  if (!topic?.partitions.has(partitionIndex)) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  if ((committedMetadata ?? '').length > host.coordinator.limits.offsetMetadataMax)
    return ErrorCode.OFFSET_METADATA_TOO_LARGE;
  return ErrorCode.NONE;
}
