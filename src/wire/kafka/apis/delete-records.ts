import { defineApi, type Api } from '../api.ts';

const request = {
  topics: {
    type: '[]struct',
    fields: {
      name: { type: 'string' },
      partitions: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          offset: { type: 'int64' },
        },
      },
    },
  },
  timeoutMs: { type: 'int32' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  topics: {
    type: '[]struct',
    fields: {
      name: { type: 'string' },
      partitions: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          lowWatermark: { type: 'int64' },
          errorCode: { type: 'int16' },
        },
      },
    },
  },
} as const;

/**
 * Deletes the records before an offset.
 *
 * An offset of -1 is the high watermark.
 *
 * ```
 * request => [topics] timeoutMs
 *   topics => name [partitions]
 *     partitions => partitionIndex offset
 * response => throttleTimeMs [topics]
 *   topics => name [partitions]
 *     partitions => partitionIndex lowWatermark errorCode
 * ```
 */
export const deleteRecordsApi: Api<typeof request, typeof response> = defineApi({
  key: 21,
  name: 'DeleteRecords',
  versions: '0-2',
  flexible: '2+',
  request,
  response,
});
