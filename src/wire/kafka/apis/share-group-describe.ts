import { defineApi, type Api } from '../api.ts';

const request = {
  groupIds: { type: '[]string' },
  includeAuthorizedOperations: { type: 'bool' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  groups: {
    type: '[]struct',
    fields: {
      errorCode: { type: 'int16' },
      errorMessage: { type: 'string', nullable: true, default: null },
      groupId: { type: 'string' },
      groupState: { type: 'string' },
      groupEpoch: { type: 'int32' },
      assignmentEpoch: { type: 'int32' },
      assignorName: { type: 'string' },
      members: {
        type: '[]struct',
        fields: {
          memberId: { type: 'string' },
          rackId: { type: 'string', nullable: true, default: null },
          memberEpoch: { type: 'int32' },
          clientId: { type: 'string' },
          clientHost: { type: 'string' },
          subscribedTopicNames: { type: '[]string' },
          assignment: {
            type: 'struct',
            fields: {
              topicPartitions: {
                type: '[]struct',
                fields: {
                  topicId: { type: 'uuid' },
                  topicName: { type: 'string' },
                  partitions: { type: '[]int32' },
                },
              },
            },
          },
        },
      },
      authorizedOperations: { type: 'int32', default: -2_147_483_648 },
    },
  },
} as const;

/**
 * State, members and assignments of share groups.
 *
 * ```
 * request => [groupIds] includeAuthorizedOperations
 * response => throttleTimeMs [groups]
 *   groups => errorCode errorMessage? groupId groupState groupEpoch assignmentEpoch assignorName
 *             [members] authorizedOperations
 *     members => memberId rackId? memberEpoch clientId clientHost [subscribedTopicNames] assignment
 *       assignment => [topicPartitions]
 *         topicPartitions => topicId topicName [partitions]
 * ```
 */
export const shareGroupDescribeApi: Api<typeof request, typeof response> = defineApi({
  key: 77,
  name: 'ShareGroupDescribe',
  versions: '1',
  flexible: '0+',
  request,
  response,
});
