import {
  ErrorCode,
  errorName,
  type ApiName,
  type RequestOf,
  type ResponseDraft,
} from '../../../wire/kafka/index.ts';
import { Operation } from './acl.ts';
import type { Rights } from './rights.ts';

/**
 * A guard decides whether a request as a whole is allowed: it returns the answer that refuses the request, or
 * undefined. Rights on single topics, groups or resources of the request are checked by its handler.
 */
type Guard<N extends ApiName> = (
  request: RequestOf<N>,
  rights: Rights,
  version: number,
) => ResponseDraft<N> | undefined;

type AnyGuard = (request: object, rights: Rights, version: number) => ResponseDraft<ApiName> | undefined;

type Guards = { readonly [N in ApiName]?: Guard<N> };

/** A guard for an operation on the cluster. */
function cluster<N extends ApiName>(
  operation: number,
  refuse: (code: ErrorCode, request: RequestOf<N>, version: number) => ResponseDraft<N>,
): Guard<N> {
  return (request, rights, version) =>
    rights.mayCluster(operation)
      ? undefined
      : refuse(ErrorCode.CLUSTER_AUTHORIZATION_FAILED, request, version);
}

/** A guard for an operation on the group that the request names. */
function group<N extends ApiName>(
  operation: number,
  refuse: (code: ErrorCode, request: RequestOf<N>, version: number) => ResponseDraft<N>,
): Guard<N> {
  return (request, rights, version) =>
    rights.mayGroup(operation, (request as unknown as { readonly groupId: string | null }).groupId ?? '')
      ? undefined
      : refuse(ErrorCode.GROUP_AUTHORIZATION_FAILED, request, version);
}

/** A guard for writing by the transactional id that the request names. */
function transaction<N extends ApiName>(
  refuse: (code: ErrorCode, request: RequestOf<N>, version: number) => ResponseDraft<N>,
): Guard<N> {
  return (request, rights, version) =>
    rights.mayTransactionalId(
      Operation.write,
      (request as unknown as { readonly transactionalId: string }).transactionalId,
    )
      ? undefined
      : refuse(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, request, version);
}

/** A guard that uses the first refusal of several guards. */
function all<N extends ApiName>(...guards: readonly Guard<N>[]): Guard<N> {
  return (request, rights, version) => {
    for (const guard of guards) {
      const refusal = guard(request, rights, version);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  };
}

const code = (errorCode: ErrorCode): { readonly errorCode: ErrorCode } => ({ errorCode });
const withMessage = (
  errorCode: ErrorCode,
): { readonly errorCode: ErrorCode; readonly errorMessage: string } => ({
  errorCode,
  errorMessage: errorName(errorCode),
});

/** An answer with the code for every partition of the request. */
function everyOffset(
  errorCode: ErrorCode,
  {
    topics,
  }: {
    readonly topics: readonly {
      readonly name: string;
      readonly topicId: string;
      readonly partitions: readonly { readonly partitionIndex: number }[];
    }[];
  },
): ResponseDraft<'OffsetCommit'> & ResponseDraft<'TxnOffsetCommit'> {
  return {
    topics: topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  };
}

const ofShares = (errorCode: ErrorCode): ResponseDraft<'ShareFetch'> & ResponseDraft<'ShareAcknowledge'> => ({
  ...withMessage(errorCode),
  acquisitionLockTimeoutMs: 0,
  responses: [],
  nodeEndpoints: [],
});

const initProducerId: Guard<'InitProducerId'> = ({ transactionalId }, rights) => {
  const isAllowed =
    transactionalId === null
      ? rights.mayWriteIdempotently
      : rights.mayTransactionalId(Operation.write, transactionalId);
  if (isAllowed) return undefined;
  const errorCode =
    transactionalId === null
      ? ErrorCode.CLUSTER_AUTHORIZATION_FAILED
      : ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
  return { errorCode, producerId: -1, producerEpoch: -1 };
};

const produce: Guard<'Produce'> = ({ transactionalId, topicData }, rights) => {
  if (transactionalId === null || rights.mayTransactionalId(Operation.write, transactionalId))
    return undefined;
  const errorCode = ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
  return {
    responses: topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index }) => ({ index, errorCode, baseOffset: -1 })),
    })),
  };
};

/** From version 4 on the requests come from brokers, for many transactions at once (KIP-890). */
const addPartitionsToTxn: Guard<'AddPartitionsToTxn'> = (request, rights, version) => {
  if (version >= 4)
    return rights.mayCluster(Operation.clusterAction)
      ? undefined
      : { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, resultsByTransaction: [] };
  if (rights.mayTransactionalId(Operation.write, request.v3AndBelowTransactionalId)) return undefined;
  const partitionErrorCode = ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
  return {
    resultsByTopicV3AndBelow: request.v3AndBelowTopics.map(({ name, partitions }) => ({
      name,
      resultsByPartition: partitions.map((partitionIndex) => ({ partitionIndex, partitionErrorCode })),
    })),
  };
};

/**
 * The rights that each API needs for the request as a whole, as in "Authorization: operations and resources"
 * of Kafka's documentation.
 */
const guards: Guards = {
  Produce: produce,
  OffsetCommit: group(Operation.read, everyOffset),
  JoinGroup: group(Operation.read, (errorCode, { memberId }, version) => ({
    errorCode,
    memberId,
    generationId: -1,
    protocolType: null,
    protocolName: version >= 7 ? null : '',
    leader: '',
    members: [],
  })),
  SyncGroup: group(Operation.read, (errorCode) => ({
    errorCode,
    protocolType: null,
    protocolName: null,
    assignment: Buffer.alloc(0),
  })),
  Heartbeat: group(Operation.read, code),
  LeaveGroup: group(Operation.read, (errorCode) => ({ errorCode, members: [] })),
  OffsetDelete: group(Operation.delete, (errorCode) => ({ errorCode, topics: [] })),
  ConsumerGroupHeartbeat: group(Operation.read, (errorCode) => ({
    ...withMessage(errorCode),
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
    assignment: null,
  })),
  ShareGroupHeartbeat: group(Operation.read, (errorCode) => ({
    ...withMessage(errorCode),
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
    assignment: null,
  })),
  ShareFetch: group(Operation.read, ofShares),
  ShareAcknowledge: group(Operation.read, ofShares),
  AlterShareGroupOffsets: group(Operation.read, (errorCode) => ({
    ...withMessage(errorCode),
    responses: [],
  })),
  DeleteShareGroupOffsets: group(Operation.delete, (errorCode) => ({
    ...withMessage(errorCode),
    responses: [],
  })),
  InitProducerId: initProducerId,
  AddPartitionsToTxn: addPartitionsToTxn,
  AddOffsetsToTxn: all<'AddOffsetsToTxn'>(transaction(code), group(Operation.read, code)),
  EndTxn: transaction((errorCode) => ({ errorCode })),
  TxnOffsetCommit: all<'TxnOffsetCommit'>(transaction(everyOffset), group(Operation.read, everyOffset)),
  DescribeAcls: cluster(Operation.describe, (errorCode) => ({ ...withMessage(errorCode), resources: [] })),
  CreateAcls: cluster(Operation.alter, (errorCode, { creations }) => ({
    results: creations.map(() => withMessage(errorCode)),
  })),
  DeleteAcls: cluster(Operation.alter, (errorCode, { filters }) => ({
    filterResults: filters.map(() => ({ ...withMessage(errorCode), matchingAcls: [] })),
  })),
  DescribeLogDirs: cluster(Operation.describe, (errorCode) => ({ errorCode, results: [] })),
  ElectLeaders: cluster(Operation.alter, (errorCode, { topicPartitions }) => ({
    errorCode,
    replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => ({ partitionId, ...withMessage(errorCode) })),
    })),
  })),
  AlterPartitionReassignments: cluster(Operation.alter, (errorCode, { topics }) => ({
    ...withMessage(errorCode),
    responses: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, ...withMessage(errorCode) })),
    })),
  })),
  ListPartitionReassignments: cluster(Operation.describe, (errorCode) => ({
    ...withMessage(errorCode),
    topics: [],
  })),
  DescribeClientQuotas: cluster(Operation.describeConfigs, (errorCode) => ({
    ...withMessage(errorCode),
    entries: null,
  })),
  AlterClientQuotas: cluster(Operation.alterConfigs, (errorCode, { entries }) => ({
    entries: entries.map(({ entity }) => ({ ...withMessage(errorCode), entity })),
  })),
  DescribeUserScramCredentials: cluster(Operation.describe, (errorCode) => ({
    ...withMessage(errorCode),
    results: [],
  })),
  AlterUserScramCredentials: cluster(Operation.alter, (errorCode, { deletions, upsertions }) => ({
    results: Array.from(new Set([...deletions, ...upsertions].map(({ name }) => name)), (user) => ({
      user,
      ...withMessage(errorCode),
    })),
  })),
  DescribeQuorum: cluster(Operation.describe, (errorCode) => ({
    ...withMessage(errorCode),
    topics: [],
    nodes: [],
  })),
  ListConfigResources: cluster(Operation.describeConfigs, (errorCode) => ({
    errorCode,
    configResources: [],
  })),
};

/** The guard of an API; undefined if it has none. It must be called only with requests of that API. */
export function guardOf(name: ApiName): AnyGuard | undefined {
  return guards[name] as unknown as AnyGuard | undefined;
}
