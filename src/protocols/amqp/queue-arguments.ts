import type { GroupOptions, TopicOptions } from '../../broker/index.ts';
import type { FieldTable, FieldValue } from '../../wire/amqp/index.ts';
import { deadLetterPolicy } from './dead-letter-policy.ts';
import { AmqpError } from './errors.ts';

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
    if (value !== 'drop-head' && value !== 'reject-publish')
      throw new Error('expected drop-head or reject-publish');
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
  'x-queue-mode': () => {},
  'x-queue-version': () => {},
  'x-queue-leader-locator': () => {},
  'x-quorum-initial-group-size': () => {},
};

function text(value: FieldValue): void {
  if (typeof value !== 'string') throw new Error('expected a text');
}

/** `shown` are the words for the queue. Throws PRECONDITION_FAILED for an argument that is not understood, or has a value that does not fit. */
export function queueArguments(shown: string, table: FieldTable): QueueArguments {
  const into = { topic: {}, group: {} };
  for (const [name, value] of table) {
    const take = takers[name];
    try {
      if (take) take(value, into);
      else if (name.startsWith('x-')) throw new Error('not supported');
    } catch (error) {
      throw new AmqpError(
        'PRECONDITION_FAILED',
        `invalid arg '${name}' for ${shown}: ${(error as Error).message}`,
      );
    }
  }
  const deadLetter = deadLetterPolicy(table);
  return deadLetter ? { ...into, topic: { ...into.topic, deadLetter } } : into;
}

function wholeNumber(value: FieldValue): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error('expected a whole number from 0');
}
