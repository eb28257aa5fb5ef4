import { defineApi, type Api } from '../api.ts';

const request = {
  filters: {
    type: '[]struct',
    fields: {
      resourceTypeFilter: { type: 'int8' },
      resourceNameFilter: { type: 'string', nullable: true },
      patternTypeFilter: { type: 'int8', default: 3 },
      principalFilter: { type: 'string', nullable: true },
      hostFilter: { type: 'string', nullable: true },
      operation: { type: 'int8' },
      permissionType: { type: 'int8' },
    },
  },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  filterResults: {
    type: '[]struct',
    fields: {
      errorCode: { type: 'int16' },
      errorMessage: { type: 'string', nullable: true },
      matchingAcls: {
        type: '[]struct',
        fields: {
          errorCode: { type: 'int16' },
          errorMessage: { type: 'string', nullable: true },
          resourceType: { type: 'int8' },
          resourceName: { type: 'string' },
          patternType: { type: 'int8', default: 3 },
          principal: { type: 'string' },
          host: { type: 'string' },
          operation: { type: 'int8' },
          permissionType: { type: 'int8' },
        },
      },
    },
  },
} as const;

/**
 * Removes the access control entries that match filters; filters and numbers are those of DescribeAcls.
 *
 * ```
 * request => [filters]
 *   filters => resourceTypeFilter resourceNameFilter? patternTypeFilter principalFilter? hostFilter?
 *              operation permissionType
 * response => throttleTimeMs [filterResults]
 *   filterResults => errorCode errorMessage? [matchingAcls]
 *     matchingAcls => errorCode errorMessage? resourceType resourceName patternType principal host operation
 *                     permissionType
 * ```
 */
export const deleteAclsApi: Api<typeof request, typeof response> = defineApi({
  key: 31,
  name: 'DeleteAcls',
  versions: '1-3',
  flexible: '2+',
  request,
  response,
});
