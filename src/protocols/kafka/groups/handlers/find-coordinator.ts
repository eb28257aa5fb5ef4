import { ErrorCode } from '../../../../wire/kafka/index.ts';
import type { Handler } from '../../handler.ts';

/** 0 group, 1 transaction, 2 share group. */
const keyTypeMax = 2;

/** There is one broker, so it coordinates everything. */
export const findCoordinator: Handler<'FindCoordinator'> = (request, { host, session, version }) => {
  const { nodeId } = host;
  const isKnown = request.keyType >= 0 && request.keyType <= keyTypeMax;
  const error = isKnown
    ? { errorCode: ErrorCode.NONE, errorMessage: null }
    : {
        errorCode: ErrorCode.INVALID_REQUEST,
        errorMessage: `There are no coordinators of type ${request.keyType}.`,
      };
  const node = isKnown ? { nodeId, ...session.endpoint } : { nodeId: -1, host: '', port: -1 };
  if (version < 4) return { ...error, ...node };
  return { coordinators: request.coordinatorKeys.map((key) => ({ key, ...node, ...error })) };
};
