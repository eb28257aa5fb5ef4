import { ErrorCode, type ResponseDraft } from '../../../../wire/kafka/index.ts';
import type { Handler } from '../../handler.ts';
import type { GroupCoordinator } from '../coordinator.ts';
import type { ShareGroup } from '../share/share-group.ts';
import { withNames } from './consumer-group-describe.ts';

type DescribedGroup = ResponseDraft<'ShareGroupDescribe'>['groups'][number];

/** All members get all partitions of what they read. */
const assignorName = 'simple';

export const shareGroupDescribe: Handler<'ShareGroupDescribe'> = ({ groupIds }, { host }) => ({
  groups: groupIds.map((groupId) => {
    const group = host.coordinator.find(groupId);
    if (group?.kind === 'share' && !group.isForgettable) return describe(host.coordinator, group);
    const isKnown = host.coordinator
      .list()
      .some((listed) => listed.groupId === groupId && listed.type === 'share');
    const blank = { groupId, groupEpoch: 0, assignmentEpoch: 0, assignorName, members: [] };
    if (isKnown) return { ...blank, errorCode: ErrorCode.NONE, groupState: 'Empty' };
    return {
      ...blank,
      errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
      errorMessage: `There is no share group "${groupId}".`,
      groupState: '',
    };
  }),
});

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
