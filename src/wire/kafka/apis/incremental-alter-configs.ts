import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  resources: {
    type: '[]struct',
    fields: {
      resourceType: { type: 'int8' },
      resourceName: { type: 'string' },
      configs: {
        type: '[]struct',
        fields: {
          name: { type: 'string' },
          configOperation: { type: 'int8' },
          value: { type: 'string', nullable: true },
        },
      },
    },
  },
  validateOnly: { type: 'bool' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  responses: {
    type: '[]struct',
    fields: {
      errorCode: { type: 'int16' },
      errorMessage: { type: 'string', nullable: true },
      resourceType: { type: 'int8' },
      resourceName: { type: 'string' },
    },
  },
} as const;

export type IncrementalAlterConfigsRequest = Message<typeof request>;

/**
 * Changes single settings of a resource.
 *
 * configOperation: 0 set, 1 delete, 2 append, 3 subtract.
 *
 * ```
 * request => [resources] validateOnly
 *   resources => resourceType resourceName [configs]
 *     configs => name configOperation value?
 * response => throttleTimeMs [responses]
 *   responses => errorCode errorMessage? resourceType resourceName
 * ```
 */
export const incrementalAlterConfigsApi: Api<typeof request, typeof response> = defineApi({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: '0-1',
  flexible: '1+',
  request,
  response,
});
