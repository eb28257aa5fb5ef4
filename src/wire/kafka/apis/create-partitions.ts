import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  topics: {
    type: '[]struct',
    fields: {
      name: { type: 'string' },
      count: { type: 'int32' },
      assignments: {
        type: '[]struct',
        nullable: true,
        fields: {
          brokerIds: { type: '[]int32' },
        },
      },
    },
  },
  timeoutMs: { type: 'int32' },
  validateOnly: { type: 'bool' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  results: {
    type: '[]struct',
    fields: {
      name: { type: 'string' },
      errorCode: { type: 'int16' },
      errorMessage: { type: 'string', nullable: true, default: null },
    },
  },
} as const;

export type CreatePartitionsRequest = Message<typeof request>;

/**
 * Raises the number of partitions of topics.
 *
 * ```
 * request => [topics] timeoutMs validateOnly
 *   topics => name count [assignments]?
 *     assignments => [brokerIds]
 * response => throttleTimeMs [results]
 *   results => name errorCode errorMessage?
 * ```
 */
export const createPartitionsApi: Api<typeof request, typeof response> = defineApi({
  key: 37,
  name: 'CreatePartitions',
  versions: '0-3',
  flexible: '2+',
  request,
  response,
});
