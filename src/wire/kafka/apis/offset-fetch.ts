import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  groupId: { type: 'string', versions: '1-7' },
  topics: {
    type: '[]struct',
    versions: '1-7',
    nullable: '2-7',
    fields: {
      name: { type: 'string' },
      partitionIndexes: { type: '[]int32' },
    },
  },
  groups: {
    type: '[]struct',
    versions: '8+',
    fields: {
      groupId: { type: 'string' },
      memberId: { type: 'string', versions: '9+', nullable: true, default: null },
      memberEpoch: { type: 'int32', versions: '9+', default: -1 },
      topics: {
        type: '[]struct',
        nullable: true,
        fields: {
          name: { type: 'string', versions: '8-9' },
          topicId: { type: 'uuid', versions: '10+' },
          partitionIndexes: { type: '[]int32' },
        },
      },
    },
  },
  requireStable: { type: 'bool', versions: '7+' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', versions: '3+' },
  topics: {
    type: '[]struct',
    versions: '1-7',
    fields: {
      name: { type: 'string' },
      partitions: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          committedOffset: { type: 'int64' },
          committedLeaderEpoch: { type: 'int32', versions: '5-7', default: -1 },
          metadata: { type: 'string', nullable: true },
          errorCode: { type: 'int16' },
        },
      },
    },
  },
  errorCode: { type: 'int16', versions: '2-7' },
  groups: {
    type: '[]struct',
    versions: '8+',
    fields: {
      groupId: { type: 'string' },
      topics: {
        type: '[]struct',
        fields: {
          name: { type: 'string', versions: '8-9' },
          topicId: { type: 'uuid', versions: '10+' },
          partitions: {
            type: '[]struct',
            fields: {
              partitionIndex: { type: 'int32' },
              committedOffset: { type: 'int64' },
              committedLeaderEpoch: { type: 'int32', default: -1 },
              metadata: { type: 'string', nullable: true },
              errorCode: { type: 'int16' },
            },
          },
        },
      },
      errorCode: { type: 'int16' },
    },
  },
} as const;

export type OffsetFetchRequest = Message<typeof request>;

/**
 * The stored positions of groups.
 *
 * From 2 on a null list of topics means all. From 8 on a request can name several groups, in fields of their
 * own. Version 10 names topics by id.
 *
 * ```
 * request => groupId{1-7} [topics]?{1-7} [groups]{8+} requireStable{7+}
 *   topics => name [partitionIndexes]
 *   groups => groupId memberId?{9+} memberEpoch{9+} [topics]?
 *     topics => name{8-9} topicId{10+} [partitionIndexes]
 * response => throttleTimeMs{3+} [topics]{1-7} errorCode{2-7} [groups]{8+}
 *   topics => name [partitions]
 *     partitions => partitionIndex committedOffset committedLeaderEpoch{5-7} metadata? errorCode
 *   groups => groupId [topics] errorCode
 *     topics => name{8-9} topicId{10+} [partitions]
 *       partitions => partitionIndex committedOffset committedLeaderEpoch metadata? errorCode
 * ```
 */
export const offsetFetchApi: Api<typeof request, typeof response> = defineApi({
  key: 9,
  name: 'OffsetFetch',
  versions: '1-10',
  advertised: '1-9',
  flexible: '6+',
  request,
  response,
});
