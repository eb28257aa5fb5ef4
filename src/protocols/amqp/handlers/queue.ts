import { defaultGroup, type Group, type Topic } from '../../../broker/index.ts';
import { methods, type Arguments } from '../../../wire/amqp/index.ts';
import type { Channel } from '../channel.ts';
import { isReplyName } from '../direct-replies.ts';
import { AmqpError } from '../errors.ts';
import type { Destination, Exchange } from '../exchanges/index.ts';
import { checkPermission } from '../permissions.ts';
import { asksForStream } from '../streams/index.ts';
import { checkNoStream, checkReserved, isStream } from '../queues.ts';
import { checkNotDefault } from './exchange.ts';
import { on, type Handling } from './handler.ts';

type Declare = Arguments<typeof methods.queue.declare>;

/** The class queue. */
export const queueHandlers: readonly Handling[] = [
  on(methods.queue.declare, (channel, values) => {
    if (isReplyName(values.queue)) return declareReplies(channel, values);
    const topic = declare(channel, values);
    if (topic instanceof Promise) return topic.then((topic) => answer(channel, values, topic));
    return answer(channel, values, topic);
  }),

  on(methods.queue.bind, async (channel, values) => {
    const { source, destination, routingKey } = endsOf(channel, values);
    await channel.session.host.exchanges.bind(source, destination, routingKey, values.arguments);
    if (!values.noWait) channel.send(methods.queue.bindOk, {});
  }),

  on(methods.queue.unbind, async (channel, values) => {
    const { exchanges } = channel.session.host;
    const { source, destination, routingKey } = endsOf(channel, values);
    const binding = exchanges.binding(source, destination, routingKey, values.arguments);
    if (binding) await exchanges.unbind(binding);
    channel.send(methods.queue.unbindOk, {});
  }),

  on(methods.queue.purge, async (channel, { queue, noWait }) => {
    const topic = findQueue(channel, queue);
    const { queues } = channel.session.host;
    const name = queues.nameOf(topic);
    checkPermission(channel.session, 'read', 'queue', name);
    checkNoStream(queues, topic, 'queue.purge');
    let messageCount = 0;
    for (const partition of topic.partitions.opened) messageCount += await topic.purge(partition, {});
    if (!noWait) channel.send(methods.queue.purgeOk, { messageCount });
  }),

  on(methods.queue.delete, async (channel, { queue, ifUnused, ifEmpty, noWait }) => {
    const { session } = channel;
    const name = nameOf(channel, queue);
    // A queue of replies ends with its consumer.
    if (isReplyName(name)) {
      if (!noWait) channel.send(methods.queue.deleteOk, { messageCount: 0 });
      return;
    }
    checkPermission(session, 'configure', 'queue', name);
    const topic = session.host.queues.get(name, session);
    const group = topic?.groups.get(defaultGroup);
    if (topic && ifUnused && hasConsumers(topic))
      throw new AmqpError('PRECONDITION_FAILED', `${session.host.queues.shown(name)} in use`);
    if (topic && ifEmpty && topic.count > 0)
      throw new AmqpError('PRECONDITION_FAILED', `${session.host.queues.shown(name)} not empty`);
    const messageCount = topic === undefined ? 0 : countOf(topic, group);
    channel.holdCancels();
    try {
      await topic?.delete();
      if (!noWait) channel.send(methods.queue.deleteOk, { messageCount });
    } finally {
      channel.sendCancels();
    }
  }),
];

/** A declaration of a queue of replies only asks whether its requester is there. */
function declareReplies(channel: Channel, { queue, noWait }: Declare): void {
  const { replies, queues } = channel.session.host;
  if (!replies.has(queue)) throw new AmqpError('NOT_FOUND', `no ${queues.shown(queue)}`);
  channel.lastQueue = queue;
  if (!noWait) channel.send(methods.queue.declareOk, { queue, messageCount: 0, consumerCount: 1 });
}

/** The queue that is declared: one that is there, or a new one. */
function declare(channel: Channel, values: Declare): Topic | Promise<Topic> {
  const { session } = channel;
  const { queues, broker } = session.host;
  const { passive, durable, exclusive, autoDelete, arguments: table } = values;
  if (passive) return withGroup(channel, findQueue(channel, values.queue));
  const given = values.queue.replaceAll(/[\r\n]/g, '');
  // A server-named queue, as RabbitMQ names it.
  const name = given === '' ? `amq.gen-${Buffer.from(broker.random.bytes(16)).toString('base64url')}` : given;
  checkPermission(session, 'configure', 'queue', name);
  const definition = { durable, exclusive, autoDelete, arguments: table };
  if (given === '' && asksForStream(table))
    throw new AmqpError(
      'PRECONDITION_FAILED',
      'Cannot declare a server-named queue for type rabbit_stream_queue',
    );
  const known = queues.get(name, session);
  if (known) {
    queues.checkEquivalent(known, definition);
    queues.used(known);
    return withGroup(channel, known);
  }
  if (given !== '') checkReserved('queue', name);
  return queues.declare(name, definition, session);
}

/** A topic of another protocol gets its group now. A stream needs none. */
function withGroup(channel: Channel, topic: Topic): Topic | Promise<Topic> {
  if (isStream(topic)) return topic;
  const group = channel.session.host.queues.group(topic);
  return group instanceof Promise ? group.then(() => topic) : topic;
}

function answer(channel: Channel, { noWait }: Declare, topic: Topic): void {
  const queue = channel.session.host.queues.nameOf(topic);
  channel.lastQueue = queue;
  if (noWait) return;
  // As in RabbitMQ, the readers of a stream are not counted.
  const group = isStream(topic) ? undefined : topic.groups.get(defaultGroup);
  channel.send(methods.queue.declareOk, {
    queue,
    messageCount: countOf(topic, group),
    consumerCount: group?.consumers ?? 0,
  });
}

/** A stream has consumers in groups of their own. */
function hasConsumers(topic: Topic): boolean {
  const groups = isStream(topic) ? [...topic.groups.values()] : [topic.groups.get(defaultGroup)];
  return groups.some((group) => group !== undefined && group.consumers > 0);
}

/** Messages that are ready, as far as 32 bits can say. */
export function countOf(topic: Topic, group: Group | undefined): number {
  return Math.min(group?.deliverable ?? topic.durableCount, 0xffff_ffff);
}

/** The name of a queue in a method: an empty one is the queue that the channel declared last. */
function nameOf(channel: Channel, name: string): string {
  if (name !== '') return name;
  if (channel.lastQueue === '') throw new AmqpError('NOT_FOUND', 'no previously declared queue');
  return channel.lastQueue;
}

/** Throws NOT_FOUND or RESOURCE_LOCKED. */
export function findQueue(channel: Channel, name: string): Topic {
  return channel.session.host.queues.find(nameOf(channel, name), channel.session);
}

/** The two ends of a binding. Throws if the client may not bind them. */
function endsOf(
  channel: Channel,
  {
    queue,
    exchange,
    routingKey,
  }: Pick<Arguments<typeof methods.queue.bind>, 'queue' | 'exchange' | 'routingKey'>,
): { readonly source: Exchange; readonly destination: Destination; readonly routingKey: string } {
  const { session } = channel;
  const topic = findQueue(channel, queue);
  checkNotDefault(exchange);
  const name = session.host.queues.nameOf(topic);
  checkPermission(session, 'write', 'queue', name);
  checkPermission(session, 'read', 'exchange', exchange);
  return {
    source: session.host.exchanges.find(exchange),
    destination: { kind: 'queue', topic },
    // Without both names, the queue that was declared last is meant, and its name is the routing key.
    routingKey: queue === '' && routingKey === '' ? name : routingKey,
  };
}
