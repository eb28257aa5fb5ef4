import { defineApi, type Api } from '../api.ts';

const request = {
  resourceTypeFilter: { type: 'int8' },
  resourceNameFilter: { type: 'string', nullable: true },
  patternTypeFilter: { type: 'int8', default: 3 },
  principalFilter: { type: 'string', nullable: true },
  hostFilter: { type: 'string', nullable: true },
  operation: { type: 'int8' },
  permissionType: { type: 'int8' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  errorCode: { type: 'int16' },
  errorMessage: { type: 'string', nullable: true },
  resources: {
    type: '[]struct',
    fields: {
      resourceType: { type: 'int8' },
      resourceName: { type: 'string' },
      patternType: { type: 'int8', default: 3 },
      acls: {
        type: '[]struct',
        fields: {
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
 * The access control entries that match a filter.
 *
 * A null in a filter matches everything. resourceType: 1 any, 2 topic, 3 group, 4 cluster, 5 transactional
 * id, 6 delegation token, 7 user. patternType: 1 any, 2 match, 3 literal, 4 prefixed. permissionType: 1 any,
 * 2 deny, 3 allow. Operations: 1 any, 2 all, 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe, 9
 * cluster action, 10 describe configs, 11 alter configs, 12 idempotent write, 13 create tokens, 14 describe
 * tokens, 15 two-phase commit.
 *
 * ```
 * request => resourceTypeFilter resourceNameFilter? patternTypeFilter principalFilter? hostFilter? operation
 *            permissionType
 * response => throttleTimeMs errorCode errorMessage? [resources]
 *   resources => resourceType resourceName patternType [acls]
 *     acls => principal host operation permissionType
 * ```
 */
export const describeAclsApi: Api<typeof request, typeof response> = defineApi({
  key: 29,
  name: 'DescribeAcls',
  versions: '1-3',
  flexible: '2+',
  request,
  response,
});
