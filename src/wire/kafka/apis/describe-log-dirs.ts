import { defineApi, type Api } from '../api.ts';

const request = {
  topics: {
    type: '[]struct',
    nullable: true,
    fields: {
      topic: { type: 'string' },
      partitions: { type: '[]int32' },
    },
  },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  errorCode: { type: 'int16', versions: '3+' },
  results: {
    type: '[]struct',
    fields: {
      errorCode: { type: 'int16' },
      logDir: { type: 'string' },
      topics: {
        type: '[]struct',
        fields: {
          name: { type: 'string' },
          partitions: {
            type: '[]struct',
            fields: {
              partitionIndex: { type: 'int32' },
              partitionSize: { type: 'int64' },
              offsetLag: { type: 'int64' },
              isFutureKey: { type: 'bool' },
            },
          },
        },
      },
      totalBytes: { type: 'int64', versions: '4+', default: -1 },
      usableBytes: { type: 'int64', versions: '4+', default: -1 },
      isCordoned: { type: 'bool', versions: '5+' },
    },
  },
} as const;

/**
 * The log directories and the bytes of each partition in them.
 *
 * From 4 on the response has the space on the volume, and from 5 on whether the directory is cordoned.
 *
 * ```
 * request => [topics]?
 *   topics => topic [partitions]
 * response => throttleTimeMs errorCode{3+} [results]
 *   results => errorCode logDir [topics] totalBytes{4+} usableBytes{4+} isCordoned{5+}
 *     topics => name [partitions]
 *       partitions => partitionIndex partitionSize offsetLag isFutureKey
 * ```
 */
export const describeLogDirsApi: Api<typeof request, typeof response> = defineApi({
  key: 35,
  name: 'DescribeLogDirs',
  versions: '1-5',
  flexible: '2+',
  request,
  response,
});
