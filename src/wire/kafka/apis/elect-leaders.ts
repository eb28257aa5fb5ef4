import { defineApi, type Api } from '../api.ts';

const request = {
  electionType: { type: 'int8', versions: '1+' },
  topicPartitions: {
    type: '[]struct',
    nullable: true,
    fields: { topic: { type: 'string' }, partitions: { type: '[]int32' } },
  },
  timeoutMs: { type: 'int32', default: 60_000 },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  errorCode: { type: 'int16', versions: '1+' },
  replicaElectionResults: {
    type: '[]struct',
    fields: {
      topic: { type: 'string' },
      partitionResult: {
        type: '[]struct',
        fields: {
          partitionId: { type: 'int32' },
          errorCode: { type: 'int16' },
          errorMessage: { type: 'string', nullable: true, default: null },
        },
      },
    },
  },
} as const;

/**
 * Elects leaders of partitions (KIP-460). electionType: 0 preferred, 1 unclean. Null means all partitions.
 *
 * ```
 * request => electionType{1+} [topicPartitions]? timeoutMs
 *   topicPartitions => topic [partitions]
 * response => throttleTimeMs errorCode{1+} [replicaElectionResults]
 *   replicaElectionResults => topic [partitionResult]
 *     partitionResult => partitionId errorCode errorMessage?
 * ```
 */
export const electLeadersApi: Api<typeof request, typeof response> = defineApi({
  key: 43,
  name: 'ElectLeaders',
  versions: '0-2',
  flexible: '2+',
  request,
  response,
});
