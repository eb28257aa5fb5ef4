import type { Topic } from '../../broker/index.ts';
import { Reader, readTable, type FieldTable } from '../../wire/amqp/index.ts';

/** The fields of a queue.declare that define a queue. */
export interface QueueDefinition {
  readonly durable: boolean;
  /** Only the connection that declared it may use it, and it is deleted with that connection. */
  readonly exclusive: boolean;
  /** It is deleted when its last consumer leaves. */
  readonly autoDelete: boolean;
  readonly arguments: FieldTable;
}

/** The definition as it is kept with the topic. */
export interface StoredQueue {
  readonly durable: boolean;
  readonly exclusive: boolean;
  readonly autoDelete: boolean;
  /** The encoded table, in base64. */
  readonly arguments: string;
  /** The policies that hold for the queue, and the arguments that it has under them. */
  readonly policy?: {
    readonly name?: string;
    readonly operatorName?: string;
    readonly arguments: string;
  };
}

/** A topic that was not declared by AMQP is a durable queue without arguments. */
const plain: QueueDefinition = { durable: true, exclusive: false, autoDelete: false, arguments: new Map() };
const plainStream: QueueDefinition = { ...plain, arguments: new Map([['x-queue-type', 'stream']]) };

/**
 * What a topic is as a queue. A topic of another protocol that keeps its messages is a stream, too, to
 * clients that ask for one.
 */
export function definitionOf(topic: Pick<Topic, 'config'>, isStreamWanted = false): QueueDefinition {
  const stored = topic.config.attributes['amqp'] as StoredQueue | undefined;
  if (stored === undefined)
    return isStreamWanted && topic.config.retention === 'limits' ? plainStream : plain;
  const { durable, exclusive, autoDelete } = stored;
  return { durable, exclusive, autoDelete, arguments: tableOf(stored.arguments) };
}

/** The arguments that hold for a queue: its own, or those that it has under a policy. */
export function argumentsOf(topic: Pick<Topic, 'config'>): FieldTable {
  const stored = topic.config.attributes['amqp'] as StoredQueue | undefined;
  return stored?.policy ? tableOf(stored.policy.arguments) : definitionOf(topic).arguments;
}

/** The names of the policy and of the operator policy that hold for a queue. */
export function policyNamesOf(topic: Pick<Topic, 'config'>): {
  readonly name?: string;
  readonly operatorName?: string;
} {
  return (topic.config.attributes['amqp'] as StoredQueue | undefined)?.policy ?? {};
}

function tableOf(text: string): FieldTable {
  return readTable(new Reader(Buffer.from(text, 'base64')));
}
