import { defineApi, type Api } from '../api.ts';

const request = {
  replicaId: { type: 'int32', versions: '3+', default: -2 },
  topics: {
    type: '[]struct',
    fields: {
      topic: { type: 'string' },
      partitions: {
        type: '[]struct',
        fields: {
          partition: { type: 'int32' },
          currentLeaderEpoch: { type: 'int32', default: -1 },
          leaderEpoch: { type: 'int32' },
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
      topic: { type: 'string' },
      partitions: {
        type: '[]struct',
        fields: {
          errorCode: { type: 'int16' },
          partition: { type: 'int32' },
          leaderEpoch: { type: 'int32', default: -1 },
          endOffset: { type: 'int64', default: -1 },
        },
      },
    },
  },
} as const;

/**
 * Finds where the log of an epoch ends. A consumer notices by it that records it has read are gone.
 *
 * ```
 * request => replicaId{3+} [topics]
 *   topics => topic [partitions]
 *     partitions => partition currentLeaderEpoch leaderEpoch
 * response => throttleTimeMs [topics]
 *   topics => topic [partitions]
 *     partitions => errorCode partition leaderEpoch endOffset
 * ```
 */
export const offsetForLeaderEpochApi: Api<typeof request, typeof response> = defineApi({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: '2-4',
  flexible: '4+',
  request,
  response,
});
