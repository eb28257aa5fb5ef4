import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  creations: {
    type: '[]struct',
    fields: {
      resourceType: { type: 'int8' },
      resourceName: { type: 'string' },
      resourcePatternType: { type: 'int8', default: 3 },
      principal: { type: 'string' },
      host: { type: 'string' },
      operation: { type: 'int8' },
      permissionType: { type: 'int8' },
    },
  },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  results: {
    type: '[]struct',
    fields: {
      errorCode: { type: 'int16' },
      errorMessage: { type: 'string', nullable: true },
    },
  },
} as const;

export type CreateAclsRequest = Message<typeof request>;

/**
 * Adds access control entries; the numbers are those of DescribeAcls.
 *
 * ```
 * request => [creations]
 *   creations => resourceType resourceName resourcePatternType principal host operation permissionType
 * response => throttleTimeMs [results]
 *   results => errorCode errorMessage?
 * ```
 */
export const createAclsApi: Api<typeof request, typeof response> = defineApi({
  key: 30,
  name: 'CreateAcls',
  versions: '1-3',
  flexible: '2+',
  request,
  response,
});
