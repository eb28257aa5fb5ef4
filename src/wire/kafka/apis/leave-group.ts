import { defineApi, type Api } from '../api.ts';

const request = {
  groupId: { type: 'string' },
  memberId: { type: 'string', versions: '0-2' },
  members: {
    type: '[]struct',
    versions: '3+',
    fields: {
      memberId: { type: 'string' },
      groupInstanceId: { type: 'string', nullable: true, default: null },
      reason: { type: 'string', versions: '5+', nullable: true, default: null },
    },
  },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', versions: '1+' },
  errorCode: { type: 'int16' },
  members: {
    type: '[]struct',
    versions: '3+',
    fields: {
      memberId: { type: 'string' },
      groupInstanceId: { type: 'string', nullable: true },
      errorCode: { type: 'int16' },
    },
  },
} as const;

/**
 * Members leave their group at once.
 *
 * From 3 on a request can name several members, static ones by their instance id.
 *
 * ```
 * request => groupId memberId{0-2} [members]{3+}
 *   members => memberId groupInstanceId? reason?{5+}
 * response => throttleTimeMs{1+} errorCode [members]{3+}
 *   members => memberId groupInstanceId? errorCode
 * ```
 */
export const leaveGroupApi: Api<typeof request, typeof response> = defineApi({
  key: 13,
  name: 'LeaveGroup',
  versions: '0-5',
  flexible: '4+',
  request,
  response,
});
