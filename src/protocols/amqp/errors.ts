import { BrokerError, type BrokerErrorCode } from '../../broker/index.ts';
import { noteRefusal } from '../refusal-counts.ts';
import { WireError, type FieldValue, type WireErrorCode } from '../../wire/amqp/index.ts';

/** The reply codes of AMQP, by their names, which begin the reply text. */
export const ReplyCode = {
  NO_ROUTE: 312,
  CONNECTION_FORCED: 320,
  ACCESS_REFUSED: 403,
  NOT_FOUND: 404,
  RESOURCE_LOCKED: 405,
  PRECONDITION_FAILED: 406,
  FRAME_ERROR: 501,
  SYNTAX_ERROR: 502,
  COMMAND_INVALID: 503,
  CHANNEL_ERROR: 504,
  UNEXPECTED_FRAME: 505,
  RESOURCE_ERROR: 506,
  NOT_ALLOWED: 530,
  NOT_IMPLEMENTED: 540,
  INTERNAL_ERROR: 541,
} as const;
export type ReplyName = keyof typeof ReplyCode;

/** The codes that close the channel; all others close the connection. */
const channelCodes: ReadonlySet<ReplyName> = new Set([
  'NO_ROUTE',
  'ACCESS_REFUSED',
  'NOT_FOUND',
  'RESOURCE_LOCKED',
  'PRECONDITION_FAILED',
]);

const replyTextBytesMax = 255;

/** An error that closes a channel or a connection, in RabbitMQ's words. */
export class AmqpError extends Error {
  readonly reply: ReplyName;

  constructor(reply: ReplyName, explanation: string, cause?: unknown) {
    super(explanation, cause === undefined ? undefined : { cause });
    this.name = 'AmqpError';
    this.reply = reply;
  }

  get code(): number {
    return ReplyCode[this.reply];
  }

  /** Whether only the channel is closed, if the error is of one. */
  get isOfChannel(): boolean {
    return channelCodes.has(this.reply);
  }

  /** `NOT_FOUND - no queue 'orders' in vhost '/'`, as long as a short text may be. */
  get text(): string {
    const text = `${this.reply} - ${this.message}`;
    if (Buffer.byteLength(text) <= replyTextBytesMax) return text;
    return Buffer.from(text)
      .toString('utf8', 0, replyTextBytesMax)
      .replace(/\uFFFD+$/, '');
  }
}

/** The error that a client gets for any error. */
export function amqpError(error: unknown): AmqpError {
  if (error instanceof AmqpError) return error;
  if (error instanceof WireError) return new AmqpError(wireReplies[error.code], error.message, error);
  if (error instanceof BrokerError) {
    noteRefusal('amqp', error);
    return new AmqpError(brokerReplies[error.code], error.message, error);
  }
  return new AmqpError('INTERNAL_ERROR', 'an internal error; see the log of the broker', error);
}

const wireReplies: { readonly [Code in WireErrorCode]: ReplyName } = {
  'protocol-header': 'FRAME_ERROR',
  'frame-type': 'FRAME_ERROR',
  'frame-too-large': 'FRAME_ERROR',
  'frame-end': 'FRAME_ERROR',
  truncated: 'FRAME_ERROR',
  'bad-field': 'SYNTAX_ERROR',
  'too-deep': 'SYNTAX_ERROR',
};

const brokerReplies: { readonly [Code in BrokerErrorCode]: ReplyName } = {
  'topic-not-found': 'NOT_FOUND',
  'topic-exists': 'PRECONDITION_FAILED',
  'topic-config-invalid': 'PRECONDITION_FAILED',
  'subjects-overlap': 'PRECONDITION_FAILED',
  'group-not-found': 'NOT_FOUND',
  'group-exists': 'PRECONDITION_FAILED',
  'group-config-invalid': 'PRECONDITION_FAILED',
  'consumer-exclusive': 'ACCESS_REFUSED',
  'schedule-config-invalid': 'PRECONDITION_FAILED',
  'schedule-not-found': 'NOT_FOUND',
  'groups-full': 'PRECONDITION_FAILED',
  'message-too-large': 'PRECONDITION_FAILED',
  'message-invalid': 'PRECONDITION_FAILED',
  'producer-fenced': 'PRECONDITION_FAILED',
  'sequence-gap': 'PRECONDITION_FAILED',
  'transaction-unknown': 'PRECONDITION_FAILED',
  'transaction-state': 'PRECONDITION_FAILED',
  'transaction-busy': 'PRECONDITION_FAILED',
  'not-in-transaction': 'PRECONDITION_FAILED',
  'transaction-too-large': 'PRECONDITION_FAILED',
  'transaction-timeout-invalid': 'PRECONDITION_FAILED',
  'transactions-full': 'PRECONDITION_FAILED',
  'topic-full': 'PRECONDITION_FAILED',
  'topic-bytes-full': 'PRECONDITION_FAILED',
  'key-full': 'PRECONDITION_FAILED',
  'wrong-last-offset': 'PRECONDITION_FAILED',
  'wrong-last-key-offset': 'PRECONDITION_FAILED',
  'wrong-last-dedupe-id': 'PRECONDITION_FAILED',
  'offset-not-found': 'NOT_FOUND',
  'not-allowed': 'PRECONDITION_FAILED',
  'limit-reached': 'PRECONDITION_FAILED',
  'rate-exceeded': 'PRECONDITION_FAILED',
  'storage-full': 'PRECONDITION_FAILED',
  'memory-full': 'PRECONDITION_FAILED',
  'storage-failed': 'INTERNAL_ERROR',
  closed: 'CONNECTION_FORCED',
};

/** The virtual host that is the plain name space. */
export const virtualHost = '/';

/** `queue 'orders' in vhost '/'` */
export function shownQueue(name: string, vhost: string = virtualHost): string {
  return `queue '${name}' in vhost '${vhost}'`;
}

/** `exchange 'logs' in vhost '/'` */
export function shownExchange(name: string, vhost: string = virtualHost): string {
  return `exchange '${name}' in vhost '${vhost}'`;
}

/**
 * PRECONDITION_FAILED: something was declared again with another argument. `what` has the words of
 * {@link shownQueue}.
 */
export function inequivalent(
  what: string,
  argument: string,
  received: FieldValue | undefined,
  current: FieldValue | undefined,
): AmqpError {
  const isOneMissing = received === undefined || current === undefined;
  const shown = (value: FieldValue | undefined): string => shownArgument(value, isOneMissing);
  return new AmqpError(
    'PRECONDITION_FAILED',
    `inequivalent arg '${argument}' for ${what}: received ${shown(received)} but current is ${shown(current)}`,
  );
}

/** RabbitMQ names the type of a value if the other one is missing. */
function shownArgument(value: FieldValue | undefined, withType: boolean): string {
  if (value === undefined) return 'none';
  if (typeof value === 'object') return 'another value';
  if (!withType) return `'${value}'`;
  const type = typeof value === 'string' ? 'longstr' : typeof value === 'boolean' ? 'bool' : 'signedint';
  return `the value '${value}' of type '${type}'`;
}
