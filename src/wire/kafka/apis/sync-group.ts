import { defineApi, type Api } from '../api.ts';

const request = {
  groupId: { type: 'string' },
  generationId: { type: 'int32' },
  memberId: { type: 'string' },
  groupInstanceId: { type: 'string', versions: '3+', nullable: true, default: null },
  protocolType: { type: 'string', versions: '5+', nullable: true, default: null },
  protocolName: { type: 'string', versions: '5+', nullable: true, default: null },
  assignments: {
    type: '[]struct',
    fields: {
      memberId: { type: 'string' },
      assignment: { type: 'bytes' },
    },
  },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', versions: '1+' },
  errorCode: { type: 'int16' },
  protocolType: { type: 'string', versions: '5+', nullable: true, default: null },
  protocolName: { type: 'string', versions: '5+', nullable: true, default: null },
  assignment: { type: 'bytes' },
} as const;

/**
 * The leader sends the assignment, and every member gets its part.
 *
 * From 3 on members can be static; version 5 adds the protocol type and name.
 *
 * ```
 * request => groupId generationId memberId groupInstanceId?{3+} protocolType?{5+} protocolName?{5+}
 *            [assignments]
 *   assignments => memberId assignment
 * response => throttleTimeMs{1+} errorCode protocolType?{5+} protocolName?{5+} assignment
 * ```
 */
export const syncGroupApi: Api<typeof request, typeof response> = defineApi({
  key: 14,
  name: 'SyncGroup',
  versions: '0-5',
  flexible: '4+',
  request,
  response,
});
