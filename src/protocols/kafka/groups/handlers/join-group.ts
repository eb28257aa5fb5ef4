import type { Topic } from '../../../../broker/index.ts';
import { ErrorCode, type JoinGroupRequest, type ResponseDraft } from '../../../../wire/kafka/index.ts';
import { errorCodeOf } from '../../errors.ts';
import type { Handler, KafkaSession, RequestContext } from '../../handler.ts';
import { beginInTurns } from '../../../connections/index.ts';
import { refusedJoin } from '../classic/refusals.ts';
import type { JoinRequest, JoinResult } from '../classic/messages.ts';
import { topicsOfRequest } from '../classic/subscription.ts';
import type { GroupCoordinator } from '../coordinator.ts';
import { clientHostOf } from './client-host.ts';

export const joinGroup: Handler<'JoinGroup'> = (request, context) => {
  const { coordinator } = context.host;
  const join = joinRequest(request, context);
  const { sessionTimeoutMsMin, sessionTimeoutMsMax } = coordinator.limits;
  const { groupId, sessionTimeoutMs, memberId } = request;
  const refuse = (code: ErrorCode): ResponseDraft<'JoinGroup'> =>
    draft(refusedJoin(code, memberId), context.version);
  if (groupId === '') return refuse(ErrorCode.INVALID_GROUP_ID);
  if (sessionTimeoutMs < sessionTimeoutMsMin || sessionTimeoutMs > sessionTimeoutMsMax)
    return refuse(ErrorCode.INVALID_SESSION_TIMEOUT);
  const live = coordinator.find(groupId);
  // A member of a group that no longer exists must not recreate it under its old id.
  if (memberId !== '' && (live === undefined || live.isForgettable))
    return refuse(ErrorCode.UNKNOWN_MEMBER_ID);
  let topics: Topic[];
  try {
    topics = topicsToPrepare(coordinator, groupId, join);
  } catch (error) {
    return refuse(errorCodeOf(error));
  }
  if (topics.length === 0) return enter(coordinator, groupId, join, context.version);
  return prepare(coordinator, context.session, groupId, topics).then(
    () => enter(coordinator, groupId, join, context.version),
    (error: unknown) => refuse(errorCodeOf(error)),
  );
};

function joinRequest(
  request: JoinGroupRequest,
  { session, clientId, version, host }: RequestContext,
): JoinRequest {
  const { memberId, groupInstanceId, sessionTimeoutMs, protocolType } = request;
  const rebalanceTimeoutMs = request.rebalanceTimeoutMs < 0 ? sessionTimeoutMs : request.rebalanceTimeoutMs;
  return {
    memberId,
    groupInstanceId,
    clientId,
    clientHost: clientHostOf(session),
    sessionTimeoutMs,
    rebalanceTimeoutMs: Math.min(rebalanceTimeoutMs, host.coordinator.limits.rebalanceTimeoutMsMax),
    protocolType,
    // Copied, because the frame is not kept while the join waits.
    protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
    requiresKnownId: version >= 4,
    maySkipAssignment: version >= 9,
  };
}

/** Topics for which the group has no position yet. Throws a KafkaError if the group cannot have one. */
function topicsToPrepare(coordinator: GroupCoordinator, groupId: string, join: JoinRequest): Topic[] {
  if (join.memberId === '' && join.groupInstanceId === null && join.requiresKnownId) return [];
  const topics: Topic[] = [];
  for (const name of topicsOfRequest(join)) {
    const topic = coordinator.topicNames.topic(name);
    if (!topic) continue;
    coordinator.offsets.check(groupId, topic);
    if (!coordinator.offsets.find(groupId, topic)) topics.push(topic);
  }
  return topics;
}

async function prepare(
  coordinator: GroupCoordinator,
  session: KafkaSession,
  groupId: string,
  topics: readonly Topic[],
): Promise<void> {
  await beginInTurns(topics, session, (topic) => coordinator.offsets.ensure(groupId, topic));
}

function enter(
  coordinator: GroupCoordinator,
  groupId: string,
  join: JoinRequest,
  version: number,
): ResponseDraft<'JoinGroup'> | Promise<ResponseDraft<'JoinGroup'>> {
  let group;
  try {
    group = coordinator.classic(groupId);
  } catch (error) {
    return draft(refusedJoin(errorCodeOf(error), join.memberId), version);
  }
  const answer = new Promise<ResponseDraft<'JoinGroup'>>((resolve) =>
    group.join(join, (result) => resolve(draft(result, version))),
  );
  coordinator.tidy(group);
  return answer;
}

/** A missing protocol name is null from version 7 on, and empty before. */
function draft(
  { protocolName, members, ...result }: JoinResult,
  version: number,
): ResponseDraft<'JoinGroup'> {
  return { ...result, protocolName: version >= 7 ? protocolName : (protocolName ?? ''), members };
}
