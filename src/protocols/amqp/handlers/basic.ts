import {
  BrokerError,
  Collector,
  Receipt,
  type Delivery,
  type Group,
  type Topic,
} from '../../../broker/index.ts';
import { methods, type Arguments, type FieldTable, type FieldValue } from '../../../wire/amqp/index.ts';
import { untilCommitted } from '../../last-commit.ts';
import type { Channel } from '../channel.ts';
import { AmqpConsumer } from '../consumer.ts';
import { writeDelivery } from '../delivery-writer.ts';
import { replyQueue } from '../direct-replies.ts';
import { AmqpError } from '../errors.ts';
import { checkPermission } from '../permissions.ts';
import { definitionOf } from '../queue-definition.ts';
import { traitsOf } from '../queue-traits.ts';
import { checkNoStream, isStream, typeOf } from '../queues.ts';
import type { RetryType } from '../retry-arguments.ts';
import { isStreamArgument, offsetArgument, streamConsumer } from '../streams/index.ts';
import { on, type Handling } from './handler.ts';
import { countOf, findQueue } from './queue.ts';

type Consume = Arguments<typeof methods.basic.consume>;

/** The class basic, besides publish. */
export const basicHandlers: readonly Handling[] = [
  /** As in RabbitMQ, `global` means the channel; otherwise each consumer that is yet to come. */
  on(methods.basic.qos, (channel, { prefetchSize, prefetchCount, global }) => {
    if (prefetchSize !== 0) throw new AmqpError('NOT_IMPLEMENTED', `prefetch_size!=0 (${prefetchSize})`);
    if (global) channel.prefetch = prefetchCount;
    else channel.consumerPrefetch = prefetchCount;
    if (global) channel.wakeConsumers();
    channel.send(methods.basic.qosOk, {});
  }),

  on(methods.basic.consume, (channel, values) => {
    if (values.queue === replyQueue) return consumeReplies(channel, values);
    const topic = findQueue(channel, values.queue);
    checkPermission(channel.session, 'read', 'queue', channel.session.host.queues.nameOf(topic));
    const asStream = isReadAsStream(topic, values.arguments);
    checkArguments(channel, topic, values.arguments, asStream);
    checkTag(channel, values.consumerTag);
    if (asStream) return consumeStream(channel, topic, values);
    const group = channel.session.host.queues.group(topic);
    if (group instanceof Promise) return group.then((group) => consume(channel, group, values));
    return consume(channel, group, values);
  }),

  on(methods.basic.cancel, (channel, { consumerTag, noWait }) => {
    const consumer = channel.consumers.get(consumerTag);
    if (consumer) channel.cancel(consumer);
    if (channel.replies?.tag === consumerTag) channel.closeReplies();
    if (!noWait) channel.send(methods.basic.cancelOk, { consumerTag });
  }),

  on(methods.basic.cancelOk, () => {
    // the answer to basic.cancel of the server
  }),

  on(methods.basic.get, async (channel, { queue, noAck }) => {
    const topic = findQueue(channel, queue);
    const { queues } = channel.session.host;
    const name = queues.nameOf(topic);
    checkPermission(channel.session, 'read', 'queue', name);
    checkNoStream(queues, topic, 'basic.get');
    queues.used(topic);
    await get(channel, await queues.group(topic), noAck);
  }),

  on(methods.basic.ack, (channel, { deliveryTag, multiple }) =>
    settle(channel, deliveryTag, multiple, (receipt) => receipt.ack()),
  ),

  on(methods.basic.nack, (channel, { deliveryTag, multiple, requeue }) =>
    settle(channel, deliveryTag, multiple, requeue ? returned : rejected),
  ),

  on(methods.basic.reject, (channel, { deliveryTag, requeue }) =>
    settle(channel, deliveryTag, false, requeue ? failed : rejected),
  ),

  on(methods.basic.recover, (channel, { requeue }) => {
    recover(channel, requeue);
    channel.send(methods.basic.recoverOk, {});
  }),

  on(methods.basic.recoverAsync, (channel, { requeue }) => recover(channel, requeue)),
];

/** A nack returns a message, and a reject says that it failed: `x-delayed-retry-type` makes a difference. */
const returned = (receipt: Receipt): boolean => requeue(receipt, 'returned');
const failed = (receipt: Receipt): boolean => requeue(receipt, 'failed');
const rejected = (receipt: Receipt): boolean => receipt.reject('rejected');

/** The message waits for the backoff of its group, or comes again at once. */
function requeue(receipt: Receipt, why: RetryType): boolean {
  const { retries } = traitsOf(receipt.group.topic as Topic);
  const waits = retries === undefined || retries === 'all' || retries === why;
  return waits ? receipt.nack() : receipt.nack(0);
}

/** Answers deliveries now, or when the transaction is committed. */
function settle(channel: Channel, tag: number, multiple: boolean, how: (receipt: Receipt) => boolean): void {
  const deliveries = channel.take(tag, multiple);
  if (channel.transaction) channel.transaction.answer(deliveries, how);
  else channel.answer(deliveries, how);
}

/** All unanswered deliveries go back to their queues. */
function recover(channel: Channel, requeue: boolean): void {
  if (!requeue) throw new AmqpError('NOT_IMPLEMENTED', 'requeue=false');
  channel.answer(channel.unacked.takeAll(), (receipt) => receipt.release());
}

function checkTag({ consumers }: Channel, tag: string): void {
  if (consumers.has(tag)) throw new AmqpError('NOT_ALLOWED', `attempt to reuse consumer tag '${tag}'`);
}

/** Makes a channel a requester: see direct-replies.ts. */
function consumeReplies(channel: Channel, { consumerTag, noAck, noWait }: Consume): void {
  // A second consumer of replies is refused as such, whatever its tag.
  if (!channel.replies) checkTag(channel, consumerTag);
  if (!noAck) throw new AmqpError('PRECONDITION_FAILED', 'reply consumer cannot acknowledge');
  const tag = consumerTag === '' ? channel.nextConsumerTag() : consumerTag;
  channel.replies = channel.session.host.replies.open(channel, tag);
  if (!noWait) channel.send(methods.basic.consumeOk, { consumerTag: tag });
}

function consume(channel: Channel, group: Group, values: Consume): void {
  const { noAck, arguments: table } = values;
  const tag = values.consumerTag === '' ? channel.nextConsumerTag() : values.consumerTag;
  const priority = Number(table.get('x-priority') ?? 0);
  const consumer = new AmqpConsumer(channel, group, {
    tag,
    noAck,
    prefetch: channel.consumerPrefetch,
    priority,
    timeoutMs: table.get('x-consumer-timeout') as number | undefined,
  });
  attach(channel, consumer, values);
}

/** Whether a consumer reads a queue as a stream: one of RabbitMQ, or a topic that keeps its messages. */
function isReadAsStream(topic: Topic, table: FieldTable): boolean {
  return isStream(topic) || (topic.config.retention === 'limits' && table.has(offsetArgument));
}

async function consumeStream(channel: Channel, topic: Topic, values: Consume): Promise<void> {
  const tag = values.consumerTag === '' ? channel.nextConsumerTag() : values.consumerTag;
  const isShared = definitionOf(topic).arguments.get('x-single-active-consumer') === true;
  const consumer = await streamConsumer(channel, topic, { ...values, tag, isShared });
  // The connection may have ended meanwhile.
  if (channel.isClosed) consumer.leave();
  else attach(channel, consumer, values);
}

function attach(channel: Channel, consumer: AmqpConsumer, { exclusive, noWait }: Consume): void {
  try {
    channel.consume(consumer, exclusive);
  } catch (error) {
    if (!(error instanceof BrokerError && error.code === 'consumer-exclusive')) throw error;
    const { queues } = channel.session.host;
    throw new AmqpError('ACCESS_REFUSED', `${queues.shown(queues.nameOf(consumer.topic))} in exclusive use`);
  }
  // Deliveries follow in a later turn of the event loop.
  if (!noWait) channel.send(methods.basic.consumeOk, { consumerTag: consumer.tag });
}

/** Arguments of a consumer that have no effect in RabbitMQ either. */
const ignoredArguments: ReadonlySet<string> = new Set(['x-cancel-on-ha-failover']);

/** Throws PRECONDITION_FAILED for an argument that would be ignored although it means something. */
function checkArguments({ session }: Channel, topic: Topic, table: FieldTable, ofStream: boolean): void {
  const { queues } = session.host;
  const shown = queues.shown(queues.nameOf(topic));
  const wrong = (text: string): AmqpError => new AmqpError('PRECONDITION_FAILED', text);
  for (const [name, value] of table) {
    if (ignoredArguments.has(name) || !name.startsWith('x-') || (ofStream && isStreamArgument(name)))
      continue;
    if (ofStream || isStreamArgument(name))
      throw wrong(`invalid arg '${name}' for ${shown} of queue type ${typeOf(topic)}`);
    const problem = problemOf(name, value);
    if (problem) throw wrong(`invalid arg '${name}' for a consumer of ${shown}: ${problem}`);
  }
}

function problemOf(name: string, value: FieldValue): string | undefined {
  if (name !== 'x-priority' && name !== 'x-consumer-timeout') return 'not supported';
  const min = name === 'x-priority' ? -Infinity : 1;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min) return undefined;
  return min === 1 ? 'expected a whole number from 1' : 'expected a whole number';
}

/** A get that finds messages on their way to the disk, and no other, waits for them no longer than this. */
const commitWaitMs = 5_000;

/**
 * Answers basic.get: with one message, or with get-empty if none is ready. In RabbitMQ a message is in its
 * queue as soon as it is published, so that a client finds what it has published before; here the get waits
 * for the commit.
 */
async function get(channel: Channel, group: Group, noAck: boolean): Promise<void> {
  if (await handOverOne(channel, group, noAck)) return;
  if (group.deliverable > 0) {
    await untilCommitted(channel.session.host.broker, commitWaitMs);
    if (await handOverOne(channel, group, noAck)) return;
  }
  channel.send(methods.basic.getEmpty, { reserved1: '' });
}

/** Hands over a message that is ready; resolves to false if none is. */
function handOverOne(channel: Channel, group: Group, noAck: boolean): Promise<boolean> {
  const { session } = channel;
  const { clock } = session.host;
  return new Promise((resolve) => {
    let receipt: Receipt | undefined;
    const collected = (delivery: Delivery): number => {
      receipt = Receipt.of(group, delivery);
      handOver(channel, group, delivery, receipt, noAck);
      return delivery.bytes;
    };
    const completed = (): void => {
      // A delivery cannot be acked while it is made.
      if (receipt && (noAck || channel.isClosed))
        queueMicrotask(() => (noAck ? receipt!.ack() : receipt!.release()));
      resolve(receipt !== undefined);
    };
    new Collector(
      clock,
      { messagesMax: 1, idle: 'answer', takesAnyFirst: true, connection: session.id },
      { collected, completed },
    ).attach(group);
  });
}

function handOver(
  channel: Channel,
  group: Group,
  { record, deliveries, attempt }: Delivery,
  receipt: Receipt,
  noAck: boolean,
): void {
  if (channel.isClosed) return;
  const { session, unacked } = channel;
  const { topic } = group;
  const tag = unacked.nextTag();
  writeDelivery(
    session.output,
    { kind: 'get', messageCount: countOf(topic, group) },
    {
      channel: channel.number,
      deliveryTag: tag,
      deliveries,
      attempt,
      showsCounts: deliveries > 1 && traitsOf(topic).countsDeliveries,
      record,
      queue: Buffer.from(session.host.queues.nameOf(topic), 'utf8'),
      isDurable: topic.config.durability === 'disk',
      showsOffset: false,
      broker: session.host.broker,
      names: session.names,
    },
    session.frameBytesMax,
  );
  const deliveredMs = session.host.clock.monotonic();
  const timeoutMs = traitsOf(topic).consumerTimeoutMs ?? session.host.limits.consumerTimeoutMs;
  if (!noAck) unacked.add({ tag, receipt, consumer: undefined, deliveredMs, timeoutMs });
}
