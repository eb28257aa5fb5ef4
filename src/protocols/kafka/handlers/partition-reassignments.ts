import { ErrorCode, type AlterPartitionReassignmentsRequest } from '../../../wire/kafka/index.ts';
import { KafkaError, errorCodeOf, errorMessageOf } from '../errors.ts';
import type { Handler } from '../handler.ts';
import { inTurns } from '../../connections/index.ts';
import type { KafkaHost } from '../kafka-host.ts';

type WantedPartition = AlterPartitionReassignmentsRequest['topics'][number]['partitions'][number];

/** There is one broker: a partition can be assigned only to that broker, which has it already. */
export const alterPartitionReassignments: Handler<'AlterPartitionReassignments'> = async (
  { topics, allowReplicationFactorChange },
  { host, session },
) => {
  const responses = await inTurns(topics, session, async ({ name, partitions }) => ({
    name,
    partitions: await inTurns(partitions, session, (wanted) => {
      const { partitionIndex } = wanted;
      try {
        check(name, wanted, host);
        return { partitionIndex, errorCode: ErrorCode.NONE };
      } catch (error) {
        return { partitionIndex, errorCode: errorCodeOf(error), errorMessage: errorMessageOf(error) };
      }
    }),
  }));
  return { errorCode: ErrorCode.NONE, errorMessage: null, allowReplicationFactorChange, responses };
};

/** Throws a KafkaError. */
function check(name: string, { partitionIndex, replicas }: WantedPartition, host: KafkaHost): void {
  const partitions = host.offsetsTopic.is(name) ? host.offsetsTopic : host.topicNames.topic(name)?.partitions;
  if (!partitions?.has(partitionIndex)) {
    const what = partitions
      ? `Unable to find partition ${name}:${partitionIndex}.`
      : `Unable to find a topic named ${name}.`;
    throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, what);
  }
  if (replicas === null)
    throw new KafkaError(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, 'No partition reassignment is in progress.');
  checkReplicas(replicas, host);
}

/** Throws a KafkaError INVALID_REPLICA_ASSIGNMENT, unless the replicas of a partition are this broker. */
function checkReplicas(replicas: readonly number[], { nodeId }: KafkaHost): void {
  const other = replicas.find((replica) => replica !== nodeId);
  const problem =
    other !== undefined
      ? `broker ${other}, but no such broker is registered`
      : replicas.length === 0
        ? 'an empty replica list'
        : replicas.length > 1
          ? `the broker ${nodeId} more than once`
          : undefined;
  if (problem === undefined) return;
  const message = `The manual partition assignment includes ${problem}.`;
  throw new KafkaError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message);
}

/** A reassignment is complete when it is accepted, so there is never one in progress. */
export const listPartitionReassignments: Handler<'ListPartitionReassignments'> = () => ({
  errorCode: ErrorCode.NONE,
  errorMessage: null,
  topics: [],
});
