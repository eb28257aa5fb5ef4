import { defineApi, type Api } from '../api.ts';

const request = {
  statesFilter: { type: '[]string', versions: '4+' },
  typesFilter: { type: '[]string', versions: '5+' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', versions: '1+' },
  errorCode: { type: 'int16' },
  groups: {
    type: '[]struct',
    fields: {
      groupId: { type: 'string' },
      protocolType: { type: 'string' },
      groupState: { type: 'string', versions: '4+' },
      groupType: { type: 'string', versions: '5+' },
    },
  },
} as const;

/**
 * The groups of the broker.
 *
 * From 4 on filtered by state, from 5 on by type.
 *
 * ```
 * request => [statesFilter]{4+} [typesFilter]{5+}
 * response => throttleTimeMs{1+} errorCode [groups]
 *   groups => groupId protocolType groupState{4+} groupType{5+}
 * ```
 */
export const listGroupsApi: Api<typeof request, typeof response> = defineApi({
  key: 16,
  name: 'ListGroups',
  versions: '0-5',
  flexible: '3+',
  request,
  response,
});
