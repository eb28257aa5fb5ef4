import { ErrorCode, type ResponseDraft } from '../../../../wire/kafka/index.ts';
import { groupOperations } from '../../authorized-operations.ts';
import type { Handler } from '../../handler.ts';
import { inTurns } from '../../../connections/index.ts';
import { Operation, type Rights } from '../../security/index.ts';
import type { GroupCoordinator } from '../coordinator.ts';
import type { ShareGroup } from '../share/share-group.ts';
import { withNames } from './consumer-group-describe.ts';

type DescribedGroup = ResponseDraft<'ShareGroupDescribe'>['groups'][number];

/** Each member gets all partitions of the topics that it reads. */
const assignorName = 'simple';

/** A group that is named twice is described once, because an answer can be much longer than its question. */
export const shareGroupDescribe: Handler<'ShareGroupDescribe'> = async (
  request,
  { host, session, rights },
) => {
  const { coordinator } = host;
  let known: ReadonlySet<string> | undefined;
  const isKnown = (groupId: string): boolean => {
    known ??= new Set(coordinator.list().flatMap(({ groupId: id, type }) => (type === 'share' ? [id] : [])));
    return known.has(groupId);
  };
  const groups = await inTurns(new Set(request.groupIds), session, (groupId): DescribedGroup => {
    const blank = { groupId, groupEpoch: 0, assignmentEpoch: 0, assignorName, members: [] };
    if (!rights.mayGroup(Operation.describe, groupId))
      return { ...blank, errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, groupState: '' };
    const group = coordinator.find(groupId);
    if (group?.kind === 'share' && !group.isForgettable)
      return forTheClient(describe(coordinator, group), rights);
    if (isKnown(groupId)) return { ...blank, errorCode: ErrorCode.NONE, groupState: 'Empty' };
    return {
      ...blank,
      errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
      errorMessage: `There is no share group "${groupId}".`,
      groupState: '',
    };
  });
  if (!request.includeAuthorizedOperations) return { groups };
  return {
    groups: groups.map((group) =>
      group.errorCode === ErrorCode.NONE
        ? { ...group, authorizedOperations: groupOperations(rights, group.groupId) }
        : group,
    ),
  };
};

/** Shows the members only to clients that may describe all topics that the members read. */
function forTheClient(group: DescribedGroup, rights: Rights): DescribedGroup {
  const isShown = group.members.every(({ subscribedTopicNames, assignment }) =>
    [...subscribedTopicNames, ...assignment.topicPartitions.map(({ topicName }) => topicName)].every((name) =>
      rights.mayTopic(Operation.describe, name),
    ),
  );
  if (isShown) return group;
  const errorMessage = 'The group has described topic(s) that the client is not authorized to describe.';
  return { ...group, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, errorMessage, members: [] };
}

function describe(coordinator: GroupCoordinator, group: ShareGroup): DescribedGroup {
  return {
    errorCode: ErrorCode.NONE,
    groupId: group.id,
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.epoch,
    assignorName,
    members: [...group.members.values()].map((member) => ({
      memberId: member.id,
      rackId: member.rackId,
      memberEpoch: member.epoch,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: member.topicNames,
      assignment: { topicPartitions: withNames(coordinator, group.assignmentOf(member.id)) },
    })),
  };
}
