import { defineApi, type Api } from '../api.ts';

const request = {
  topics: {
    type: '[]struct',
    versions: '6+',
    fields: {
      name: { type: 'string', nullable: true, default: null },
      topicId: { type: 'uuid' },
    },
  },
  topicNames: { type: '[]string', versions: '1-5' },
  timeoutMs: { type: 'int32' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  responses: {
    type: '[]struct',
    fields: {
      name: { type: 'string', nullable: '6+' },
      topicId: { type: 'uuid', versions: '6+' },
      errorCode: { type: 'int16' },
      errorMessage: { type: 'string', versions: '5+', nullable: true, default: null },
    },
  },
} as const;

/**
 * Deletes topics.
 *
 * From 6 on topics are named by name or id.
 *
 * ```
 * request => [topics]{6+} [topicNames]{1-5} timeoutMs
 *   topics => name? topicId
 * response => throttleTimeMs [responses]
 *   responses => name? topicId{6+} errorCode errorMessage?{5+}
 * ```
 */
export const deleteTopicsApi: Api<typeof request, typeof response> = defineApi({
  key: 20,
  name: 'DeleteTopics',
  versions: '1-6',
  flexible: '4+',
  request,
  response,
});
