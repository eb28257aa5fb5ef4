import type { Topic } from '../../../broker/index.ts';
import type { AmqpConsumer, ManagedConnection } from '../../amqp/index.ts';
import { inTurns } from '../../connections/index.ts';
import type { Api } from '../api.ts';
import { listed } from '../collection.ts';
import { nameOfChannel, nameOfConnection, openChannels, type OpenChannel } from '../open-channels.ts';
import type { ApiReply } from '../reply.ts';
import type { ApiRequest } from '../request.ts';
import { connectionsIn } from './connections.ts';

export async function list(request: ApiRequest, api: Api): Promise<ApiReply> {
  const all = await openConsumers(connectionsIn(request, api), request);
  return listed(request, {
    entries: all,
    nameOf: ({ consumer }) => consumer.tag,
    describe: describeConsumer,
  });
}

/** The consumers of AMQP clients on a queue. */
export async function consumersOfQueue(
  topic: Topic,
  asking: Pick<ApiRequest, 'turns'>,
  { amqp }: Api,
): Promise<object[]> {
  const all = await openConsumers(amqp.connections(), asking, (consumer) => consumer.topic === topic);
  return all.map(describeConsumer);
}

export function consumersOfChannel(open: OpenChannel): object[] {
  return Array.from(open.channel.consumers.values(), (consumer) => describeConsumer({ consumer, open }));
}

/** A consumer and its channel. */
interface OpenConsumer {
  readonly consumer: AmqpConsumer;
  readonly open: OpenChannel;
}

async function openConsumers(
  connections: readonly ManagedConnection[],
  { turns }: Pick<ApiRequest, 'turns'>,
  isWanted: (consumer: AmqpConsumer) => boolean = () => true,
): Promise<OpenConsumer[]> {
  const found: OpenConsumer[] = [];
  await inTurns(await openChannels(connections, turns), turns, (open) => {
    for (const consumer of open.channel.consumers.values())
      if (isWanted(consumer)) found.push({ consumer, open });
  });
  return found;
}

function describeConsumer({ consumer, open }: OpenConsumer): object {
  const { tag, topic, group, noAck, prefetch, priority } = consumer;
  const { channel, connection } = open;
  // A consumer that excludes others is alone.
  const isExclusive = group.consumers === 1 && group.listConsumers()[0]?.exclusive === true;
  const isActive = group.isActive(consumer);
  const { peerHost, peerPort } = connection.ends;
  const { names } = connection.session;
  return {
    consumer_tag: tag,
    queue: { name: names.queueName(topic.name), vhost: names.vhost },
    channel_details: {
      name: nameOfChannel(open),
      number: channel.number,
      connection_name: nameOfConnection(connection),
      peer_host: peerHost,
      peer_port: peerPort,
      node: '',
      user: connection.session.userName,
    },
    ack_required: !noAck,
    prefetch_count: prefetch,
    exclusive: isExclusive,
    active: isActive,
    activity_status: isActive ? 'up' : 'waiting',
    arguments: priority === 0 ? {} : { 'x-priority': priority },
    consumer_timeout: null,
  };
}
