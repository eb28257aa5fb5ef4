import {
  ErrorCode,
  errorName,
  type ResponseDraft,
  type ShareFetchRequest,
  type Uuid,
} from '../../../../wire/kafka/index.ts';
import { KafkaError, errorCodeOf, errorMessageOf } from '../../errors.ts';
import { mayWait, throttleMs } from '../../fetch-room.ts';
import type { Handler, RequestContext } from '../../handler.ts';
import { Operation } from '../../security/index.ts';
import { mayUseId } from '../../topic-access.ts';
import type { GroupCoordinator } from '../coordinator.ts';
import type { AcquiredPartition } from '../share/share-fetch.ts';
import type { ShareConsumer } from '../share/share-consumer.ts';
import type { ShareSession } from '../share/share-session.ts';
import { acknowledge, hasAcknowledgements, type AcknowledgeResults } from './share-acknowledgements.ts';
import { afterCommit } from './after-commit.ts';

type Response = ResponseDraft<'ShareFetch'>;
type PartitionAnswer = Response['responses'][number]['partitions'][number];

const finalEpoch = -1;
const noLeader = { leaderId: -1, leaderEpoch: -1 };

/** Answered once the request's acknowledgements are applied and on disk. */
export const shareFetch: Handler<'ShareFetch'> = async (request, context) => {
  const { session: connection, version } = context;
  const { coordinator } = context.host;
  let session: ShareSession;
  let results: AcknowledgeResults;
  try {
    session = enter(coordinator, request, (groupId, memberId) =>
      coordinator.shareSessions.enter(groupId, memberId, request.shareSessionEpoch, connection),
    );
    results = acknowledge(session, request.topics, mayRenew(coordinator, session, version), mayRead(context));
  } catch (error) {
    return refusal(error, coordinator);
  }
  const durable = results.size > 0 ? afterCommit(coordinator.broker) : undefined;
  const isFinal = request.shareSessionEpoch === finalEpoch;
  const unknown = isFinal ? [] : await addPartitions(coordinator, session, request, mayRead(context));
  const fetches = !isFinal && request.maxRecords > 0 && request.maxBytes > 0 && !request.isRenewAck;
  const members = ({ group, topicId }: ShareConsumer): number =>
    Math.max(group.consumers, readersOf(coordinator, session.groupId, topicId));
  const options = optionsOf(coordinator, request);
  const hasRoom = mayWait(coordinator.broker.budgets, session.partitions);
  if (unknown.length > 0 || !hasRoom) options.waitMs = 0;
  const acquired = fetches ? await session.fetch(options, members) : [];
  await durable;
  if (isFinal) coordinator.shareSessions.end(session.groupId, session.memberId);
  const isThrottled = fetches && !hasRoom && acquired.length === 0;
  return {
    throttleTimeMs: isThrottled ? throttleMs(request.maxWaitMs) : 0,
    errorCode: ErrorCode.NONE,
    acquisitionLockTimeoutMs: lockTimeoutMs(coordinator, session),
    responses: answers(acquired, results, unknown),
    nodeEndpoints: [],
  };
};

function enter(
  coordinator: GroupCoordinator,
  { groupId, memberId, shareSessionEpoch, topics }: ShareFetchRequest,
  open: (groupId: string, memberId: string) => ShareSession,
): ShareSession {
  if (!groupId || !memberId)
    throw new KafkaError(ErrorCode.INVALID_REQUEST, 'GroupId and MemberId are to be given.');
  const live = coordinator.find(groupId);
  if (live && live.kind !== 'share' && !live.isForgettable)
    throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, `Group "${groupId}" is no share group.`);
  if (shareSessionEpoch === 0 && hasAcknowledgements(topics))
    throw new KafkaError(ErrorCode.INVALID_REQUEST, 'A new share session holds no records to acknowledge.');
  return open(groupId, memberId);
}

/** "Version 2 can renew" (KIP-1222), unless the group's configs forbid it. */
export function mayRenew({ configs }: GroupCoordinator, { groupId }: ShareSession, version: number): boolean {
  return version >= 2 && configs.of(groupId).mayRenew;
}

/** Updates the session's partitions; returns those that cannot be read. */
async function addPartitions(
  coordinator: GroupCoordinator,
  session: ShareSession,
  { topics, forgottenTopicsData }: ShareFetchRequest,
  isAllowed: (topicId: Uuid) => boolean,
): Promise<{ topicId: Uuid; partition: number; error: unknown }[]> {
  const unknown: { topicId: Uuid; partition: number; error: unknown }[] = [];
  for (const { topicId, partitions } of forgottenTopicsData)
    for (const partition of partitions) session.forget(topicId, partition);
  // Topics that the client may no longer read give it no further records.
  for (const [topicId, { partitions }] of session.consumers)
    if (!isAllowed(topicId))
      for (const partition of partitions) {
        session.forget(topicId, partition);
        unknown.push({ topicId, partition, error: new KafkaError(ErrorCode.TOPIC_AUTHORIZATION_FAILED) });
      }
  for (const { topicId, partitions } of topics) {
    const topic = coordinator.topicIds.topic(topicId);
    const fail = (error: unknown): void =>
      void unknown.push(
        ...partitions.map(({ partitionIndex: partition }) => ({ topicId, partition, error })),
      );
    if (!isAllowed(topicId)) {
      fail(new KafkaError(ErrorCode.TOPIC_AUTHORIZATION_FAILED));
      continue;
    }
    if (!topic) {
      fail(new KafkaError(ErrorCode.UNKNOWN_TOPIC_ID));
      continue;
    }
    try {
      const group =
        coordinator.shareOffsets.find(session.groupId, topic) ??
        (await coordinator.shareOffsets.ensure(session.groupId, topic));
      for (const { partitionIndex: partition } of partitions) {
        if (!topic.partitions.has(partition))
          unknown.push({ topicId, partition, error: new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) });
        else if (session.partitions < coordinator.limits.shareSessionPartitionsMax)
          session.add(topicId, group, partition);
        else
          unknown.push({ topicId, partition, error: new KafkaError(ErrorCode.SHARE_SESSION_LIMIT_REACHED) });
      }
    } catch (error) {
      fail(error);
    }
  }
  return unknown;
}

/** Checks which topics the client may read. */
export function mayRead(context: RequestContext): (topicId: Uuid) => boolean {
  return (topicId) => mayUseId(context, Operation.read, topicId);
}

/** Number of members that read the topic, whether they have a share session or not. */
function readersOf(coordinator: GroupCoordinator, groupId: string, topicId: Uuid): number {
  const group = coordinator.find(groupId);
  return group?.kind === 'share' ? group.readersOf(topicId) : 0;
}

function optionsOf(
  { clock, limits }: GroupCoordinator,
  { maxRecords, minBytes, maxBytes, maxWaitMs }: ShareFetchRequest,
): Parameters<ShareSession['fetch']>[0] & { waitMs: number } {
  return {
    clock,
    recordsMax: Math.min(maxRecords, limits.shareFetchRecordsMax),
    bytesMin: Math.max(1, minBytes),
    bytesMax: Math.min(maxBytes, limits.shareFetchBytesMax),
    waitMs: Math.min(Math.max(0, maxWaitMs), limits.shareFetchWaitMsMax),
  };
}

/** The shortest lock timeout of the groups that the session reads from. */
export function lockTimeoutMs(coordinator: GroupCoordinator, session: ShareSession): number {
  let timeoutMs = Infinity;
  for (const { group } of session.consumers.values()) timeoutMs = Math.min(timeoutMs, group.config.ackWaitMs);
  return timeoutMs === Infinity
    ? coordinator.configs.of(session.groupId).lockMs
    : Math.min(timeoutMs, 2 ** 31 - 1);
}

function answers(
  acquired: readonly AcquiredPartition[],
  results: AcknowledgeResults,
  unknown: readonly { topicId: Uuid; partition: number; error: unknown }[],
): Response['responses'] {
  const topics = new Map<Uuid, Map<number, PartitionAnswer>>();
  const change = (topicId: Uuid, partitionIndex: number, values: Partial<PartitionAnswer>): void => {
    const partitions = topics.get(topicId) ?? new Map<number, PartitionAnswer>();
    topics.set(topicId, partitions);
    const known = partitions.get(partitionIndex) ?? blank(partitionIndex);
    partitions.set(partitionIndex, { ...known, ...values });
  };
  for (const { topicId, partition, records, acquired: acquiredRecords } of acquired)
    change(topicId, partition, { records, acquiredRecords });
  for (const [topicId, partitions] of results)
    for (const [partition, code] of partitions)
      change(topicId, partition, {
        acknowledgeErrorCode: code,
        acknowledgeErrorMessage: code === ErrorCode.NONE ? null : errorName(code),
      });
  for (const { topicId, partition, error } of unknown)
    change(topicId, partition, { errorCode: errorCodeOf(error), errorMessage: errorMessageOf(error) });
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions.values()] }));
}

function blank(partitionIndex: number): PartitionAnswer {
  return {
    partitionIndex,
    errorCode: ErrorCode.NONE,
    acknowledgeErrorCode: ErrorCode.NONE,
    currentLeader: noLeader,
    records: Buffer.alloc(0),
    acquiredRecords: [],
  };
}

function refusal(error: unknown, { configs }: GroupCoordinator): Response {
  return {
    errorCode: errorCodeOf(error),
    errorMessage: errorMessageOf(error),
    acquisitionLockTimeoutMs: configs.of('').lockMs,
    responses: [],
    nodeEndpoints: [],
  };
}
