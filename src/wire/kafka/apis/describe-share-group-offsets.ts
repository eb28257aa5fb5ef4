import { defineApi, type Api } from '../api.ts';

const request = {
  groups: {
    type: '[]struct',
    fields: {
      groupId: { type: 'string' },
      topics: {
        type: '[]struct',
        nullable: true,
        fields: {
          topicName: { type: 'string' },
          partitions: { type: '[]int32' },
        },
      },
    },
  },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  groups: {
    type: '[]struct',
    fields: {
      groupId: { type: 'string' },
      topics: {
        type: '[]struct',
        fields: {
          topicName: { type: 'string' },
          topicId: { type: 'uuid' },
          partitions: {
            type: '[]struct',
            fields: {
              partitionIndex: { type: 'int32' },
              startOffset: { type: 'int64' },
              leaderEpoch: { type: 'int32' },
              lag: { type: 'int64', versions: '1+', default: -1 },
              errorCode: { type: 'int16' },
              errorMessage: { type: 'string', nullable: true, default: null },
            },
          },
        },
      },
      errorCode: { type: 'int16' },
      errorMessage: { type: 'string', nullable: true, default: null },
    },
  },
} as const;

/**
 * Start offsets and lag of share groups.
 *
 * A null list of topics means all. From 1 on the response has the lag.
 *
 * ```
 * request => [groups]
 *   groups => groupId [topics]?
 *     topics => topicName [partitions]
 * response => throttleTimeMs [groups]
 *   groups => groupId [topics] errorCode errorMessage?
 *     topics => topicName topicId [partitions]
 *       partitions => partitionIndex startOffset leaderEpoch lag{1+} errorCode errorMessage?
 * ```
 */
export const describeShareGroupOffsetsApi: Api<typeof request, typeof response> = defineApi({
  key: 90,
  name: 'DescribeShareGroupOffsets',
  versions: '0-1',
  flexible: '0+',
  request,
  response,
});
