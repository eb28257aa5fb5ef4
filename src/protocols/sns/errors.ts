import { BrokerError } from '../../broker/index.ts';
import { AwsError } from '../../wire/aws/index.ts';
import { refusalOf as refusalOfSqs } from '../sqs/errors.ts';

/** `Invalid parameter: NAME Reason: …`, as SNS says it of most parameters. */
export function invalidParameter(name: string, reason?: string): AwsError {
  const because = reason === undefined ? '' : ` Reason: ${reason}`;
  return new AwsError('InvalidParameter', `Invalid parameter: ${name}${because}`);
}

/** The refusal that a client gets for an error; undefined for one that nobody has foreseen. */
export function refusalOf(error: unknown): AwsError | undefined {
  const refusal = refusalOfSqs(error);
  if (!refusal || error instanceof AwsError) return refusal;
  // SNS has none of SQS's words for a full queue: a client tries a throttled request again.
  const isBusy = error instanceof BrokerError && ['OverLimit', 'RequestThrottled'].includes(refusal.kind);
  return isBusy ? new AwsError('Throttling', refusal.message, { cause: error }) : refusal;
}
