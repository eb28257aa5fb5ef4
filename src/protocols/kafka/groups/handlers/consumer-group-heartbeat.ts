import type { Topic } from '../../../../broker/index.ts';
import {
  ErrorCode,
  type ConsumerGroupHeartbeatRequest,
  type ResponseDraft,
} from '../../../../wire/kafka/index.ts';
import { KafkaError, errorCodeOf, errorMessageOf } from '../../errors.ts';
import type { Handler, KafkaSession, RequestContext } from '../../handler.ts';
import { beginInTurns, inTurns } from '../../../connections/index.ts';
import { fullRights } from '../../security/index.ts';
import { checkDescribed } from '../../topic-access.ts';
import type { ConsumerGroup } from '../consumer/consumer-group.ts';
import type { ConsumerHeartbeatResult } from '../consumer/messages.ts';
import type { PatternTopics } from '../consumer/pattern-topics.ts';
import type { GroupCoordinator } from '../coordinator.ts';
import { clientHostOf } from './client-host.ts';

type Response = ResponseDraft<'ConsumerGroupHeartbeat'>;

export const consumerGroupHeartbeat: Handler<'ConsumerGroupHeartbeat'> = (request, context) => {
  const { coordinator } = context.host;
  try {
    check(request, context.version);
    checkDescribed(request.subscribedTopicNames, context);
    const behind = patternsBehind(request, coordinator);
    if (behind.length === 0) return heartbeat(request, context);
    return inTurns(behind, context.session, (pattern) =>
      pattern.look(context.session, pattern.text === request.subscribedTopicRegex),
    ).then(
      () => heartbeat(request, context),
      (error: unknown) => refusal(error, coordinator, request.groupId),
    );
  } catch (error) {
    return refusal(error, coordinator, request.groupId);
  }
};

/**
 * The patterns that this heartbeat has to match with topics. They are matched ahead of it, since that may
 * take a while. Throws a KafkaError if a pattern is invalid.
 */
function patternsBehind(
  { groupId, subscribedTopicRegex }: ConsumerGroupHeartbeatRequest,
  coordinator: GroupCoordinator,
): PatternTopics[] {
  const live = coordinator.find(groupId);
  const behind = live?.kind === 'consumer' ? live.patternsBehind() : [];
  if (!subscribedTopicRegex) return behind;
  const pattern = coordinator.patterns.of(subscribedTopicRegex);
  return pattern.isBehind && !behind.includes(pattern) ? [...behind, pattern] : behind;
}

function heartbeat(
  request: ConsumerGroupHeartbeatRequest,
  context: RequestContext,
): Response | Promise<Response> {
  const { coordinator } = context.host;
  let group: ConsumerGroup | undefined;
  try {
    group = groupOf(coordinator, request);
    if (request.subscribedTopicNames) checkTopics(coordinator, request.groupId, request.subscribedTopicNames);
    const result = group.heartbeat({
      ...request,
      clientId: context.clientId,
      clientHost: clientHostOf(context.session),
      filter: context.rights === fullRights ? undefined : context.rights,
    });
    const response = draft(result, coordinator, request.groupId);
    const topics = topicsToPrepare(coordinator, group, result.memberId);
    if (topics.length === 0) return response;
    return prepare(coordinator, context.session, group.id, topics).then(
      () => response,
      (error: unknown) => refusal(error, coordinator, request.groupId),
    );
  } catch (error) {
    return refusal(error, coordinator, request.groupId);
  } finally {
    if (group) coordinator.tidy(group);
  }
}

/** Kafka's rules for a heartbeat, in particular one that enters or leaves. */
function check(request: ConsumerGroupHeartbeatRequest, version: number): void {
  const { groupId, memberId, memberEpoch, instanceId, topicPartitions } = request;
  const invalid = (problem: string): never => {
    throw new KafkaError(ErrorCode.INVALID_REQUEST, problem);
  };
  if (groupId === '') invalid('GroupId is empty.');
  if (instanceId === '') invalid('InstanceId is empty.');
  if (request.rackId === '') invalid('RackId is empty.');
  if (memberEpoch < -2) invalid(`MemberEpoch ${memberEpoch} is none.`);
  if (memberId === '' && (version >= 1 || memberEpoch !== 0)) invalid('MemberId is empty.');
  if (memberEpoch === -2 && instanceId === null)
    invalid('Only a member with an InstanceId leaves for a while.');
  if (memberEpoch !== 0) return;
  if (request.rebalanceTimeoutMs <= 0) invalid('RebalanceTimeoutMs is to be given when a member enters.');
  if (topicPartitions === null || topicPartitions.length > 0)
    invalid('TopicPartitions is to be empty when a member enters.');
  if (request.subscribedTopicNames === null && !request.subscribedTopicRegex)
    invalid('SubscribedTopicNames or SubscribedTopicRegex is to be given when a member enters.');
}

/** Returns the group. Only a member that enters creates one. */
function groupOf(
  coordinator: GroupCoordinator,
  { groupId, memberEpoch }: ConsumerGroupHeartbeatRequest,
): ConsumerGroup {
  const live = coordinator.find(groupId);
  if (memberEpoch === 0 || live?.kind === 'consumer') return coordinator.consumer(groupId);
  // After a restart the group is unknown: the member has to join again.
  if (live === undefined || live.isForgettable)
    throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID, `Group "${groupId}" has no members; join again.`);
  throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, `Group "${groupId}" is no KIP-848 consumer group.`);
}

function checkTopics(coordinator: GroupCoordinator, groupId: string, names: readonly string[]): void {
  for (const name of names) {
    const topic = coordinator.topicNames.topic(name);
    if (topic) coordinator.offsets.check(groupId, topic);
  }
}

/** Topics that the member reads, and for which the group has no position yet. */
function topicsToPrepare(coordinator: GroupCoordinator, group: ConsumerGroup, memberId: string): Topic[] {
  const topics: Topic[] = [];
  for (const topicId of group.topicsByMember.get(memberId) ?? []) {
    const topic = coordinator.topicIds.topic(topicId);
    if (topic && !coordinator.offsets.find(group.id, topic)) topics.push(topic);
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
  coordinator.noteCreated(groupId);
}

function draft(
  { memberId, memberEpoch, assignment }: ConsumerHeartbeatResult,
  { configs }: GroupCoordinator,
  groupId: string,
): Response {
  return {
    errorCode: ErrorCode.NONE,
    memberId,
    memberEpoch,
    heartbeatIntervalMs: configs.times('consumer', groupId).heartbeatMs,
    assignment: assignment && { topicPartitions: assignment },
  };
}

function refusal(error: unknown, { configs }: GroupCoordinator, groupId: string): Response {
  return {
    errorCode: errorCodeOf(error),
    errorMessage: errorMessageOf(error),
    memberEpoch: 0,
    heartbeatIntervalMs: configs.times('consumer', groupId).heartbeatMs,
  };
}
