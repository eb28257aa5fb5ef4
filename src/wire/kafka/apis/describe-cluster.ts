import { defineApi, type Api } from '../api.ts';

const request = {
  includeClusterAuthorizedOperations: { type: 'bool' },
  endpointType: { type: 'int8', versions: '1+', default: 1 },
  includeFencedBrokers: { type: 'bool', versions: '2+' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  errorCode: { type: 'int16' },
  errorMessage: { type: 'string', nullable: true, default: null },
  endpointType: { type: 'int8', versions: '1+', default: 1 },
  clusterId: { type: 'string' },
  controllerId: { type: 'int32', default: -1 },
  brokers: {
    type: '[]struct',
    fields: {
      brokerId: { type: 'int32' },
      host: { type: 'string' },
      port: { type: 'int32' },
      rack: { type: 'string', nullable: true, default: null },
      isFenced: { type: 'bool', versions: '2+' },
    },
  },
  clusterAuthorizedOperations: { type: 'int32', default: -2_147_483_648 },
} as const;

/**
 * The brokers, the controller and the id of the cluster.
 *
 * endpointType: 1 brokers, 2 controllers.
 *
 * ```
 * request => includeClusterAuthorizedOperations endpointType{1+} includeFencedBrokers{2+}
 * response => throttleTimeMs errorCode errorMessage? endpointType{1+} clusterId controllerId [brokers]
 *             clusterAuthorizedOperations
 *   brokers => brokerId host port rack? isFenced{2+}
 * ```
 */
export const describeClusterApi: Api<typeof request, typeof response> = defineApi({
  key: 60,
  name: 'DescribeCluster',
  versions: '0-2',
  flexible: '0+',
  request,
  response,
});
