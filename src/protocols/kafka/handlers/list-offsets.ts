import type { Partition } from '../../../broker/index.ts';
import { ErrorCode, type ListOffsetsRequest, type ResponseDraft } from '../../../wire/kafka/index.ts';
import { errorCodeOf } from '../errors.ts';
import type { Handler } from '../handler.ts';
import { inTurns } from '../../connections/index.ts';
import type { KafkaHost } from '../kafka-host.ts';
import { leaderEpoch, leaderEpochError, logStartOffset, readableEnd } from '../partition-view.ts';
import { Operation } from '../security/index.ts';
import { mayUse } from '../topic-access.ts';

type PartitionDraft = ResponseDraft<'ListOffsets'>['topics'][number]['partitions'][number];
type WantedPartition = ListOffsetsRequest['topics'][number]['partitions'][number];

/** Special timestamps. */
const latest = -1;
const earliest = -2;
const ofMaxTimestamp = -3;
/** All data is local. */
const earliestLocal = -4;
const lastTiered = -5;

/**
 * The first version of the API that has each of them. Kafka's -6, the first offset to upload, belongs to a
 * later version than the ones supported here.
 */
const firstVersionOf: { readonly [name: number]: number } = {
  [latest]: 1,
  [earliest]: 1,
  [ofMaxTimestamp]: 7,
  [earliestLocal]: 8,
  [lastTiered]: 9,
};

interface Found {
  readonly offset: number;
  readonly timestamp: number;
}

const nothing: Found = { offset: -1, timestamp: -1 };

export const listOffsets: Handler<'ListOffsets'> = async (request, context) => {
  const { host, session, version } = context;
  const seen = new Set<string>();
  const topics = await inTurns(request.topics, session, async ({ name, partitions }) => {
    const topic = host.topicNames.topic(name);
    const isAllowed = mayUse(context, Operation.describe, name);
    const answers = await inTurns(partitions, session, (wanted) => {
      const { partitionIndex, timestamp } = wanted;
      if (!isAllowed) return { partitionIndex, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED };
      // "Only one entry per partition" (ListOffsetsRequest), because each may be a search.
      if (seen.size === seen.add(`${partitionIndex}/${name}`).size)
        return { partitionIndex, errorCode: ErrorCode.INVALID_REQUEST };
      // "Unsupported timestamps are of a later version."
      if (timestamp < 0 && version < (firstVersionOf[timestamp] ?? Infinity))
        return { partitionIndex, errorCode: ErrorCode.UNSUPPORTED_VERSION };
      if (host.offsetsTopic.is(name) && host.offsetsTopic.has(partitionIndex)) return emptyAnswer(wanted);
      return answer(topic?.partitions.at(partitionIndex), wanted, request.isolationLevel, host);
    });
    return { name, partitions: answers };
  });
  return { topics };
};

async function answer(
  partition: Partition | undefined,
  { partitionIndex, timestamp, currentLeaderEpoch }: WantedPartition,
  isolationLevel: number,
  host: KafkaHost,
): Promise<PartitionDraft> {
  if (!partition) return { partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION };
  const epochError = leaderEpochError(currentLeaderEpoch);
  if (epochError !== ErrorCode.NONE) return { partitionIndex, errorCode: epochError };
  try {
    const found = await find(partition, timestamp, isolationLevel, host);
    return {
      partitionIndex,
      errorCode: ErrorCode.NONE,
      leaderEpoch: found.offset < 0 ? -1 : leaderEpoch,
      ...found,
    };
  } catch (error) {
    return { partitionIndex, errorCode: errorCodeOf(error) };
  }
}

/** The answer for a partition of the offsets topic, which is empty. */
function emptyAnswer({ partitionIndex, timestamp }: WantedPartition): PartitionDraft {
  const isEnd = timestamp === latest || timestamp === earliest || timestamp === earliestLocal;
  return {
    partitionIndex,
    errorCode: ErrorCode.NONE,
    ...(isEnd ? { offset: 0, timestamp: -1, leaderEpoch } : nothing),
  };
}

async function find(
  partition: Partition,
  timestamp: number,
  isolationLevel: number,
  { broker }: KafkaHost,
): Promise<Found> {
  switch (timestamp) {
    case latest:
      return { offset: readableEnd(partition, isolationLevel), timestamp: -1 };
    case earliest:
    case earliestLocal:
      return { offset: logStartOffset(partition), timestamp: -1 };
    case ofMaxTimestamp:
      // The newest message may still be on its way to the disk, and is not readable before.
      if (partition.durableEnd < partition.nextOffset)
        await new Promise<void>((resolve) => broker.afterCommit(resolve));
      return partition.count === 0 ? nothing : atTime(partition, partition.lastTimestampMs);
    case lastTiered:
      return nothing;
    default:
      return atTime(partition, timestamp);
  }
}

/** The first message that is not older than the timestamp; none if all are older. */
async function atTime(partition: Partition, timestampMs: number): Promise<Found> {
  const offset = await partition.offsetAtTime(timestampMs);
  for await (const record of partition.scan(Math.max(offset, partition.firstOffset))) {
    if (record.timestampMs >= timestampMs) return { offset: record.offset, timestamp: record.timestampMs };
  }
  return nothing;
}
