import { defineApi, type Api } from '../api.ts';

const request = {
  resourceTypes: { type: '[]int8', versions: '1+' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  errorCode: { type: 'int16' },
  configResources: {
    type: '[]struct',
    fields: {
      resourceName: { type: 'string' },
      resourceType: { type: 'int8', versions: '1+', default: 16 },
    },
  },
} as const;

/**
 * The resources that have a configuration (KIP-1142).
 *
 * Version 0 lists client metrics only (as ListClientMetricsResources, KIP-714). From 1 on the request names
 * the resource types; no types means all.
 *
 * ```
 * request => [resourceTypes]{1+}
 * response => throttleTimeMs errorCode [configResources]
 *   configResources => resourceName resourceType{1+}
 * ```
 */
export const listConfigResourcesApi: Api<typeof request, typeof response> = defineApi({
  key: 74,
  name: 'ListConfigResources',
  versions: '0-1',
  flexible: '0+',
  request,
  response,
});
