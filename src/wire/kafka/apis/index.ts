import type { AnyApi } from '../api.ts';
import type { Codec } from '../codec.ts';
import type { Draft, Message } from '../schema.ts';
import { addOffsetsToTxnApi } from './add-offsets-to-txn.ts';
import { addPartitionsToTxnApi } from './add-partitions-to-txn.ts';
import { alterClientQuotasApi } from './alter-client-quotas.ts';
import { alterConfigsApi } from './alter-configs.ts';
import { alterPartitionReassignmentsApi } from './alter-partition-reassignments.ts';
import { alterShareGroupOffsetsApi } from './alter-share-group-offsets.ts';
import { alterUserScramCredentialsApi } from './alter-user-scram-credentials.ts';
import { apiVersionsApi } from './api-versions.ts';
import { consumerGroupDescribeApi } from './consumer-group-describe.ts';
import { consumerGroupHeartbeatApi } from './consumer-group-heartbeat.ts';
import { createAclsApi } from './create-acls.ts';
import { createPartitionsApi } from './create-partitions.ts';
import { createTopicsApi } from './create-topics.ts';
import { deleteAclsApi } from './delete-acls.ts';
import { deleteGroupsApi } from './delete-groups.ts';
import { deleteRecordsApi } from './delete-records.ts';
import { deleteShareGroupOffsetsApi } from './delete-share-group-offsets.ts';
import { deleteTopicsApi } from './delete-topics.ts';
import { describeAclsApi } from './describe-acls.ts';
import { describeClientQuotasApi } from './describe-client-quotas.ts';
import { describeClusterApi } from './describe-cluster.ts';
import { describeConfigsApi } from './describe-configs.ts';
import { describeGroupsApi } from './describe-groups.ts';
import { describeLogDirsApi } from './describe-log-dirs.ts';
import { describeProducersApi } from './describe-producers.ts';
import { describeQuorumApi } from './describe-quorum.ts';
import { describeShareGroupOffsetsApi } from './describe-share-group-offsets.ts';
import { describeTopicPartitionsApi } from './describe-topic-partitions.ts';
import { describeTransactionsApi } from './describe-transactions.ts';
import { describeUserScramCredentialsApi } from './describe-user-scram-credentials.ts';
import { electLeadersApi } from './elect-leaders.ts';
import { endTxnApi } from './end-txn.ts';
import { fetchApi } from './fetch.ts';
import { findCoordinatorApi } from './find-coordinator.ts';
import { heartbeatApi } from './heartbeat.ts';
import { incrementalAlterConfigsApi } from './incremental-alter-configs.ts';
import { initProducerIdApi } from './init-producer-id.ts';
import { joinGroupApi } from './join-group.ts';
import { leaveGroupApi } from './leave-group.ts';
import { listConfigResourcesApi } from './list-config-resources.ts';
import { listGroupsApi } from './list-groups.ts';
import { listOffsetsApi } from './list-offsets.ts';
import { listPartitionReassignmentsApi } from './list-partition-reassignments.ts';
import { listTransactionsApi } from './list-transactions.ts';
import { metadataApi } from './metadata.ts';
import { offsetCommitApi } from './offset-commit.ts';
import { offsetDeleteApi } from './offset-delete.ts';
import { offsetFetchApi } from './offset-fetch.ts';
import { offsetForLeaderEpochApi } from './offset-for-leader-epoch.ts';
import { produceApi } from './produce.ts';
import { saslAuthenticateApi } from './sasl-authenticate.ts';
import { saslHandshakeApi } from './sasl-handshake.ts';
import { shareAcknowledgeApi } from './share-acknowledge.ts';
import { shareFetchApi } from './share-fetch.ts';
import { shareGroupDescribeApi } from './share-group-describe.ts';
import { shareGroupHeartbeatApi } from './share-group-heartbeat.ts';
import { syncGroupApi } from './sync-group.ts';
import { txnOffsetCommitApi } from './txn-offset-commit.ts';

export * from './add-offsets-to-txn.ts';
export * from './add-partitions-to-txn.ts';
export * from './alter-client-quotas.ts';
export * from './alter-configs.ts';
export * from './alter-partition-reassignments.ts';
export * from './alter-share-group-offsets.ts';
export * from './alter-user-scram-credentials.ts';
export * from './api-versions.ts';
export * from './consumer-group-describe.ts';
export * from './consumer-group-heartbeat.ts';
export * from './create-acls.ts';
export * from './create-partitions.ts';
export * from './create-topics.ts';
export * from './delete-acls.ts';
export * from './delete-groups.ts';
export * from './delete-records.ts';
export * from './delete-share-group-offsets.ts';
export * from './delete-topics.ts';
export * from './describe-acls.ts';
export * from './describe-client-quotas.ts';
export * from './describe-cluster.ts';
export * from './describe-configs.ts';
export * from './describe-groups.ts';
export * from './describe-log-dirs.ts';
export * from './describe-producers.ts';
export * from './describe-quorum.ts';
export * from './describe-share-group-offsets.ts';
export * from './describe-topic-partitions.ts';
export * from './describe-transactions.ts';
export * from './describe-user-scram-credentials.ts';
export * from './elect-leaders.ts';
export * from './end-txn.ts';
export * from './fetch.ts';
export * from './find-coordinator.ts';
export * from './heartbeat.ts';
export * from './incremental-alter-configs.ts';
export * from './init-producer-id.ts';
export * from './join-group.ts';
export * from './leave-group.ts';
export * from './list-config-resources.ts';
export * from './list-groups.ts';
export * from './list-offsets.ts';
export * from './list-partition-reassignments.ts';
export * from './list-transactions.ts';
export * from './metadata.ts';
export * from './offset-commit.ts';
export * from './offset-delete.ts';
export * from './offset-fetch.ts';
export * from './offset-for-leader-epoch.ts';
export * from './produce.ts';
export * from './sasl-authenticate.ts';
export * from './sasl-handshake.ts';
export * from './share-acknowledge.ts';
export * from './share-fetch.ts';
export * from './share-group-describe.ts';
export * from './share-group-heartbeat.ts';
export * from './sync-group.ts';
export * from './txn-offset-commit.ts';

/** The APIs by name, in the order of their keys. */
export interface Apis {
  readonly Produce: typeof produceApi;
  readonly Fetch: typeof fetchApi;
  readonly ListOffsets: typeof listOffsetsApi;
  readonly Metadata: typeof metadataApi;
  readonly OffsetCommit: typeof offsetCommitApi;
  readonly OffsetFetch: typeof offsetFetchApi;
  readonly FindCoordinator: typeof findCoordinatorApi;
  readonly JoinGroup: typeof joinGroupApi;
  readonly Heartbeat: typeof heartbeatApi;
  readonly LeaveGroup: typeof leaveGroupApi;
  readonly SyncGroup: typeof syncGroupApi;
  readonly DescribeGroups: typeof describeGroupsApi;
  readonly ListGroups: typeof listGroupsApi;
  readonly SaslHandshake: typeof saslHandshakeApi;
  readonly ApiVersions: typeof apiVersionsApi;
  readonly CreateTopics: typeof createTopicsApi;
  readonly DeleteTopics: typeof deleteTopicsApi;
  readonly DeleteRecords: typeof deleteRecordsApi;
  readonly InitProducerId: typeof initProducerIdApi;
  readonly OffsetForLeaderEpoch: typeof offsetForLeaderEpochApi;
  readonly AddPartitionsToTxn: typeof addPartitionsToTxnApi;
  readonly AddOffsetsToTxn: typeof addOffsetsToTxnApi;
  readonly EndTxn: typeof endTxnApi;
  readonly TxnOffsetCommit: typeof txnOffsetCommitApi;
  readonly DescribeAcls: typeof describeAclsApi;
  readonly CreateAcls: typeof createAclsApi;
  readonly DeleteAcls: typeof deleteAclsApi;
  readonly DescribeConfigs: typeof describeConfigsApi;
  readonly AlterConfigs: typeof alterConfigsApi;
  readonly DescribeLogDirs: typeof describeLogDirsApi;
  readonly SaslAuthenticate: typeof saslAuthenticateApi;
  readonly CreatePartitions: typeof createPartitionsApi;
  readonly DeleteGroups: typeof deleteGroupsApi;
  readonly ElectLeaders: typeof electLeadersApi;
  readonly IncrementalAlterConfigs: typeof incrementalAlterConfigsApi;
  readonly AlterPartitionReassignments: typeof alterPartitionReassignmentsApi;
  readonly ListPartitionReassignments: typeof listPartitionReassignmentsApi;
  readonly OffsetDelete: typeof offsetDeleteApi;
  readonly DescribeClientQuotas: typeof describeClientQuotasApi;
  readonly AlterClientQuotas: typeof alterClientQuotasApi;
  readonly DescribeUserScramCredentials: typeof describeUserScramCredentialsApi;
  readonly AlterUserScramCredentials: typeof alterUserScramCredentialsApi;
  readonly DescribeQuorum: typeof describeQuorumApi;
  readonly DescribeCluster: typeof describeClusterApi;
  readonly DescribeProducers: typeof describeProducersApi;
  readonly DescribeTransactions: typeof describeTransactionsApi;
  readonly ListTransactions: typeof listTransactionsApi;
  readonly ConsumerGroupHeartbeat: typeof consumerGroupHeartbeatApi;
  readonly ConsumerGroupDescribe: typeof consumerGroupDescribeApi;
  readonly ListConfigResources: typeof listConfigResourcesApi;
  readonly DescribeTopicPartitions: typeof describeTopicPartitionsApi;
  readonly ShareGroupHeartbeat: typeof shareGroupHeartbeatApi;
  readonly ShareGroupDescribe: typeof shareGroupDescribeApi;
  readonly ShareFetch: typeof shareFetchApi;
  readonly ShareAcknowledge: typeof shareAcknowledgeApi;
  readonly DescribeShareGroupOffsets: typeof describeShareGroupOffsetsApi;
  readonly AlterShareGroupOffsets: typeof alterShareGroupOffsetsApi;
  readonly DeleteShareGroupOffsets: typeof deleteShareGroupOffsetsApi;
}

export const apis: Apis = {
  Produce: produceApi,
  Fetch: fetchApi,
  ListOffsets: listOffsetsApi,
  Metadata: metadataApi,
  OffsetCommit: offsetCommitApi,
  OffsetFetch: offsetFetchApi,
  FindCoordinator: findCoordinatorApi,
  JoinGroup: joinGroupApi,
  Heartbeat: heartbeatApi,
  LeaveGroup: leaveGroupApi,
  SyncGroup: syncGroupApi,
  DescribeGroups: describeGroupsApi,
  ListGroups: listGroupsApi,
  SaslHandshake: saslHandshakeApi,
  ApiVersions: apiVersionsApi,
  CreateTopics: createTopicsApi,
  DeleteTopics: deleteTopicsApi,
  DeleteRecords: deleteRecordsApi,
  InitProducerId: initProducerIdApi,
  OffsetForLeaderEpoch: offsetForLeaderEpochApi,
  AddPartitionsToTxn: addPartitionsToTxnApi,
  AddOffsetsToTxn: addOffsetsToTxnApi,
  EndTxn: endTxnApi,
  TxnOffsetCommit: txnOffsetCommitApi,
  DescribeAcls: describeAclsApi,
  CreateAcls: createAclsApi,
  DeleteAcls: deleteAclsApi,
  DescribeConfigs: describeConfigsApi,
  AlterConfigs: alterConfigsApi,
  DescribeLogDirs: describeLogDirsApi,
  SaslAuthenticate: saslAuthenticateApi,
  CreatePartitions: createPartitionsApi,
  DeleteGroups: deleteGroupsApi,
  ElectLeaders: electLeadersApi,
  IncrementalAlterConfigs: incrementalAlterConfigsApi,
  AlterPartitionReassignments: alterPartitionReassignmentsApi,
  ListPartitionReassignments: listPartitionReassignmentsApi,
  OffsetDelete: offsetDeleteApi,
  DescribeClientQuotas: describeClientQuotasApi,
  AlterClientQuotas: alterClientQuotasApi,
  DescribeUserScramCredentials: describeUserScramCredentialsApi,
  AlterUserScramCredentials: alterUserScramCredentialsApi,
  DescribeQuorum: describeQuorumApi,
  DescribeCluster: describeClusterApi,
  DescribeProducers: describeProducersApi,
  DescribeTransactions: describeTransactionsApi,
  ListTransactions: listTransactionsApi,
  ConsumerGroupHeartbeat: consumerGroupHeartbeatApi,
  ConsumerGroupDescribe: consumerGroupDescribeApi,
  ListConfigResources: listConfigResourcesApi,
  DescribeTopicPartitions: describeTopicPartitionsApi,
  ShareGroupHeartbeat: shareGroupHeartbeatApi,
  ShareGroupDescribe: shareGroupDescribeApi,
  ShareFetch: shareFetchApi,
  ShareAcknowledge: shareAcknowledgeApi,
  DescribeShareGroupOffsets: describeShareGroupOffsetsApi,
  AlterShareGroupOffsets: alterShareGroupOffsetsApi,
  DeleteShareGroupOffsets: deleteShareGroupOffsetsApi,
};

export type ApiName = keyof Apis;

/** A decoded request. */
export type RequestOf<N extends ApiName> = Apis[N]['request'] extends Codec<infer Q> ? Message<Q> : never;

/** A decoded response. */
export type ResponseOf<N extends ApiName> = Apis[N]['response'] extends Codec<infer S> ? Message<S> : never;

/** A request to write. */
export type RequestDraft<N extends ApiName> = Apis[N]['request'] extends Codec<infer Q> ? Draft<Q> : never;

/** A response to write. */
export type ResponseDraft<N extends ApiName> = Apis[N]['response'] extends Codec<infer S> ? Draft<S> : never;

/** Any one of {@link apis}. */
export interface SomeApi extends AnyApi {
  readonly name: ApiName;
}

const byKey: (SomeApi | undefined)[] = [];
for (const name of Object.keys(apis) as ApiName[])
  byKey[apis[name].key] = { ...(apis[name] as AnyApi), name };

export function apiByKey(key: number): SomeApi | undefined {
  return byKey[key];
}
