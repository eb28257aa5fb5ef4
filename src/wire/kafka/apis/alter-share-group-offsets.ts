import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  groupId: { type: 'string' },
  topics: {
    type: '[]struct',
    fields: {
      topicName: { type: 'string' },
      partitions: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          startOffset: { type: 'int64' },
        },
      },
    },
  },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  errorCode: { type: 'int16' },
  errorMessage: { type: 'string', nullable: true, default: null },
  responses: {
    type: '[]struct',
    fields: {
      topicName: { type: 'string' },
      topicId: { type: 'uuid' },
      partitions: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          errorCode: { type: 'int16' },
          errorMessage: { type: 'string', nullable: true, default: null },
        },
      },
    },
  },
} as const;

export type AlterShareGroupOffsetsRequest = Message<typeof request>;

/**
 * Moves the start offsets of a share group without members.
 *
 * ```
 * request => groupId [topics]
 *   topics => topicName [partitions]
 *     partitions => partitionIndex startOffset
 * response => throttleTimeMs errorCode errorMessage? [responses]
 *   responses => topicName topicId [partitions]
 *     partitions => partitionIndex errorCode errorMessage?
 * ```
 */
export const alterShareGroupOffsetsApi: Api<typeof request, typeof response> = defineApi({
  key: 91,
  name: 'AlterShareGroupOffsets',
  versions: '0',
  flexible: '0+',
  request,
  response,
});
