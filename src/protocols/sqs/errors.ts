import { BrokerError, type BrokerErrorCode } from '../../broker/index.ts';
import { noteRefusal } from '../refusal-counts.ts';
import { AwsError, type AwsErrorName } from '../../wire/aws/index.ts';
import { HttpError } from '../http/index.ts';

/** InvalidParameterValue, as SQS says it of most parameters. */
export function invalidParameter(name: string, value: unknown, reason: string): AwsError {
  return new AwsError(
    'InvalidParameterValue',
    `Value ${String(value)} for parameter ${name} is invalid. Reason: ${reason}`,
  );
}

/** The refusal that a client gets for an error; undefined for one that nobody has foreseen. */
export function refusalOf(error: unknown): AwsError | undefined {
  if (error instanceof AwsError) return error;
  if (error instanceof BrokerError) {
    noteRefusal('sqs', error);
    return new AwsError(brokerErrors[error.code], error.message, { cause: error });
  }
  if (error instanceof HttpError) return refusalOfHttp(error);
  return undefined;
}

/** RequestThrottled and ServiceUnavailable make clients try again. */
const brokerErrors: { readonly [Code in BrokerErrorCode]: AwsErrorName } = {
  'topic-not-found': 'QueueDoesNotExist',
  'topic-exists': 'QueueNameExists',
  'topic-config-invalid': 'InvalidAttributeValue',
  'subjects-overlap': 'InvalidParameterValue',
  'group-not-found': 'QueueDoesNotExist',
  'group-exists': 'QueueNameExists',
  'group-config-invalid': 'InvalidAttributeValue',
  'groups-full': 'OverLimit',
  'consumer-exclusive': 'UnsupportedOperation',
  'schedule-not-found': 'InvalidParameterValue',
  'schedule-config-invalid': 'InvalidParameterValue',
  'message-too-large': 'InvalidParameterValue',
  'message-invalid': 'InvalidMessageContents',
  'producer-fenced': 'UnsupportedOperation',
  'sequence-gap': 'UnsupportedOperation',
  'transaction-unknown': 'UnsupportedOperation',
  'transaction-state': 'UnsupportedOperation',
  'transaction-busy': 'RequestThrottled',
  'not-in-transaction': 'UnsupportedOperation',
  'transaction-too-large': 'UnsupportedOperation',
  'transaction-timeout-invalid': 'UnsupportedOperation',
  'transactions-full': 'OverLimit',
  'topic-full': 'OverLimit',
  'topic-bytes-full': 'OverLimit',
  'key-full': 'OverLimit',
  'rate-exceeded': 'RequestThrottled',
  'wrong-last-offset': 'UnsupportedOperation',
  'wrong-last-key-offset': 'UnsupportedOperation',
  'wrong-last-dedupe-id': 'UnsupportedOperation',
  'offset-not-found': 'InvalidParameterValue',
  'not-allowed': 'UnsupportedOperation',
  'limit-reached': 'RequestThrottled',
  'storage-full': 'ServiceUnavailable',
  'memory-full': 'ServiceUnavailable',
  'storage-failed': 'ServiceUnavailable',
  closed: 'ServiceUnavailable',
};

function refusalOfHttp({ status, code, message }: HttpError): AwsError {
  if (code === 'body-too-large') return new AwsError('InvalidParameterValue', message);
  if (status === 403) return new AwsError('AccessDenied', message);
  if (status === 503) return new AwsError('ServiceUnavailable', message);
  return new AwsError('MalformedInput', message);
}
