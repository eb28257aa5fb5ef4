import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  timeoutMs: { type: 'int32', default: 60_000 },
  allowReplicationFactorChange: { type: 'bool', versions: '1+', default: true },
  topics: {
    type: '[]struct',
    fields: {
      name: { type: 'string' },
      partitions: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          replicas: { type: '[]int32', nullable: true, default: null },
        },
      },
    },
  },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  allowReplicationFactorChange: { type: 'bool', versions: '1+', default: true },
  errorCode: { type: 'int16' },
  errorMessage: { type: 'string', nullable: true },
  responses: {
    type: '[]struct',
    fields: {
      name: { type: 'string' },
      partitions: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          errorCode: { type: 'int16' },
          errorMessage: { type: 'string', nullable: true, default: null },
        },
      },
    },
  },
} as const;

export type AlterPartitionReassignmentsRequest = Message<typeof request>;

/**
 * Assigns partitions to brokers (KIP-455). Null replicas cancel a reassignment under way.
 *
 * ```
 * request => timeoutMs allowReplicationFactorChange{1+} [topics]
 *   topics => name [partitions]
 *     partitions => partitionIndex [replicas]?
 * response => throttleTimeMs allowReplicationFactorChange{1+} errorCode errorMessage? [responses]
 *   responses => name [partitions]
 *     partitions => partitionIndex errorCode errorMessage?
 * ```
 */
export const alterPartitionReassignmentsApi: Api<typeof request, typeof response> = defineApi({
  key: 45,
  name: 'AlterPartitionReassignments',
  versions: '0-1',
  flexible: '0+',
  request,
  response,
});
