import { ErrorCode } from '../../../wire/kafka/index.ts';
import type { Handler } from '../handler.ts';

const brokers = 1;

export const describeCluster: Handler<'DescribeCluster'> = ({ endpointType }, { host, session }) => {
  const { nodeId, clusterId } = host;
  if (endpointType !== brokers) {
    return {
      errorCode: ErrorCode.MISMATCHED_ENDPOINT_TYPE,
      errorMessage: 'This is the address of a broker, not of a controller.',
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
  };
};
