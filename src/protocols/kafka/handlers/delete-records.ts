import type { Partition } from '../../../broker/index.ts';
import { ErrorCode, type ResponseDraft } from '../../../wire/kafka/index.ts';
import { errorCodeOf } from '../errors.ts';
import type { Handler } from '../handler.ts';
import { inTurns } from '../../connections/index.ts';
import { highWatermark, logStartOffset } from '../partition-view.ts';
import { Operation } from '../security/index.ts';
import { mayUse } from '../topic-access.ts';

type PartitionDraft = ResponseDraft<'DeleteRecords'>['topics'][number]['partitions'][number];

const upToHighWatermark = -1;

export const deleteRecords: Handler<'DeleteRecords'> = async (request, context) => ({
  topics: await inTurns(request.topics, context.session, async ({ name, partitions }) => {
    const { host, session } = context;
    const isAllowed = mayUse(context, Operation.delete, name);
    const topic = host.topicNames.topic(name);
    const isInternal = host.offsetsTopic.is(name);
    const answers = await inTurns(partitions, session, ({ partitionIndex, offset }) =>
      isInternal || !isAllowed
        ? {
            partitionIndex,
            lowWatermark: -1,
            errorCode: isAllowed ? ErrorCode.INVALID_TOPIC_EXCEPTION : ErrorCode.TOPIC_AUTHORIZATION_FAILED,
          }
        : deleteBelow(topic?.partitions.at(partitionIndex), partitionIndex, offset),
    );
    return { name, partitions: answers };
  }),
});

async function deleteBelow(
  partition: Partition | undefined,
  partitionIndex: number,
  offset: number,
): Promise<PartitionDraft> {
  const refused = (errorCode: ErrorCode): PartitionDraft => ({ partitionIndex, lowWatermark: -1, errorCode });
  if (!partition) return refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  const before = offset === upToHighWatermark ? highWatermark(partition) : offset;
  if (before < 0 || before > highWatermark(partition)) return refused(ErrorCode.OFFSET_OUT_OF_RANGE);
  try {
    await partition.purge({ before });
    return { partitionIndex, lowWatermark: logStartOffset(partition), errorCode: ErrorCode.NONE };
  } catch (error) {
    return refused(errorCodeOf(error));
  }
}
