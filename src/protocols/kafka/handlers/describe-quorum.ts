import { ErrorCode, errorName, type ResponseDraft } from '../../../wire/kafka/index.ts';
import type { Handler, RequestContext } from '../handler.ts';
import { inTurns } from '../../connections/index.ts';
import { leaderEpoch } from '../partition-view.ts';

type Response = ResponseDraft<'DescribeQuorum'>;
type PartitionDraft = Response['topics'][number]['partitions'][number];

/** The log of Kafka's controllers, by whose name clients ask for the quorum. */
const metadataTopic = '__cluster_metadata';

/**
 * A quorum of one: this broker is its leader, its only voter, and always up to date. The broker's journal
 * stands for the log of Kafka's controllers.
 */
export const describeQuorum: Handler<'DescribeQuorum'> = async (request, context) => {
  let isAsked = false;
  const topics = await inTurns(request.topics, context.session, ({ topicName, partitions }) => ({
    topicName,
    partitions: partitions.map(({ partitionIndex }): PartitionDraft => {
      const isQuorum = topicName === metadataTopic && partitionIndex === 0;
      isAsked ||= isQuorum;
      return isQuorum ? quorum(context) : unknown(partitionIndex);
    }),
  }));
  const { nodeId } = context.host;
  const { host, port } = context.session.endpoint;
  // A uint16, written as an int16.
  const listeners = [{ name: 'CONTROLLER', host, port: (port << 16) >> 16 }];
  return { errorCode: ErrorCode.NONE, topics, nodes: isAsked ? [{ nodeId, listeners }] : [] };
};

function quorum({ host }: RequestContext): PartitionDraft {
  const { nodeId, broker, clock } = host;
  const { commits } = broker.stats().log;
  const nowMs = clock.now();
  return {
    partitionIndex: 0,
    errorCode: ErrorCode.NONE,
    leaderId: nodeId,
    leaderEpoch,
    highWatermark: commits,
    currentVoters: [
      { replicaId: nodeId, logEndOffset: commits, lastFetchTimestamp: nowMs, lastCaughtUpTimestamp: nowMs },
    ],
    observers: [],
  };
}

function unknown(partitionIndex: number): PartitionDraft {
  const errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  return {
    partitionIndex,
    errorCode,
    errorMessage: errorName(errorCode),
    leaderId: 0,
    leaderEpoch: 0,
    highWatermark: 0,
    currentVoters: [],
    observers: [],
  };
}
