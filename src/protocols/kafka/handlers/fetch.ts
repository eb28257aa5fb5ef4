import type { Partition, StoredBatches } from '../../../broker/index.ts';
import {
  ErrorCode,
  type FetchRequest,
  type FetchResponse,
  type ResponseDraft,
} from '../../../wire/kafka/index.ts';
import { errorCodeOf } from '../errors.ts';
import { FetchWait, bytesToRead } from '../fetch-wait.ts';
import { throttleMs } from '../fetch-room.ts';
import type { Handler, RequestContext } from '../handler.ts';
import {
  highWatermark,
  lastStableOffset,
  leaderEpochError,
  logStartOffset,
  passesOverRemoved,
  readCommitted,
  readableEnd,
} from '../partition-view.ts';
import type { KafkaHost } from '../kafka-host.ts';
import { Operation } from '../security/index.ts';
import { mayUse, mayUseId } from '../topic-access.ts';

type Response = ResponseDraft<'Fetch'>;
type TopicDraft = Response['responses'][number];
type PartitionDraft = TopicDraft['partitions'][number];
type WantedTopic = FetchRequest['topics'][number];
type WantedPartition = WantedTopic['partitions'][number];

/** One partition of a fetch request. */
export interface FetchTarget {
  readonly wanted: WantedPartition;
  /**
   * Undefined if there is no such partition (see `error`), or if it belongs to the offsets topic, which is
   * empty.
   */
  readonly partition: Partition | undefined;
  readonly error: ErrorCode;
}

const emptyPartition = { highWatermark: 0, lastStableOffset: 0, logStartOffset: 0 };
const noBatches: readonly Uint8Array[] = [];
/** Aborted messages are removed with the abort, so there are no aborted transactions to report. */
const noTransactions: FetchResponse['responses'][number]['partitions'][number]['abortedTransactions'] = [];

/**
 * Reads batches as they are stored, and waits until there are enough bytes of them.
 *
 * Fetch sessions (KIP-227) are declined: the answer's session id is 0, and clients continue with full
 * requests.
 */
export const fetch: Handler<'Fetch'> = async (request, context) => {
  const { host, session } = context;
  if (request.sessionId !== 0 && request.sessionEpoch > 0)
    return { errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND, responses: [] };
  const targets = request.topics.map((topic) => targetsOf(topic, context));
  const waitMs = Math.min(request.maxWaitMs, host.limits.fetchWaitMsMax);
  const { minBytes, isolationLevel } = request;
  let throttleTimeMs = 0;
  if (waitMs > 0 && targets.every((list) => list.every(({ error }) => error === ErrorCode.NONE))) {
    const wait = FetchWait.until(targets.flat(), minBytes, isolationLevel, waitMs, host, session);
    if (wait === 'no-room') throttleTimeMs = throttleMs(waitMs);
    else if (wait !== 'enough') await wait;
  }
  const bytesMax = await session.takeRoom(bytesWanted(request, targets));
  if (session.closed) return { responses: [] };
  const stored: StoredBatches[] = [];
  context.sent = () => {
    for (const batches of stored) batches.release();
  };
  return { throttleTimeMs, responses: await readAll(request, targets, bytesMax, stored, host.hall) };
};

/** The expected size of the answer. */
function bytesWanted(
  { maxBytes, isolationLevel }: FetchRequest,
  targets: readonly (readonly FetchTarget[])[],
): number {
  let bytes = 0;
  for (const list of targets)
    for (const target of list)
      bytes += Math.min(bytesToRead(target, isolationLevel), target.wanted.partitionMaxBytes);
  return Math.min(bytes, maxBytes);
}

function targetsOf(topic: WantedTopic, context: RequestContext): FetchTarget[] {
  const { host, version } = context;
  const found = version >= 13 ? host.topicIds.topic(topic.topicId) : host.topicNames.topic(topic.topic);
  const { offsetsTopic } = host;
  const isOffsets = version >= 13 ? offsetsTopic.isId(topic.topicId) : offsetsTopic.is(topic.topic);
  const isAllowed =
    version >= 13
      ? mayUseId(context, Operation.read, topic.topicId)
      : mayUse(context, Operation.read, topic.topic);
  return topic.partitions.map((wanted) => {
    if (!isAllowed) return { wanted, partition: undefined, error: ErrorCode.TOPIC_AUTHORIZATION_FAILED };
    if (isOffsets && offsetsTopic.has(wanted.partition))
      return { wanted, partition: undefined, error: ErrorCode.NONE };
    const partition = found?.partitions.at(wanted.partition);
    return {
      wanted,
      partition,
      error: partition ? errorOf(partition, wanted) : unknown(!found && version >= 13),
    };
  });
}

function unknown(isUnknownId: boolean): ErrorCode {
  return isUnknownId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
}

function errorOf(partition: Partition, { fetchOffset, currentLeaderEpoch }: WantedPartition): ErrorCode {
  const epochError = leaderEpochError(currentLeaderEpoch);
  if (epochError !== ErrorCode.NONE) return epochError;
  const isBelow = fetchOffset < logStartOffset(partition) && !passesOverRemoved(partition.topic);
  return isBelow || fetchOffset < 0 || fetchOffset > partition.nextOffset
    ? ErrorCode.OFFSET_OUT_OF_RANGE
    : ErrorCode.NONE;
}

/**
 * Reads all partitions, in the order of the request, and adds the borrowed batches to `stored`. The very
 * first batch is sent whatever its size (KIP-74).
 */
async function readAll(
  request: FetchRequest,
  targets: readonly (readonly FetchTarget[])[],
  bytesMax: number,
  stored: StoredBatches[],
  hall: KafkaHost['hall'],
): Promise<TopicDraft[]> {
  const responses: TopicDraft[] = [];
  let bytesLeft = Math.min(request.maxBytes, bytesMax);
  let isFirst = true;
  for (const [at, { topic, topicId }] of request.topics.entries()) {
    const partitions: PartitionDraft[] = [];
    for (const target of targets[at]!) {
      const { draft, batches } = await read(target, bytesLeft, isFirst, request.isolationLevel);
      partitions.push(draft);
      if (!batches) continue;
      stored.push(batches);
      hall.batchesRead?.(target.partition!, target.wanted.fetchOffset, batches.buffers, 'kafka');
      bytesLeft -= batches.bytes;
      isFirst &&= batches.bytes === 0;
    }
    responses.push({ topic, topicId, partitions });
  }
  return responses;
}

async function read(
  { partition, wanted, error }: FetchTarget,
  bytesLeft: number,
  isFirst: boolean,
  isolationLevel: number,
): Promise<{ readonly draft: PartitionDraft; readonly batches?: StoredBatches | undefined }> {
  const partitionIndex = wanted.partition;
  if (!partition && error === ErrorCode.NONE)
    return {
      draft: {
        partitionIndex,
        errorCode: error,
        ...emptyPartition,
        abortedTransactions: null,
        records: noBatches,
      },
    };
  if (!partition || error !== ErrorCode.NONE) return { draft: refusal(partitionIndex, error, partition) };
  if (partition.topic.isDeleted)
    return { draft: refusal(partitionIndex, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, undefined) };
  const end = readableEnd(partition, isolationLevel);
  let batches: StoredBatches | undefined;
  const bytesMax = Math.min(wanted.partitionMaxBytes, bytesLeft);
  if (wanted.fetchOffset < end && (isFirst || bytesMax > 0)) {
    try {
      batches = await partition.readBatches(wanted.fetchOffset, bytesMax, isFirst, end);
    } catch (cause) {
      return { draft: refusal(partitionIndex, errorCodeOf(cause), partition) };
    }
  }
  const draft: PartitionDraft = {
    partitionIndex,
    errorCode: ErrorCode.NONE,
    highWatermark: highWatermark(partition),
    lastStableOffset: lastStableOffset(partition),
    logStartOffset: logStartOffset(partition),
    abortedTransactions: isolationLevel === readCommitted ? noTransactions : null,
    records: batches?.buffers ?? noBatches,
  };
  return { draft, batches };
}

function refusal(
  partitionIndex: number,
  errorCode: ErrorCode,
  partition: Partition | undefined,
): PartitionDraft {
  return {
    partitionIndex,
    errorCode,
    highWatermark: partition ? highWatermark(partition) : -1,
    logStartOffset: partition ? logStartOffset(partition) : -1,
    abortedTransactions: null,
    records: noBatches,
  };
}
