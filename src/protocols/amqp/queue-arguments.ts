import type { GroupOptions, TopicOptions } from '../../broker/index.ts';
import type { FieldTable, FieldValue } from '../../wire/amqp/index.ts';
import { deadLetterPolicy } from './dead-letter-policy.ts';
import { AmqpError } from './errors.ts';
import { inertArgument } from './inert-arguments.ts';
import {
  backoffArgument,
  checkBackoff,
  checkShare,
  jitterArgument,
  retryOptions,
  retryTypes,
  type RetryType,
} from './retry-arguments.ts';

/** What the arguments of a queue.declare ask of the topic and of its group. */
export interface QueueArguments {
  readonly topic: Partial<TopicOptions>;
  readonly group: Partial<GroupOptions>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Takes the value of one argument over; throws a text that says what is wrong with it. */
type Taker = (
  value: FieldValue,
  into: { topic: Mutable<Partial<TopicOptions>>; group: Mutable<Partial<GroupOptions>> },
) => void;

/** The arguments that are understood. Arguments without `x-` are nobody's, and are kept without a meaning. */
const takers: { readonly [name: string]: Taker } = {
  'x-queue-type': (value) => {
    if (value !== 'classic' && value !== 'quorum') throw new Error('expected classic or quorum');
  },
  'x-max-length': (value, { topic }) => void (topic.messagesMax = wholeNumber(value)),
  'x-max-length-bytes': (value, { topic }) => void (topic.bytesMax = wholeNumber(value)),
  'x-overflow': (value, { topic }) => {
    if (value !== 'drop-head' && value !== 'reject-publish' && value !== 'reject-publish-dlx')
      throw new Error('expected drop-head, reject-publish or reject-publish-dlx');
    topic.overflow = value === 'drop-head' ? 'drop-oldest' : 'reject';
  },
  'x-delivery-limit': (value, { group }) => {
    // RabbitMQ counts the deliveries after the first one; -1 is no limit.
    if (value !== -1) group.maxDeliver = wholeNumber(value) + 1;
  },
  // At 0, RabbitMQ still hands a message to a consumer that waits for it.
  'x-message-ttl': (value, { group }) => void (group.messageTtlMs = Math.max(1, wholeNumber(value))),
  'x-max-priority': (value, { topic }) => {
    const highest = wholeNumber(value);
    if (highest > 255) throw new Error('expected a whole number from 0 to 255');
    topic.priorities = highest + 1;
  },
  'x-single-active-consumer': (value, { group }) => {
    if (typeof value !== 'boolean') throw new Error('expected a boolean');
    if (value) group.activeConsumers = 'single';
  },
  'x-dead-letter-exchange': text,
  'x-dead-letter-routing-key': text,
  'x-dead-letter-strategy': (value) => {
    if (value !== 'at-most-once' && value !== 'at-least-once')
      throw new Error('expected at-most-once or at-least-once');
  },
  'x-message-deduplication': (value) => {
    if (typeof value !== 'boolean') throw new Error('expected a boolean');
  },
  'x-cache-ttl': (value, { topic }) => void (topic.dedupeWindowMs = wholeNumber(value, 1)),
  'x-cache-size': (value, { topic }) => void (topic.dedupeEntriesMax = wholeNumber(value, 1)),
  // Queues deletes it.
  'x-expires': (value) => void wholeNumber(value, 1),
  'x-consumer-timeout': (value, { group }) => void (group.ackWaitMs = deadlineOf(wholeNumber(value, 1))),
  'x-delayed-retry-type': (value) => {
    if (!retryTypes.includes(value as RetryType)) throw new Error(`expected ${retryTypes.join(', ')}`);
  },
  'x-delayed-retry-min': (value) => void wholeNumber(value, 1),
  'x-delayed-retry-max': (value) => void wholeNumber(value, 1),
  [backoffArgument]: checkBackoff,
  [jitterArgument]: checkShare,
};

/**
 * The broker's deadline for the answer to a delivery: the channel is closed before it, and gives back what it
 * holds.
 */
export function deadlineOf(consumerTimeoutMs: number): number {
  return consumerTimeoutMs + 60_000;
}

function text(value: FieldValue): void {
  if (typeof value !== 'string') throw new Error('expected a text');
}

/**
 * `shown` are the words for the queue. Throws PRECONDITION_FAILED for an argument that is not understood, or
 * has a value that does not fit.
 */
export function queueArguments(shown: string, table: FieldTable): QueueArguments {
  const into = { topic: {}, group: {} };
  for (const [name, value] of table) {
    const take = Object.hasOwn(takers, name) ? takers[name] : inertArgument(name);
    check(shown, name, () => {
      if (take) take(value, into);
      else if (name.startsWith('x-')) throw new Error('not supported');
    });
  }
  check(shown, 'x-delayed-retry-type', () => Object.assign(into.group, retryOptions(table)));
  const deadLetter = deadLetterPolicy(table);
  return deadLetter ? { ...into, topic: { ...into.topic, deadLetter } } : into;
}

/** Adds the name of the argument to the text that `take` throws. */
function check(shown: string, name: string, take: () => void): void {
  try {
    take();
  } catch (error) {
    throw new AmqpError(
      'PRECONDITION_FAILED',
      `invalid arg '${name}' for ${shown}: ${(error as Error).message}`,
    );
  }
}

function wholeNumber(value: FieldValue, min: number = 0): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min) return value;
  throw new Error(`expected a whole number from ${min}`);
}
