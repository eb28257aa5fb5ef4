import { ErrorCode } from '../../../../wire/kafka/index.ts';
import type { Handler } from '../../handler.ts';
import { inTurns } from '../../../connections/index.ts';
import type { MemberKey } from '../classic/messages.ts';
import type { GroupCoordinator } from '../coordinator.ts';

export const leaveGroup: Handler<'LeaveGroup'> = async (request, { host, session, version }) => {
  const { groupId, memberId } = request;
  if (groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID };
  if (version < 3)
    return { errorCode: leave(host.coordinator, groupId, { memberId, groupInstanceId: null }) };
  const members = await inTurns(request.members, session, (key) => ({
    memberId: key.memberId,
    groupInstanceId: key.groupInstanceId,
    errorCode: leave(host.coordinator, groupId, key),
  }));
  return { errorCode: ErrorCode.NONE, members };
};

/** Operators remove members of KIP-848 groups this way, too. */
function leave(coordinator: GroupCoordinator, groupId: string, key: MemberKey): ErrorCode {
  const group = coordinator.find(groupId);
  if (group?.kind === 'classic') return group.leave(key);
  if (group?.kind === 'consumer' && group.evict(key.memberId, key.groupInstanceId)) return ErrorCode.NONE;
  return ErrorCode.UNKNOWN_MEMBER_ID;
}
