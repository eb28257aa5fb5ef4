import { ErrorCode, errorName, type ResponseDraft } from '../../../../wire/kafka/index.ts';
import type { Handler } from '../../handler.ts';
import { Operation, type Rights } from '../../security/index.ts';

type CoordinatorDraft = NonNullable<ResponseDraft<'FindCoordinator'>['coordinators']>[number];

/** 0 group, 1 transaction, 2 share group. */
const keyTypeMax = 2;
const shareKeyType = 2;
const noNode = { nodeId: -1, host: '', port: -1 };

function isShareKey(key: string): boolean {
  return /^.+:[\w-]{22}:\d{1,10}$/s.test(key);
}

/** The error if the client may not ask for the coordinator of this key; otherwise undefined. */
function refusalOf(keyType: number, key: string, rights: Rights): ErrorCode | undefined {
  switch (keyType) {
    case 0:
      return rights.mayGroup(Operation.describe, key) ? undefined : ErrorCode.GROUP_AUTHORIZATION_FAILED;
    case 1:
      return rights.mayTransactionalId(Operation.describe, key)
        ? undefined
        : ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    default:
      return rights.mayCluster(Operation.clusterAction) ? undefined : ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
  }
}

/** There is one broker, so it coordinates everything. */
export const findCoordinator: Handler<'FindCoordinator'> = (request, { host, session, version, rights }) => {
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
  const refused = (key: string): CoordinatorDraft | undefined => {
    const errorCode = refusalOf(request.keyType, key, rights);
    return errorCode === undefined
      ? undefined
      : { key, ...noNode, errorCode, errorMessage: errorName(errorCode) };
  };
  if (version < 4) return refused(request.key) ?? { ...error, ...node };
  return {
    coordinators: request.coordinatorKeys.map(
      (key): CoordinatorDraft =>
        refused(key) ??
        (request.keyType === shareKeyType && !isShareKey(key)
          ? {
              key,
              ...noNode,
              errorCode: ErrorCode.INVALID_REQUEST,
              errorMessage: 'A key is GROUP:TOPIC-ID:PARTITION.',
            }
          : { key, ...node, ...error }),
    ),
  };
};
