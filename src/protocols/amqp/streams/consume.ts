import { BrokerError, defaultGroup, type Group, type GroupStart, type Topic } from '../../../broker/index.ts';
import type { FieldTable, FieldValue } from '../../../wire/amqp/index.ts';
import type { Channel } from '../channel.ts';
import { AmqpError } from '../errors.ts';
import { SharedStreamConsumer, StreamConsumer } from './stream-consumer.ts';
import { filterArgument, StreamFilter, unfilteredArgument } from './stream-filter.ts';
import { offsetArgument, startOf } from './stream-offset.ts';

/** A group of a consumer that is gone is deleted after this time, should its consumer not have done so. */
const abandonedMs = 60_000;

/** Whether a consumer of a stream has an argument of this name. */
export function isStreamArgument(name: string): boolean {
  return name === offsetArgument || name === filterArgument || name === unfilteredArgument;
}

/** The fields of a basic.consume that count for a stream. */
export interface StreamConsume {
  readonly tag: string;
  readonly noAck: boolean;
  readonly arguments: FieldTable;
  /** Whether all consumers share the group of the queue, of which one is active. */
  readonly isShared: boolean;
}

/** Makes the consumer that a basic.consume of a stream asks for. Rejects with an AmqpError. */
export async function streamConsumer(
  channel: Channel,
  topic: Topic,
  { tag, noAck, arguments: table, isShared }: StreamConsume,
): Promise<StreamConsumer> {
  const { consumerPrefetch, prefetch } = channel;
  const { queues, clock } = channel.session.host;
  const shown = queues.shown(queues.nameOf(topic));
  if (consumerPrefetch === 0)
    throw new AmqpError('PRECONDITION_FAILED', `consumer prefetch count is not set for '${shown}'`);
  if (noAck)
    throw new AmqpError(
      'NOT_IMPLEMENTED',
      `automatic acknowledgement not supported by stream queues ${shown}`,
    );
  if (prefetch > 0) throw new AmqpError('NOT_IMPLEMENTED', `${shown} does not support global qos`);
  const given = table.get(offsetArgument);
  const start = startOf(given, clock.now());
  if (start === undefined)
    throw new AmqpError(
      'PRECONDITION_FAILED',
      `invalid arg '${offsetArgument}' for ${shown}: {invalid_stream_offset_arg,${shownOffset(given)}}`,
    );
  const options = { tag, noAck, prefetch: consumerPrefetch, priority: 0, filter: StreamFilter.of(table) };
  if (isShared) return new SharedStreamConsumer(channel, await sharedGroup(channel, topic, start), options);
  return new StreamConsumer(channel, await ownGroup(channel, topic, start), options);
}

/** An argument as RabbitMQ shows it, if it is a text. */
function shownOffset(value: FieldValue | undefined): string {
  return typeof value === 'string' ? `{longstr,<<"${value}">>}` : typeof value;
}

/** The position of one consumer. Nothing of it is stored. */
function ownGroup({ session }: Channel, topic: Topic, start: GroupStart): Promise<Group> {
  const id = Buffer.from(session.host.broker.random.bytes(12)).toString('base64url');
  return topic.createGroup({
    name: `amqp-stream-${id}`,
    durable: false,
    ack: 'none',
    priority: 'ignore',
    start,
    inactiveMs: abandonedMs,
  });
}

/** The position that all consumers share, which begins where the first of them asks for. */
async function sharedGroup({ session }: Channel, topic: Topic, start: GroupStart): Promise<Group> {
  const { queues } = session.host;
  try {
    return await queues.group(topic, { start, priority: 'ignore', activeConsumers: 'single' });
  } catch (error) {
    // Another consumer has made it meanwhile.
    const group = topic.groups.get(defaultGroup);
    if (group && error instanceof BrokerError && error.code === 'group-exists') return group;
    throw error;
  }
}
