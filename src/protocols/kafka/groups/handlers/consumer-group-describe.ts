import { ErrorCode, type ResponseDraft } from '../../../../wire/kafka/index.ts';
import { groupOperations } from '../../authorized-operations.ts';
import type { Handler } from '../../handler.ts';
import { inTurns } from '../../../connections/index.ts';
import { Operation, type Rights } from '../../security/index.ts';
import { toList, type Assignment, type TopicPartitions } from '../consumer/assignment.ts';
import type { ConsumerGroup } from '../consumer/consumer-group.ts';
import type { GroupCoordinator } from '../coordinator.ts';

type DescribedGroup = ResponseDraft<'ConsumerGroupDescribe'>['groups'][number];

/** A member that uses the consumer protocol, unlike a classic member in a mixed group. */
const consumerMemberType = 1;

/** A group that is named twice is described once, because an answer can be much longer than its question. */
export const consumerGroupDescribe: Handler<'ConsumerGroupDescribe'> = async (
  request,
  { host, session, rights },
) => ({
  groups: await inTurns(new Set(request.groupIds), session, (groupId) => {
    if (!rights.mayGroup(Operation.describe, groupId))
      return {
        ...blankGroup(groupId),
        errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED,
        errorMessage: null,
        groupState: '',
      };
    const group = host.coordinator.find(groupId);
    if (group?.kind === 'consumer' && !group.isForgettable) {
      const described = forTheClient(describe(host.coordinator, group), rights);
      return request.includeAuthorizedOperations
        ? { ...described, authorizedOperations: groupOperations(rights, groupId) }
        : described;
    }
    if (group === undefined && host.coordinator.emptied.find(groupId)?.type === 'consumer')
      return { ...blankGroup(groupId), errorCode: ErrorCode.NONE, groupState: 'Empty' };
    return unknownGroup(groupId, `There is no KIP-848 consumer group "${groupId}" with members.`);
  }),
});

function describe(coordinator: GroupCoordinator, group: ConsumerGroup): DescribedGroup {
  const share = (assignment: Assignment): { readonly topicPartitions: readonly NamedPartitions[] } => ({
    topicPartitions: withNames(coordinator, toList(assignment)),
  });
  return {
    errorCode: ErrorCode.NONE,
    groupId: group.id,
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.targetEpoch,
    assignorName: group.assignor,
    members: [...group.members.values()].map((member) => ({
      memberId: member.id,
      instanceId: member.instanceId,
      rackId: member.rackId,
      memberEpoch: member.epoch,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: member.topicNames,
      subscribedTopicRegex: member.pattern?.text ?? null,
      assignment: share(member.assigned),
      targetAssignment: share(group.targetOf(member.id)),
      memberType: consumerMemberType,
    })),
  };
}

/** Shows the members only to clients that may describe all topics that the members read. */
function forTheClient(group: DescribedGroup, rights: Rights): DescribedGroup {
  const isShown = group.members.every(({ subscribedTopicNames, assignment, targetAssignment }) =>
    [
      ...subscribedTopicNames,
      ...assignment.topicPartitions.map(({ topicName }) => topicName),
      ...targetAssignment.topicPartitions.map(({ topicName }) => topicName),
    ].every((name) => rights.mayTopic(Operation.describe, name)),
  );
  if (isShown) return group;
  const errorMessage = 'The group has described topic(s) that the client is not authorized to describe.';
  return { ...group, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, errorMessage, members: [] };
}

export interface NamedPartitions extends TopicPartitions {
  readonly topicName: string;
}

/** Leaves out topics that were deleted meanwhile. */
export function withNames(
  coordinator: GroupCoordinator,
  list: readonly TopicPartitions[],
): NamedPartitions[] {
  const named: NamedPartitions[] = [];
  for (const { topicId, partitions } of list) {
    const topic = coordinator.topicIds.topic(topicId);
    if (topic) named.push({ topicId, topicName: coordinator.topicNames.nameOf(topic), partitions });
  }
  return named;
}

function unknownGroup(groupId: string, errorMessage: string): DescribedGroup {
  return { ...blankGroup(groupId), errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage, groupState: '' };
}

function blankGroup(
  groupId: string,
): Pick<DescribedGroup, 'groupId' | 'groupEpoch' | 'assignmentEpoch' | 'assignorName' | 'members'> {
  return { groupId, groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] };
}
