import { defineApi, type Api } from '../api.ts';

const request = {
  groupId: { type: 'string' },
  topics: {
    type: '[]struct',
    fields: {
      topicName: { type: 'string' },
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
      errorCode: { type: 'int16' },
      errorMessage: { type: 'string', nullable: true, default: null },
    },
  },
} as const;

/**
 * Deletes the start offsets of a share group for topics.
 *
 * ```
 * request => groupId [topics]
 *   topics => topicName
 * response => throttleTimeMs errorCode errorMessage? [responses]
 *   responses => topicName topicId errorCode errorMessage?
 * ```
 */
export const deleteShareGroupOffsetsApi: Api<typeof request, typeof response> = defineApi({
  key: 92,
  name: 'DeleteShareGroupOffsets',
  versions: '0',
  flexible: '0+',
  request,
  response,
});
