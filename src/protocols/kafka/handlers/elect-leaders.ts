import { ErrorCode, type ResponseDraft } from '../../../wire/kafka/index.ts';
import type { Handler } from '../handler.ts';
import { inTurns } from '../../connections/index.ts';
import { distinctPartitions } from '../distinct-partitions.ts';

type PartitionResult =
  ResponseDraft<'ElectLeaders'>['replicaElectionResults'][number]['partitionResult'][number];

/** 0 preferred, 1 unclean. */
const electionTypeMax = 1;

/**
 * There is one broker, which leads every partition, so no election is needed. A request for all partitions
 * gets, as in Kafka, for each topic the partitions that needed an election: none.
 */
export const electLeaders: Handler<'ElectLeaders'> = async (request, { host, session, version }) => {
  const { electionType, topicPartitions } = request;
  const isKnown = version === 0 || (electionType >= 0 && electionType <= electionTypeMax);
  if (topicPartitions === null && isKnown)
    return {
      errorCode: ErrorCode.NONE,
      replicaElectionResults: Array.from(host.broker.topics.values(), (topic) => ({
        topic: host.topicNames.nameOf(topic),
        partitionResult: [],
      })),
    };
  const wanted = distinctPartitions(
    topicPartitions ?? [],
    ({ topic }) => topic,
    ({ partitions }) => partitions,
  );
  const results = await inTurns(wanted, session, ([name, partitions]) => {
    const topic = host.topicNames.topic(name);
    const isInternal = host.offsetsTopic.is(name);
    const result = (partitionId: number): PartitionResult => {
      if (!isKnown)
        return {
          partitionId,
          errorCode: ErrorCode.INVALID_REQUEST,
          errorMessage: `Unknown election type ${electionType}`,
        };
      if (topic?.partitions.has(partitionId) || (isInternal && host.offsetsTopic.has(partitionId)))
        return {
          partitionId,
          errorCode: ErrorCode.ELECTION_NOT_NEEDED,
          errorMessage: 'Leader election not needed for topic partition.',
        };
      const errorMessage =
        topic || isInternal ? `No such partition as ${name}-${partitionId}` : `No such topic as ${name}`;
      return { partitionId, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage };
    };
    return { topic: name, partitionResult: Array.from(partitions, result) };
  });
  return {
    errorCode: isKnown ? ErrorCode.NONE : ErrorCode.INVALID_REQUEST,
    replicaElectionResults: results,
  };
};
