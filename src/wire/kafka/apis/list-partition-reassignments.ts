import { defineApi, type Api } from '../api.ts';

const request = {
  timeoutMs: { type: 'int32', default: 60_000 },
  topics: {
    type: '[]struct',
    nullable: true,
    default: null,
    fields: { name: { type: 'string' }, partitionIndexes: { type: '[]int32' } },
  },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  errorCode: { type: 'int16' },
  errorMessage: { type: 'string', nullable: true },
  topics: {
    type: '[]struct',
    fields: {
      name: { type: 'string' },
      partitions: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          replicas: { type: '[]int32' },
          addingReplicas: { type: '[]int32' },
          removingReplicas: { type: '[]int32' },
        },
      },
    },
  },
} as const;

/**
 * Reassignments under way (KIP-455). Null means all topics.
 *
 * ```
 * request => timeoutMs [topics]?
 *   topics => name [partitionIndexes]
 * response => throttleTimeMs errorCode errorMessage? [topics]
 *   topics => name [partitions]
 *     partitions => partitionIndex [replicas] [addingReplicas] [removingReplicas]
 * ```
 */
export const listPartitionReassignmentsApi: Api<typeof request, typeof response> = defineApi({
  key: 46,
  name: 'ListPartitionReassignments',
  versions: '0',
  flexible: '0+',
  request,
  response,
});
