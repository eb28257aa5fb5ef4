import { ErrorCode } from '../../../wire/kafka/index.ts';
import { clusterOperations } from '../authorized-operations.ts';
import type { Handler } from '../handler.ts';

const brokers = 1;
const controllers = 2;

export const describeCluster: Handler<'DescribeCluster'> = (request, { host, session, rights }) => {
  const { endpointType } = request;
  const { nodeId, clusterId } = host;
  if (endpointType !== brokers) {
    const isKnown = endpointType === controllers;
    return {
      errorCode: isKnown ? ErrorCode.MISMATCHED_ENDPOINT_TYPE : ErrorCode.UNSUPPORTED_ENDPOINT_TYPE,
      errorMessage: isKnown
        ? 'This is the address of a broker, not of a controller.'
        : `Unsupported endpoint type ${endpointType}`,
      clusterId: '',
      brokers: [],
    };
  }
  return {
    errorCode: ErrorCode.NONE,
    endpointType,
    clusterId,
    controllerId: nodeId,
    brokers: [{ brokerId: nodeId, ...session.endpoint }],
    ...(request.includeClusterAuthorizedOperations
      ? { clusterAuthorizedOperations: clusterOperations(rights) }
      : {}),
  };
};
