import type { BudgetName } from './budget-table.ts';

/** All refusals of the broker. The list is closed: each protocol maps all of it in its own errors file. */
export type BrokerErrorCode =
  | 'topic-not-found'
  | 'topic-exists'
  | 'topic-config-invalid'
  | 'subjects-overlap'
  | 'group-not-found'
  | 'group-exists'
  | 'group-config-invalid'
  | 'groups-full'
  /** A consumer of the group is exclusive, or would be. */
  | 'consumer-exclusive'
  | 'schedule-not-found'
  | 'schedule-config-invalid'
  | 'message-too-large'
  | 'message-invalid'
  | 'producer-fenced'
  | 'sequence-gap'
  | 'transaction-unknown'
  | 'transaction-state'
  | 'transaction-busy'
  | 'not-in-transaction'
  | 'transaction-too-large'
  | 'transaction-timeout-invalid'
  | 'transactions-full'
  | 'topic-full'
  | 'topic-bytes-full'
  | 'key-full'
  /** More publishes than the topic's rate allows: `details.retryAfterMs` says how long to wait. */
  | 'rate-exceeded'
  | 'wrong-last-offset'
  | 'wrong-last-key-offset'
  | 'wrong-last-dedupe-id'
  | 'offset-not-found'
  | 'not-allowed'
  /** A budget of the broker is used up: `details.budget` says which. */
  | 'limit-reached'
  | 'storage-full'
  | 'memory-full'
  | 'storage-failed'
  | 'closed';

/** Details of a refusal that programs can use. */
export interface BrokerErrorDetails {
  readonly topic?: string;
  readonly group?: string;
  readonly schedule?: string;
  /** The actual last offset, if it is not the expected one; -1 for none. */
  readonly lastOffset?: number;
  readonly lastDedupeId?: string | undefined;
  readonly limit?: number;
  /** When to try again, in milliseconds from now. */
  readonly retryAfterMs?: number;
  /** The budget that is used up; see budget-table.ts. */
  readonly budget?: BudgetName;
}

/**
 * A refusal by the broker: a sentence that says what happened, to what, and what to do, and a code that
 * programs can match.
 */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
  readonly code: BrokerErrorCode;
  readonly details: BrokerErrorDetails;

  constructor(code: BrokerErrorCode, message: string, details: BrokerErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }
}

/** An error about a topic. `what` continues the sentence after its name. */
export function topicError(
  topic: { readonly name: string },
  code: BrokerErrorCode,
  what: string,
  details: BrokerErrorDetails = {},
): BrokerError {
  return new BrokerError(code, `Topic "${topic.name}" ${what}.`, { topic: topic.name, ...details });
}
