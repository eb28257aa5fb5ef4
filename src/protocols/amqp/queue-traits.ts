import type { Topic } from '../../broker/index.ts';
import type { FieldTable } from '../../wire/amqp/index.ts';
import { deadLetterPolicy } from './dead-letter-policy.ts';
import { definitionOf } from './queue-definition.ts';
import { backoffArgument, retryType, type RetryType } from './retry-arguments.ts';

/** The traits of a queue are those arguments that AMQP itself obeys; topic and group obey the others. */
export interface QueueTraits {
  /** Which requeued messages wait; undefined: none. */
  readonly retries: RetryType | undefined;
  /** The time that its consumers have for an answer; undefined: that of the server. */
  readonly consumerTimeoutMs: number | undefined;
  /** Messages with an id that came before are dropped. */
  readonly dropsDuplicates: boolean;
  /** Messages that are refused because it is full become dead letters. */
  readonly buriesRefused: boolean;
  /** Redeliveries say how often the message was delivered before, as those of quorum queues do. */
  readonly countsDeliveries: boolean;
}

/** Arguments that RabbitMQ knows for quorum queues only, and ours of that kind. */
const quorumArguments = ['x-delivery-limit', 'x-delayed-retry-type', 'x-delayed-retry-min', backoffArgument];

/** Whether a publish to the queue takes more than to hand it over. */
export function isSelective(topic: Topic): boolean {
  const { dropsDuplicates, buriesRefused } = traitsOf(topic);
  return dropsDuplicates || buriesRefused;
}

/** Those of topics that no AMQP client has declared. */
const plain: QueueTraits = { ...traits(new Map()), countsDeliveries: true };
/** By what is stored with the topic, which does not change as long as the topic is there. */
const known = new WeakMap<object, QueueTraits>();

export function traitsOf(topic: Topic): QueueTraits {
  const stored = topic.config.attributes['amqp'];
  if (typeof stored !== 'object' || stored === null) return plain;
  let found = known.get(stored);
  if (!found) known.set(stored, (found = traits(definitionOf(topic).arguments)));
  return found;
}

function traits(table: FieldTable): QueueTraits {
  const timeout = table.get('x-consumer-timeout');
  return {
    retries: retryType(table),
    consumerTimeoutMs: typeof timeout === 'number' ? timeout : undefined,
    dropsDuplicates: table.get('x-message-deduplication') === true,
    buriesRefused: table.get('x-overflow') === 'reject-publish-dlx' && deadLetterPolicy(table) !== undefined,
    countsDeliveries:
      table.get('x-queue-type') === 'quorum' || quorumArguments.some((name) => table.has(name)),
  };
}
