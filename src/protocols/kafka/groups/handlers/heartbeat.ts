import { ErrorCode } from '../../../../wire/kafka/index.ts';
import type { Handler } from '../../handler.ts';

export const heartbeat: Handler<'Heartbeat'> = (request, { host }) => {
  const group = host.coordinator.find(request.groupId);
  if (group?.kind !== 'classic') return { errorCode: ErrorCode.UNKNOWN_MEMBER_ID };
  return { errorCode: group.heartbeat(request) };
};
