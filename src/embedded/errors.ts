import type { PostponeScope } from '../broker/index.ts';

/**
 * Codes of the errors that the embedded API itself raises. A refusal by the broker is a `BrokerError`.
 *
 * - `option-invalid`: a call got an unknown option, or a value that does not fit
 * - `value-invalid`: a value does not fit the topic's schema or codec
 * - `batch-refused`: some messages of a batch were refused
 * - `no-responders`, `request-timeout`, `request-failed`: a live request met no responder, got no answer in
 *   time, or got an error for an answer
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

/** One thing that is wrong with a value. */
export interface ValueIssue {
  readonly message: string;
  /** The path to the wrong part, from the outside in; empty for the value as a whole. */
  readonly path: readonly PropertyKey[];
}

/** A value that does not fit the topic, or bytes that cannot be decoded. */
export class ValueError extends BoxError {
  override readonly name = 'ValueError';
  readonly issues: readonly ValueIssue[];

  constructor(message: string, issues: readonly ValueIssue[] = [], cause?: unknown) {
    super('value-invalid', message, cause);
    this.issues = issues;
  }
}

/** Longest delay of a timer, about 24 days. */
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
 * Thrown by a handler to say "not now": the message was not handled, and is not delivered before `delayMs`.
 * It is no failure and uses up no attempt, unlike a RetryError. With `scope: 'key'` or `'group'` nothing of
 * its key, or of the whole group, is delivered until then.
 */
export class PostponeError extends Error {
  override readonly name = 'PostponeError';
  readonly code = 'postpone';
  readonly delayMs: number;
  readonly scope: PostponeScope;

  constructor(delayMs: number, options: { readonly scope?: PostponeScope; readonly cause?: unknown } = {}) {
    const { scope = 'message', cause } = options;
    super(`not before ${delayMs} ms`, cause === undefined ? undefined : { cause });
    const problem = problemOfPostpone(delayMs, scope);
    if (problem !== undefined)
      throw new BoxError('option-invalid', `PostponeError cannot be made so: ${problem}.`);
    this.delayMs = delayMs;
    this.scope = scope;
  }
}

const scopes: readonly unknown[] = ['message', 'key', 'group'] satisfies PostponeScope[];

export function problemOfPostpone(delayMs: unknown, scope: unknown): string | undefined {
  if (!(typeof delayMs === 'number' && delayMs >= 0 && delayMs <= retryMsMax))
    return `delayMs must be a number of milliseconds from 0 to ${retryMsMax}, not ${String(delayMs)}`;
  if (!scopes.includes(scope)) return `scope must be one of ${scopes.join(', ')}, not ${String(scope)}`;
  return undefined;
}

/**
 * Thrown by a handler that will never succeed: the message goes to the dead-letter topic at once, with this
 * reason.
 */
export class RejectError extends Error {
  override readonly name = 'RejectError';
  readonly code = 'reject';

  constructor(reason: string, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause });
  }
}
