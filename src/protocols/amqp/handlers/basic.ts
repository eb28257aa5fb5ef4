import {
  BrokerError,
  Collector,
  Receipt,
  type Delivery,
  type Group,
  type Topic,
} from '../../../broker/index.ts';
import { methods, type Arguments, type FieldTable } from '../../../wire/amqp/index.ts';
import type { Channel } from '../channel.ts';
import { AmqpConsumer } from '../consumer.ts';
import { writeDelivery } from '../delivery-writer.ts';
import { AmqpError, shownQueue } from '../errors.ts';
import { checkPermission } from '../permissions.ts';
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
    const topic = findQueue(channel, values.queue);
    checkPermission(channel.session, 'read', 'queue', topic.name);
    checkArguments(topic, values.arguments);
    if (channel.consumers.has(values.consumerTag))
      throw new AmqpError('NOT_ALLOWED', `attempt to reuse consumer tag '${values.consumerTag}'`);
    const group = channel.session.host.queues.group(topic);
    if (group instanceof Promise) return group.then((group) => consume(channel, group, values));
    return consume(channel, group, values);
  }),

  on(methods.basic.cancel, (channel, { consumerTag, noWait }) => {
    const consumer = channel.consumers.get(consumerTag);
    if (consumer) channel.cancel(consumer);
    if (!noWait) channel.send(methods.basic.cancelOk, { consumerTag });
  }),

  on(methods.basic.cancelOk, () => {
    // the answer to basic.cancel of the server
  }),

  on(methods.basic.get, async (channel, { queue, noAck }) => {
    const topic = findQueue(channel, queue);
    checkPermission(channel.session, 'read', 'queue', topic.name);
    await get(channel, await channel.session.host.queues.group(topic), noAck);
  }),

  on(methods.basic.ack, (channel, { deliveryTag, multiple }) =>
    settle(channel, deliveryTag, multiple, (receipt) => receipt.ack()),
  ),

  on(methods.basic.nack, (channel, { deliveryTag, multiple, requeue }) =>
    settle(channel, deliveryTag, multiple, requeue ? requeued : rejected),
  ),

  on(methods.basic.reject, (channel, { deliveryTag, requeue }) =>
    settle(channel, deliveryTag, false, requeue ? requeued : rejected),
  ),

  on(methods.basic.recover, (channel, { requeue }) => {
    recover(channel, requeue);
    channel.send(methods.basic.recoverOk, {});
  }),

  on(methods.basic.recoverAsync, (channel, { requeue }) => recover(channel, requeue)),
];

const requeued = (receipt: Receipt): boolean => receipt.nack();
const rejected = (receipt: Receipt): boolean => receipt.reject('rejected');

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

function consume(channel: Channel, group: Group, values: Consume): void {
  const { noAck, exclusive, noWait, arguments: table } = values;
  const tag = values.consumerTag === '' ? channel.nextConsumerTag() : values.consumerTag;
  const priority = Number(table.get('x-priority') ?? 0);
  const consumer = new AmqpConsumer(channel, group, {
    tag,
    noAck,
    prefetch: channel.consumerPrefetch,
    priority,
  });
  try {
    channel.consume(consumer, exclusive);
  } catch (error) {
    if (!(error instanceof BrokerError && error.code === 'consumer-exclusive')) throw error;
    throw new AmqpError('ACCESS_REFUSED', `${shownQueue(group.topic.name)} in exclusive use`);
  }
  // Deliveries follow in a later turn of the event loop.
  if (!noWait) channel.send(methods.basic.consumeOk, { consumerTag: tag });
}

/** Arguments of a consumer that have no effect in RabbitMQ either. */
const ignoredArguments: ReadonlySet<string> = new Set(['x-cancel-on-ha-failover']);

/** Throws PRECONDITION_FAILED for an argument that would be ignored although it means something. */
function checkArguments(topic: Topic, table: FieldTable): void {
  const wrong = (name: string, why: string): never => {
    throw new AmqpError(
      'PRECONDITION_FAILED',
      `invalid arg '${name}' for a consumer of ${shownQueue(topic.name)}: ${why}`,
    );
  };
  for (const [name, value] of table) {
    if (name === 'x-priority') {
      if (!Number.isSafeInteger(value)) wrong(name, 'expected a whole number');
    } else if (name.startsWith('x-') && !ignoredArguments.has(name)) wrong(name, 'not supported');
  }
}

/** Answers basic.get: with one message, or with get-empty if none is ready. */
function get(channel: Channel, group: Group, noAck: boolean): Promise<void> {
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
      if (receipt === undefined) channel.send(methods.basic.getEmpty, { reserved1: '' });
      // A delivery cannot be acked while it is made.
      else if (noAck || channel.isClosed) queueMicrotask(() => (noAck ? receipt!.ack() : receipt!.release()));
      resolve();
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
  { record, deliveries }: Delivery,
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
      redelivered: deliveries > 1,
      record,
      queue: Buffer.from(topic.name, 'utf8'),
      isDurable: topic.config.durability === 'disk',
      broker: session.host.broker,
    },
    session.frameBytesMax,
  );
  const deliveredMs = session.host.clock.monotonic();
  if (!noAck) unacked.add({ tag, receipt, consumer: undefined, deliveredMs });
}
