import { defineApi, type Api } from '../api.ts';

const request = {
  groupsNames: { type: '[]string' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  results: {
    type: '[]struct',
    fields: {
      groupId: { type: 'string' },
      errorCode: { type: 'int16' },
      errorMessage: { type: 'string', versions: '3+', nullable: true, default: null },
    },
  },
} as const;

/**
 * Removes empty groups.
 *
 * From 3 on the response has an error message.
 *
 * ```
 * request => [groupsNames]
 * response => throttleTimeMs [results]
 *   results => groupId errorCode errorMessage?{3+}
 * ```
 */
export const deleteGroupsApi: Api<typeof request, typeof response> = defineApi({
  key: 42,
  name: 'DeleteGroups',
  versions: '0-3',
  flexible: '2+',
  request,
  response,
});
