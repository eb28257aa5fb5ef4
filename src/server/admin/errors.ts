import type { ErrorJson } from '../../admin-api/index.ts';
import { BrokerError, type BrokerErrorCode } from '../../broker/index.ts';
import { HttpError, noteRefusal } from '../../protocols/index.ts';

/** The HTTP status of each refusal of the broker; the code is sent unchanged. */
const statusOf = {
  'topic-not-found': 404,
  'topic-exists': 409,
  'topic-config-invalid': 400,
  'subjects-overlap': 409,
  'group-not-found': 404,
  'group-exists': 409,
  'group-config-invalid': 400,
  'consumer-exclusive': 409,
  'groups-full': 409,
  'schedule-not-found': 404,
  'schedule-config-invalid': 400,
  'message-too-large': 413,
  'message-invalid': 400,
  'producer-fenced': 409,
  'sequence-gap': 409,
  'transaction-unknown': 404,
  'transaction-state': 409,
  'transaction-busy': 409,
  'not-in-transaction': 409,
  'transaction-too-large': 409,
  'transaction-timeout-invalid': 400,
  'transactions-full': 409,
  'topic-full': 409,
  'topic-bytes-full': 409,
  'key-full': 409,
  'rate-exceeded': 429,
  'wrong-last-offset': 409,
  'wrong-last-key-offset': 409,
  'wrong-last-dedupe-id': 409,
  'offset-not-found': 404,
  'not-allowed': 409,
  'limit-reached': 409,
  'storage-full': 507,
  'memory-full': 503,
  'storage-failed': 500,
  closed: 503,
} satisfies { readonly [K in BrokerErrorCode]: number };

/** Any error as status, headers and `{"error":{"code","message"}}`. Unexpected errors reveal no internals. */
export function describeError(error: unknown): {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: ErrorJson;
} {
  if (error instanceof BrokerError) noteRefusal('admin', error);
  const { status, code, message, headers } =
    error instanceof HttpError
      ? error
      : error instanceof BrokerError
        ? {
            status: statusOf[error.code],
            code: error.code,
            message: error.message,
            headers: headersOf(error),
          }
        : {
            status: 500,
            code: 'internal',
            message: 'The request failed; the log has the reason.',
            headers: {},
          };
  return { status, headers, body: { error: { code, message } } };
}

/** `Retry-After` in whole seconds, if the broker knows when to try again. */
function headersOf({ details: { retryAfterMs } }: BrokerError): { readonly [name: string]: string } {
  return retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) };
}

export function invalidRequest(message: string): HttpError {
  return new HttpError(400, 'invalid-request', message);
}
