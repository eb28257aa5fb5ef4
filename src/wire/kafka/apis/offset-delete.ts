import { defineApi, type Api } from '../api.ts';

const request = {
  groupId: { type: 'string' },
  topics: {
    type: '[]struct',
    fields: {
      name: { type: 'string' },
      partitions: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
        },
      },
    },
  },
} as const;

const response = {
  errorCode: { type: 'int16' },
  throttleTimeMs: { type: 'int32', default: 0 },
  topics: {
    type: '[]struct',
    fields: {
      name: { type: 'string' },
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

/**
 * Deletes positions of a group for topics that no member subscribes to.
 *
 * ```
 * request => groupId [topics]
 *   topics => name [partitions]
 *     partitions => partitionIndex
 * response => errorCode throttleTimeMs [topics]
 *   topics => name [partitions]
 *     partitions => partitionIndex errorCode
 * ```
 */
export const offsetDeleteApi: Api<typeof request, typeof response> = defineApi({
  key: 47,
  name: 'OffsetDelete',
  versions: '0',
  request,
  response,
});
