import type { ErrorCode } from '../../../../wire/kafka/index.ts';
import type { JoinResult, SyncResult } from './messages.ts';

const noBytes = Buffer.alloc(0);

export function refusedJoin(errorCode: ErrorCode, memberId: string): JoinResult {
  return {
    errorCode,
    memberId,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    members: [],
  };
}

export function refusedSync(errorCode: ErrorCode): SyncResult {
  return { errorCode, protocolType: null, protocolName: null, assignment: noBytes };
}
