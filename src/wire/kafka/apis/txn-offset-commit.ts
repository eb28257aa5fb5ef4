import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  transactionalId: { type: 'string' },
  groupId: { type: 'string' },
  producerId: { type: 'int64' },
  producerEpoch: { type: 'int16' },
  generationIdOrMemberEpoch: { type: 'int32', versions: '3+', default: -1 },
  memberId: { type: 'string', versions: '3+' },
  groupInstanceId: { type: 'string', versions: '3+', nullable: true, default: null },
  topics: {
    type: '[]struct',
    fields: {
      name: { type: 'string', versions: '0-5' },
      topicId: { type: 'uuid', versions: '6+' },
      partitions: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          committedOffset: { type: 'int64' },
          committedLeaderEpoch: { type: 'int32', versions: '2+', default: -1 },
          committedMetadata: { type: 'string', nullable: true },
        },
      },
    },
  },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  topics: {
    type: '[]struct',
    fields: {
      name: { type: 'string', versions: '0-5' },
      topicId: { type: 'uuid', versions: '6+' },
      partitions: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          errorCode: { type: 'int16' },
        },
      },
    },
  },
} as const;

export type TxnOffsetCommitRequest = Message<typeof request>;

/**
 * Stores positions of a group as part of a transaction.
 *
 * Version 5 adds the group to the transaction implicitly (KIP-890); version 6 names topics by id.
 *
 * ```
 * request => transactionalId groupId producerId producerEpoch generationIdOrMemberEpoch{3+}
 *            memberId{3+} groupInstanceId?{3+} [topics]
 *   topics => name{0-5} topicId{6+} [partitions]
 *     partitions => partitionIndex committedOffset committedLeaderEpoch{2+} committedMetadata?
 * response => throttleTimeMs [topics]
 *   topics => name{0-5} topicId{6+} [partitions]
 *     partitions => partitionIndex errorCode
 * ```
 */
export const txnOffsetCommitApi: Api<typeof request, typeof response> = defineApi({
  key: 28,
  name: 'TxnOffsetCommit',
  versions: '0-6',
  advertised: '0-5',
  flexible: '3+',
  request,
  response,
});
