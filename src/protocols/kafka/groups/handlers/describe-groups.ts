import { ErrorCode, type ResponseDraft } from '../../../../wire/kafka/index.ts';
import { groupOperations } from '../../authorized-operations.ts';
import type { Handler } from '../../handler.ts';
import { inTurns } from '../../../connections/index.ts';
import { Operation } from '../../security/index.ts';
import type { ClassicGroup } from '../classic/classic-group.ts';
import { consumerProtocolType } from '../classic/subscription.ts';
import type { GroupCoordinator } from '../coordinator.ts';

type DescribedGroup = ResponseDraft<'DescribeGroups'>['groups'][number];

/** From version 6 on an unknown group is an error; before, it is described as dead. */
const errorVersion = 6;

/** A group that is named twice is described once, because an answer can be much longer than its question. */
export const describeGroups: Handler<'DescribeGroups'> = async (
  request,
  { host, session, version, rights },
) => {
  const { coordinator } = host;
  const names = new Set(request.groups);
  const committed = coordinator.offsets.ofEach(names);
  return {
    groups: await inTurns(names, session, (groupId) => {
      if (!rights.mayGroup(Operation.describe, groupId))
        return { ...blankGroup(groupId), errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, groupState: '' };
      const group = describe(coordinator, groupId, committed.has(groupId), version);
      return request.includeAuthorizedOperations && group.errorCode === ErrorCode.NONE
        ? { ...group, authorizedOperations: groupOperations(rights, groupId) }
        : group;
    }),
  };
};

function describe(
  coordinator: GroupCoordinator,
  groupId: string,
  isCommitted: boolean,
  version: number,
): DescribedGroup {
  const group = coordinator.find(groupId);
  if (group?.kind === 'classic' && !group.isForgettable) return describeLive(group);
  const blank = blankGroup(groupId);
  const isOther = group !== undefined && !group.isForgettable;
  if (!isOther && isCommitted)
    return { ...blank, errorCode: ErrorCode.NONE, groupState: 'Empty', protocolType: consumerProtocolType };
  const left = coordinator.emptied.find(groupId);
  if (!isOther && left?.type === 'classic')
    return { ...blank, errorCode: ErrorCode.NONE, groupState: 'Empty', protocolType: left.protocolType };
  if (version < errorVersion) return { ...blank, errorCode: ErrorCode.NONE, groupState: 'Dead' };
  return {
    ...blank,
    errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
    errorMessage: isOther ? `Group "${groupId}" is no classic group.` : `There is no group "${groupId}".`,
    groupState: 'Dead',
  };
}

function blankGroup(
  groupId: string,
): Pick<DescribedGroup, 'groupId' | 'protocolType' | 'protocolData' | 'members' | 'errorMessage'> {
  return { groupId, protocolType: '', protocolData: '', members: [], errorMessage: null };
}

function describeLive(group: ClassicGroup): DescribedGroup {
  const isStable = group.state === 'Stable';
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    groupId: group.id,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: isStable ? (group.protocolName ?? '') : '',
    members: [...group.members.values()].map((member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      // Metadata and assignments are valid only once the group is stable.
      memberMetadata: isStable ? member.metadataOf(group.protocolName) : Buffer.alloc(0),
      memberAssignment: isStable ? member.assignment : Buffer.alloc(0),
    })),
  };
}
