import { ErrorCode, type ResponseDraft } from '../../../../wire/kafka/index.ts';
import type { Handler } from '../../handler.ts';
import { refusedSync } from '../classic/refusals.ts';

export const syncGroup: Handler<'SyncGroup'> = (request, { host, version }) => {
  if (request.groupId === '') return refusedSync(ErrorCode.INVALID_GROUP_ID);
  if (version >= 5 && (request.protocolType === null || request.protocolName === null))
    return refusedSync(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  const group = host.coordinator.find(request.groupId);
  if (group?.kind !== 'classic') return refusedSync(ErrorCode.UNKNOWN_MEMBER_ID);
  const said = version >= 5;
  return new Promise<ResponseDraft<'SyncGroup'>>((resolve) =>
    group.sync(
      {
        ...request,
        protocolType: said ? request.protocolType : null,
        protocolName: said ? request.protocolName : null,
      },
      resolve,
    ),
  );
};
