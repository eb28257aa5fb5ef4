import type { Topic } from '../../../broker/index.ts';
import type { AmqpConsumer } from '../../amqp/index.ts';
import type { Api } from '../api.ts';
import { listed } from '../collection.ts';
import { channelsOf, nameOfChannel, nameOfConnection, type OpenChannel } from '../open-channels.ts';
import type { ApiReply } from '../reply.ts';
import type { ApiRequest } from '../request.ts';
import { connectionsIn } from './connections.ts';

export function list(request: ApiRequest, api: Api): Promise<ApiReply> {
  const channels = connectionsIn(request, api).flatMap(channelsOf);
  return listed(request, {
    entries: channels.flatMap(consumersOfChannel),
    nameOf: ({ consumer_tag }) => consumer_tag,
    describe: (consumer) => consumer,
  });
}

/** A consumer as it is listed. */
interface ConsumerJson {
  readonly consumer_tag: string;
  readonly [field: string]: unknown;
}

/** The consumers of AMQP clients on a queue. */
export function consumersOfQueue(topic: Topic, { amqp }: Api): ConsumerJson[] {
  return amqp
    .connections()
    .flatMap(channelsOf)
    .flatMap((open) => consumersOf(open, (consumer) => consumer.topic === topic));
}

export function consumersOfChannel(open: OpenChannel): ConsumerJson[] {
  return consumersOf(open, () => true);
}

function consumersOf(open: OpenChannel, isWanted: (consumer: AmqpConsumer) => boolean): ConsumerJson[] {
  return [...open.channel.consumers.values()]
    .filter(isWanted)
    .map((consumer) => describeConsumer(consumer, open));
}

function describeConsumer(consumer: AmqpConsumer, open: OpenChannel): ConsumerJson {
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
