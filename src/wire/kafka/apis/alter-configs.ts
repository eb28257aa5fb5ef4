import { defineApi, type Api } from '../api.ts';

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

/**
 * Replaces the whole configuration of a resource.
 *
 * Settings that are not named go back to their defaults, so IncrementalAlterConfigs is safer.
 *
 * ```
 * request => [resources] validateOnly
 *   resources => resourceType resourceName [configs]
 *     configs => name value?
 * response => throttleTimeMs [responses]
 *   responses => errorCode errorMessage? resourceType resourceName
 * ```
 */
export const alterConfigsApi: Api<typeof request, typeof response> = defineApi({
  key: 33,
  name: 'AlterConfigs',
  versions: '0-2',
  flexible: '2+',
  request,
  response,
});
