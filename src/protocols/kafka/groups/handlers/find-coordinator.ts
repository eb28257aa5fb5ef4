import { ErrorCode } from '../../../../wire/kafka/index.ts';
import type { Handler } from '../../handler.ts';

/** 0 group, 1 transaction, 2 share group. */
const keyTypeMax = 2;
const shareKeyType = 2;
const noNode = { nodeId: -1, host: '', port: -1 };

function isShareKey(key: string): boolean {
  return /^.+:[\w-]{22}:\d{1,10}$/s.test(key);
}

/** There is one broker, so it coordinates everything. */
export const findCoordinator: Handler<'FindCoordinator'> = (request, { host, session, version }) => {
  const { nodeId } = host;
  const isKnown = request.keyType >= 0 && request.keyType <= keyTypeMax;
  if (request.keyType === 0) host.coordinator.noteUsed();
  const error = isKnown
    ? { errorCode: ErrorCode.NONE, errorMessage: null }
    : {
        errorCode: ErrorCode.INVALID_REQUEST,
        errorMessage: `There are no coordinators of type ${request.keyType}.`,
      };
  const node = isKnown ? { nodeId, ...session.endpoint } : noNode;
  if (version < 4) return { ...error, ...node };
  return {
    coordinators: request.coordinatorKeys.map((key) =>
      request.keyType === shareKeyType && !isShareKey(key)
        ? {
            key,
            ...noNode,
            errorCode: ErrorCode.INVALID_REQUEST,
            errorMessage: 'A key is GROUP:TOPIC-ID:PARTITION.',
          }
        : { key, ...node, ...error },
    ),
  };
};
