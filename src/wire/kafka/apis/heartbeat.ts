import { defineApi, type Api } from '../api.ts';

const request = {
  groupId: { type: 'string' },
  generationId: { type: 'int32' },
  memberId: { type: 'string' },
  groupInstanceId: { type: 'string', versions: '3+', nullable: true, default: null },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', versions: '1+' },
  errorCode: { type: 'int16' },
} as const;

/**
 * Tells the coordinator that a member is alive.
 *
 * From 3 on members can be static.
 *
 * ```
 * request => groupId generationId memberId groupInstanceId?{3+}
 * response => throttleTimeMs{1+} errorCode
 * ```
 */
export const heartbeatApi: Api<typeof request, typeof response> = defineApi({
  key: 12,
  name: 'Heartbeat',
  versions: '0-4',
  flexible: '4+',
  request,
  response,
});
