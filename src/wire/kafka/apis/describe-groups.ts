import { defineApi, type Api } from '../api.ts';

const request = {
  groups: { type: '[]string' },
  includeAuthorizedOperations: { type: 'bool', versions: '3+' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', versions: '1+' },
  groups: {
    type: '[]struct',
    fields: {
      errorCode: { type: 'int16' },
      errorMessage: { type: 'string', versions: '6+', nullable: true, default: null },
      groupId: { type: 'string' },
      groupState: { type: 'string' },
      protocolType: { type: 'string' },
      protocolData: { type: 'string' },
      members: {
        type: '[]struct',
        fields: {
          memberId: { type: 'string' },
          groupInstanceId: { type: 'string', versions: '4+', nullable: true, default: null },
          clientId: { type: 'string' },
          clientHost: { type: 'string' },
          memberMetadata: { type: 'bytes' },
          memberAssignment: { type: 'bytes' },
        },
      },
      authorizedOperations: { type: 'int32', versions: '3+', default: -2_147_483_648 },
    },
  },
} as const;

/**
 * State, members and assignments of classic groups.
 *
 * Version 6 answers GROUP_ID_NOT_FOUND for an unknown group; earlier versions describe it as Dead.
 *
 * ```
 * request => [groups] includeAuthorizedOperations{3+}
 * response => throttleTimeMs{1+} [groups]
 *   groups => errorCode errorMessage?{6+} groupId groupState protocolType protocolData [members]
 *             authorizedOperations{3+}
 *     members => memberId groupInstanceId?{4+} clientId clientHost memberMetadata memberAssignment
 * ```
 */
export const describeGroupsApi: Api<typeof request, typeof response> = defineApi({
  key: 15,
  name: 'DescribeGroups',
  versions: '0-6',
  flexible: '5+',
  request,
  response,
});
