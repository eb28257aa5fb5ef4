import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  groupId: { type: 'string' },
  generationIdOrMemberEpoch: { type: 'int32', default: -1 },
  memberId: { type: 'string' },
  groupInstanceId: { type: 'string', versions: '7+', nullable: true, default: null },
  retentionTimeMs: { type: 'int64', versions: '2-4', default: -1 },
  topics: {
    type: '[]struct',
    fields: {
      name: { type: 'string', versions: '2-9' },
      topicId: { type: 'uuid', versions: '10+' },
      partitions: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          committedOffset: { type: 'int64' },
          committedLeaderEpoch: { type: 'int32', versions: '6+', default: -1 },
          committedMetadata: { type: 'string', nullable: true },
        },
      },
    },
  },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', versions: '3+' },
  topics: {
    type: '[]struct',
    fields: {
      name: { type: 'string', versions: '2-9' },
      topicId: { type: 'uuid', versions: '10+' },
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

export type OffsetCommitRequest = Message<typeof request>;

/**
 * Stores the positions of a group.
 *
 * Only versions 2 to 4 have a retention time. A commit without a member (generation -1) comes from a consumer
 * that assigns partitions to itself. From 9 on the generation may be the member epoch of KIP-848. Version 10
 * names topics by id.
 *
 * ```
 * request => groupId generationIdOrMemberEpoch memberId groupInstanceId?{7+} retentionTimeMs{2-4}
 *            [topics]
 *   topics => name{2-9} topicId{10+} [partitions]
 *     partitions => partitionIndex committedOffset committedLeaderEpoch{6+} committedMetadata?
 * response => throttleTimeMs{3+} [topics]
 *   topics => name{2-9} topicId{10+} [partitions]
 *     partitions => partitionIndex errorCode
 * ```
 */
export const offsetCommitApi: Api<typeof request, typeof response> = defineApi({
  key: 8,
  name: 'OffsetCommit',
  versions: '2-10',
  advertised: '2-9',
  flexible: '8+',
  request,
  response,
});
