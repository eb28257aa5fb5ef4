import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  groupId: { type: 'string' },
  sessionTimeoutMs: { type: 'int32' },
  rebalanceTimeoutMs: { type: 'int32', versions: '1+', default: -1 },
  memberId: { type: 'string' },
  groupInstanceId: { type: 'string', versions: '5+', nullable: true, default: null },
  protocolType: { type: 'string' },
  protocols: {
    type: '[]struct',
    fields: {
      name: { type: 'string' },
      metadata: { type: 'bytes' },
    },
  },
  reason: { type: 'string', versions: '8+', nullable: true, default: null },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', versions: '2+' },
  errorCode: { type: 'int16' },
  generationId: { type: 'int32', default: -1 },
  protocolType: { type: 'string', versions: '7+', nullable: true, default: null },
  protocolName: { type: 'string', nullable: '7+' },
  leader: { type: 'string' },
  skipAssignment: { type: 'bool', versions: '9+' },
  memberId: { type: 'string' },
  members: {
    type: '[]struct',
    fields: {
      memberId: { type: 'string' },
      groupInstanceId: { type: 'string', versions: '5+', nullable: true, default: null },
      metadata: { type: 'bytes' },
    },
  },
} as const;

export type JoinGroupRequest = Message<typeof request>;

/**
 * A member joins a group, or joins again for a rebalance.
 *
 * From 4 on a member without an id gets one with MEMBER_ID_REQUIRED and asks again. From 5 on members can be
 * static. From 9 on the leader may be told not to assign. In version 0 the session timeout is the rebalance
 * timeout too.
 *
 * ```
 * request => groupId sessionTimeoutMs rebalanceTimeoutMs{1+} memberId groupInstanceId?{5+}
 *            protocolType [protocols] reason?{8+}
 *   protocols => name metadata
 * response => throttleTimeMs{2+} errorCode generationId protocolType?{7+} protocolName? leader
 *             skipAssignment{9+} memberId [members]
 *   members => memberId groupInstanceId?{5+} metadata
 * ```
 */
export const joinGroupApi: Api<typeof request, typeof response> = defineApi({
  key: 11,
  name: 'JoinGroup',
  versions: '0-9',
  flexible: '6+',
  request,
  response,
});
