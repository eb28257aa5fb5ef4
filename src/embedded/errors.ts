/**
 * A refusal by the embedded API itself, with a code that programs can match. What the broker refuses comes as
 * a `BrokerError`.
 *
 * - `option-invalid`: a call got an option it does not know, or a value that does not fit
 * - `value-invalid`: a value is not what the topic's schema or codec takes
 * - `batch-refused`: some messages of a batch were refused
 * - `no-responders`, `request-timeout`, `request-failed`: a live request had nobody to answer it, no answer
 *   in time, an error for an answer
 */
export type BoxErrorCode =
  | 'option-invalid'
  | 'value-invalid'
  | 'batch-refused'
  | 'no-responders'
  | 'request-timeout'
  | 'request-failed';

export class BoxError extends Error {
  override readonly name: string = 'BoxError';
  readonly code: BoxErrorCode;

  constructor(code: BoxErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** What is wrong with one part of a value. */
export interface ValueIssue {
  readonly message: string;
  /** Where, from the outside in; empty for the value as a whole. */
  readonly path: readonly PropertyKey[];
}

/** A value that a topic does not take, or bytes that are none of its values. */
export class ValueError extends BoxError {
  override readonly name = 'ValueError';
  readonly issues: readonly ValueIssue[];

  constructor(message: string, issues: readonly ValueIssue[] = [], cause?: unknown) {
    super('value-invalid', message, cause);
    this.issues = issues;
  }
}

/** Longest delay of a timer, some 24 days. */
const retryMsMax = 2 ** 31 - 1;

/**
 * Thrown by a handler that cannot do its work now: the message comes again after `delayMs`. Any other error
 * is a failure too, but waits for the group's backoff. Both count as deliveries.
 */
export class RetryError extends Error {
  override readonly name = 'RetryError';
  readonly code = 'retry';
  readonly delayMs: number;

  constructor(delayMs: number, message: string = `again in ${delayMs} ms`, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    if (!(delayMs >= 0 && delayMs <= retryMsMax))
      throw new BoxError(
        'option-invalid',
        `RetryError cannot be made so: delayMs must be a number of milliseconds from 0 to ${retryMsMax}, not ${String(delayMs)}.`,
      );
    this.delayMs = delayMs;
  }
}

/**
 * Thrown by a handler for which trying again is pointless: the message goes to the dead-letter topic at once,
 * with this reason.
 */
export class RejectError extends Error {
  override readonly name = 'RejectError';
  readonly code = 'reject';

  constructor(reason: string, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause });
  }
}
