import { ErrorCode } from '../../../wire/kafka/index.ts';
import type { Handler } from '../handler.ts';
import { inTurns } from '../in-turns.ts';
import { highWatermark, leaderEpoch, leaderEpochError } from '../partition-view.ts';

export const offsetForLeaderEpoch: Handler<'OffsetForLeaderEpoch'> = async (request, { host, session }) => ({
  topics: await inTurns(request.topics, session, ({ topic: name, partitions }) => {
    const topic = host.topicNames.topic(name);
    return {
      topic: name,
      partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch: epoch }) => {
        const partition = topic?.partitions.at(index);
        // Of its one epoch the offsets topic holds nothing.
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
