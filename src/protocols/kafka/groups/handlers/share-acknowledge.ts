import {
  ErrorCode,
  errorName,
  type ResponseDraft,
  type ShareAcknowledgeRequest,
} from '../../../../wire/kafka/index.ts';
import { KafkaError, errorCodeOf, errorMessageOf } from '../../errors.ts';
import type { Handler } from '../../handler.ts';
import type { GroupCoordinator } from '../coordinator.ts';
import { afterCommit } from './after-commit.ts';
import { acknowledge } from './share-acknowledgements.ts';
import { lockTimeoutMs, mayRead, mayRenew } from './share-fetch.ts';

type Response = ResponseDraft<'ShareAcknowledge'>;

const finalEpoch = -1;

/** Answered once the acknowledgements are on disk. */
export const shareAcknowledge: Handler<'ShareAcknowledge'> = async (request, context) => {
  const { session: connection, version } = context;
  const { coordinator } = context.host;
  try {
    const { groupId, memberId } = check(request);
    const session = coordinator.shareSessions.enter(groupId, memberId, request.shareSessionEpoch, connection);
    const results = acknowledge(
      session,
      request.topics,
      mayRenew(coordinator, session, version),
      mayRead(context),
    );
    const acquisitionLockTimeoutMs = lockTimeoutMs(coordinator, session);
    if (request.shareSessionEpoch === finalEpoch) coordinator.shareSessions.end(groupId, memberId);
    await afterCommit(coordinator.broker);
    return {
      errorCode: ErrorCode.NONE,
      acquisitionLockTimeoutMs,
      responses: request.topics.map(({ topicId, partitions }) => ({
        topicId,
        partitions: partitions.map(({ partitionIndex }) => {
          const errorCode = results.get(topicId)?.get(partitionIndex) ?? ErrorCode.NONE;
          return {
            partitionIndex,
            errorCode,
            errorMessage: errorCode === ErrorCode.NONE ? null : errorName(errorCode),
            currentLeader: { leaderId: -1, leaderEpoch: -1 },
          };
        }),
      })),
      nodeEndpoints: [],
    };
  } catch (error) {
    return refusal(error, coordinator);
  }
};

function check({ groupId, memberId, shareSessionEpoch }: ShareAcknowledgeRequest): {
  readonly groupId: string;
  readonly memberId: string;
} {
  if (!groupId || !memberId)
    throw new KafkaError(ErrorCode.INVALID_REQUEST, 'GroupId and MemberId are to be given.');
  if (shareSessionEpoch === 0)
    throw new KafkaError(
      ErrorCode.INVALID_SHARE_SESSION_EPOCH,
      'A new share session holds no records to acknowledge.',
    );
  return { groupId, memberId };
}

function refusal(error: unknown, { configs }: GroupCoordinator): Response {
  return {
    errorCode: errorCodeOf(error),
    errorMessage: errorMessageOf(error),
    acquisitionLockTimeoutMs: configs.of('').lockMs,
    responses: [],
    nodeEndpoints: [],
  };
}
