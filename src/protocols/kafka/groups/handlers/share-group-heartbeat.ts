import type { Topic } from '../../../../broker/index.ts';
import {
  ErrorCode,
  type ResponseDraft,
  type ShareGroupHeartbeatRequest,
} from '../../../../wire/kafka/index.ts';
import { KafkaError, errorCodeOf, errorMessageOf } from '../../errors.ts';
import type { Handler } from '../../handler.ts';
import { beginInTurns } from '../../../connections/index.ts';
import { checkDescribed } from '../../topic-access.ts';
import type { GroupCoordinator } from '../coordinator.ts';
import type { ShareGroup, ShareHeartbeatResult } from '../share/share-group.ts';
import { clientHostOf } from './client-host.ts';

type Response = ResponseDraft<'ShareGroupHeartbeat'>;

/** The group's positions are on disk before the member gets its assignment. */
export const shareGroupHeartbeat: Handler<'ShareGroupHeartbeat'> = (request, context) => {
  const { clientId, session } = context;
  const { coordinator } = context.host;
  let group: ShareGroup | undefined;
  try {
    check(request);
    checkDescribed(request.subscribedTopicNames, context);
    checkTopics(coordinator, request);
    group = groupOf(coordinator, request);
    const result = group.heartbeat({ ...request, clientId, clientHost: clientHostOf(session) });
    if (result.memberEpoch < 0) coordinator.shareSessions.end(request.groupId, result.memberId);
    const response = draft(result, coordinator, request.groupId);
    const missing = topicsToPrepare(coordinator, request.groupId, result);
    if (missing.length === 0) return response;
    const ensure = (topic: Topic): Promise<unknown> =>
      coordinator.shareOffsets.ensure(request.groupId, topic);
    return beginInTurns(missing, session, ensure).then(
      () => response,
      (error: unknown) => refusal(error, coordinator, request.groupId),
    );
  } catch (error) {
    return refusal(error, coordinator, request.groupId);
  } finally {
    if (group) coordinator.tidy(group);
  }
};

function check({
  groupId,
  memberId,
  memberEpoch,
  rackId,
  subscribedTopicNames,
}: ShareGroupHeartbeatRequest): void {
  const invalid = (problem: string): never => {
    throw new KafkaError(ErrorCode.INVALID_REQUEST, problem);
  };
  if (groupId === '') invalid('GroupId is empty.');
  if (memberId === '') invalid('MemberId is empty.');
  if (rackId === '') invalid('RackId is empty.');
  if (memberEpoch < -1) invalid(`MemberEpoch ${memberEpoch} is none.`);
  if (memberEpoch === 0 && (subscribedTopicNames === null || subscribedTopicNames.length === 0))
    invalid('SubscribedTopicNames is to be given when a member enters.');
}

/** Refuses, before the member enters, a topic on which the name belongs to a group of another kind. */
function checkTopics(
  coordinator: GroupCoordinator,
  { groupId, subscribedTopicNames }: ShareGroupHeartbeatRequest,
): void {
  for (const name of subscribedTopicNames ?? []) {
    const topic = coordinator.topicNames.topic(name);
    if (topic) coordinator.shareOffsets.check(groupId, topic);
  }
}

function groupOf(
  coordinator: GroupCoordinator,
  { groupId, memberEpoch }: ShareGroupHeartbeatRequest,
): ShareGroup {
  const live = coordinator.find(groupId);
  if (memberEpoch === 0 || live?.kind === 'share') return coordinator.share(groupId);
  // After a restart the group is unknown: the member has to join again.
  if (live === undefined || live.isForgettable)
    throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID, `Share group "${groupId}" has no members; join again.`);
  throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, `Group "${groupId}" is no share group.`);
}

function topicsToPrepare(
  coordinator: GroupCoordinator,
  groupId: string,
  { assignment }: ShareHeartbeatResult,
): Topic[] {
  const topics: Topic[] = [];
  for (const { topicId } of assignment ?? []) {
    const topic = coordinator.topicIds.topic(topicId);
    if (topic && !coordinator.shareOffsets.find(groupId, topic)) topics.push(topic);
  }
  return topics;
}

function draft(
  { memberId, memberEpoch, assignment }: ShareHeartbeatResult,
  { configs }: GroupCoordinator,
  groupId: string,
): Response {
  return {
    errorCode: ErrorCode.NONE,
    memberId,
    memberEpoch,
    heartbeatIntervalMs: configs.times('share', groupId).heartbeatMs,
    assignment: assignment && { topicPartitions: assignment },
  };
}

function refusal(error: unknown, { configs }: GroupCoordinator, groupId: string): Response {
  return {
    errorCode: errorCodeOf(error),
    errorMessage: errorMessageOf(error),
    memberEpoch: 0,
    heartbeatIntervalMs: configs.times('share', groupId).heartbeatMs,
  };
}
