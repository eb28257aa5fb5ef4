import { defineApi, type Api } from '../api.ts';

const request = {
  key: { type: 'string', versions: '0-3' },
  keyType: { type: 'int8', versions: '1+' },
  coordinatorKeys: { type: '[]string', versions: '4+' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', versions: '1+' },
  errorCode: { type: 'int16', versions: '0-3' },
  errorMessage: { type: 'string', versions: '1-3', nullable: true },
  nodeId: { type: 'int32', versions: '0-3' },
  host: { type: 'string', versions: '0-3' },
  port: { type: 'int32', versions: '0-3' },
  coordinators: {
    type: '[]struct',
    versions: '4+',
    fields: {
      key: { type: 'string' },
      nodeId: { type: 'int32' },
      host: { type: 'string' },
      port: { type: 'int32' },
      errorCode: { type: 'int16' },
      errorMessage: { type: 'string', nullable: true },
    },
  },
} as const;

/**
 * Finds the broker that coordinates a group or a transaction.
 *
 * keyType: 0 group, 1 transaction, 2 share group (key "group:topicId:partition", from 6 on). From 4 on a
 * request can have several keys.
 *
 * ```
 * request => key{0-3} keyType{1+} [coordinatorKeys]{4+}
 * response => throttleTimeMs{1+} errorCode{0-3} errorMessage?{1-3} nodeId{0-3} host{0-3} port{0-3}
 *             [coordinators]{4+}
 *   coordinators => key nodeId host port errorCode errorMessage?
 * ```
 */
export const findCoordinatorApi: Api<typeof request, typeof response> = defineApi({
  key: 10,
  name: 'FindCoordinator',
  versions: '0-6',
  flexible: '3+',
  request,
  response,
});
