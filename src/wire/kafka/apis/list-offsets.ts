import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  replicaId: { type: 'int32' },
  isolationLevel: { type: 'int8', versions: '2+' },
  topics: {
    type: '[]struct',
    fields: {
      name: { type: 'string' },
      partitions: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          currentLeaderEpoch: { type: 'int32', versions: '4+', default: -1 },
          timestamp: { type: 'int64' },
        },
      },
    },
  },
  timeoutMs: { type: 'int32', versions: '10+' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', versions: '2+' },
  topics: {
    type: '[]struct',
    fields: {
      name: { type: 'string' },
      partitions: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          errorCode: { type: 'int16' },
          timestamp: { type: 'int64', default: -1 },
          offset: { type: 'int64', default: -1 },
          leaderEpoch: { type: 'int32', versions: '4+', default: -1 },
        },
      },
    },
  },
} as const;

export type ListOffsetsRequest = Message<typeof request>;

/**
 * Finds the offset of a partition at a point in time, or at one of its ends.
 *
 * Negative timestamps have a meaning: -1 latest, -2 earliest, -3 the record with the largest timestamp (from
 * 7 on), -4 earliest local (8), -5 last tiered (9), -6 earliest not yet uploaded (11).
 *
 * ```
 * request => replicaId isolationLevel{2+} [topics] timeoutMs{10+}
 *   topics => name [partitions]
 *     partitions => partitionIndex currentLeaderEpoch{4+} timestamp
 * response => throttleTimeMs{2+} [topics]
 *   topics => name [partitions]
 *     partitions => partitionIndex errorCode timestamp offset leaderEpoch{4+}
 * ```
 */
export const listOffsetsApi: Api<typeof request, typeof response> = defineApi({
  key: 2,
  name: 'ListOffsets',
  versions: '1-11',
  advertised: '1-9',
  flexible: '6+',
  request,
  response,
});
