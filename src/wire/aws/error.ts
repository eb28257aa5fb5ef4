import { type AwsErrorName, errorKinds, isCommon } from './error-kinds.ts';
import type { Service } from './operations/index.ts';

/** A refusal in AWS's words; `error-kinds.ts` has all of them. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly kind: AwsErrorName;

  /** `message` may be left out where AWS always says the same. */
  constructor(kind: AwsErrorName, message?: string, options?: ErrorOptions) {
    super(message ?? errorKinds[kind].message ?? '', options);
    this.kind = kind;
  }

  get status(): number {
    return errorKinds[this.kind].status;
  }

  /** Whose fault it is: `Sender` or `Receiver`. */
  get fault(): 'Sender' | 'Receiver' {
    return this.status < 500 ? 'Sender' : 'Receiver';
  }

  /** The code in Query, in the header of JSON, and in the failed entries of batches. */
  code(service: Service = 'sqs'): string {
    const { code, isPrefixed } = errorKinds[this.kind];
    return isPrefixed === true && service === 'sqs' ? `AWS.SimpleQueueService.${code}` : code;
  }

  /** The name of the shape, as JSON has it in `__type`. */
  get type(): string {
    const namespace = isCommon(this.kind) ? 'com.amazon.coral.service' : 'com.amazonaws.sqs';
    return `${namespace}#${errorKinds[this.kind].shape ?? this.kind}`;
  }
}

/** A request lacks a member that it must have. */
export function missingParameter(service: Service, name: string): AwsError {
  if (service === 'sqs')
    return new AwsError('MissingParameter', `The request must contain the parameter ${name}.`);
  const member = name[0]!.toLowerCase() + name.slice(1);
  const constraint = `Value null at '${member}' failed to satisfy constraint: Member must not be null`;
  return new AwsError('ValidationError', `1 validation error detected: ${constraint}`);
}

/** A batch has no entries. */
export function emptyBatch(service: Service, entry: string): AwsError {
  return new AwsError(
    'EmptyBatchRequest',
    service === 'sqs'
      ? `There should be at least one ${entry} in the request.`
      : "The batch request doesn't contain any entries.",
  );
}
