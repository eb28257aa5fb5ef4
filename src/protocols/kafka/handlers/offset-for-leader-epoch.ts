import { ErrorCode } from '../../../wire/kafka/index.ts';
import type { Handler } from '../handler.ts';
import { inTurns } from '../../connections/index.ts';
import { highWatermark, leaderEpoch, leaderEpochError } from '../partition-view.ts';
import { Operation } from '../security/index.ts';
import { mayUse } from '../topic-access.ts';

export const offsetForLeaderEpoch: Handler<'OffsetForLeaderEpoch'> = async (request, context) => ({
  topics: await inTurns(request.topics, context.session, ({ topic: name, partitions }) => {
    const { host } = context;
    const isAllowed = mayUse(context, Operation.describe, name);
    const topic = host.topicNames.topic(name);
    return {
      topic: name,
      partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch: epoch }) => {
        if (!isAllowed) return { errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, partition: index };
        const partition = topic?.partitions.at(index);
        // The offsets topic is empty in its only epoch.
        if (host.offsetsTopic.is(name) && host.offsetsTopic.has(index) && epoch === leaderEpoch)
          return { errorCode: ErrorCode.NONE, partition: index, leaderEpoch, endOffset: 0 };
        if (!partition) return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, partition: index };
        const errorCode = leaderEpochError(currentLeaderEpoch);
        if (errorCode !== ErrorCode.NONE || epoch !== leaderEpoch) return { errorCode, partition: index };
        return { errorCode, partition: index, leaderEpoch, endOffset: highWatermark(partition) };
      }),
    };
  }),
});
