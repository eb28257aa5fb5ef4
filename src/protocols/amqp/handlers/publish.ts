import type { PublishListener, PublishToAllOptions, Topic } from '../../../broker/index.ts';
import {
  contentSize,
  methods,
  readProperties,
  Reader,
  writeContent,
  type FieldTable,
  type Properties,
} from '../../../wire/amqp/index.ts';
import type { Channel } from '../channel.ts';
import { toAll } from '../confirms.ts';
import type { Content } from '../content.ts';
import { AmqpError, ReplyCode, shownExchange } from '../errors.ts';
import { checkPermission } from '../permissions.ts';
import { PublishTarget } from '../publish-target.ts';
import type { Session } from '../session.ts';

/** The flags of properties that mean something for the publish: priority, expiration, user-id. */
const meaningfulFlags = 0x0910;
/** Class and method, and the reserved argument of basic.publish. */
const headBytes = 6;

/** Is told of publishes without confirms: there is no one to tell. */
const deaf: PublishListener<number> = { published: () => {}, refused: () => {} };

/** Takes a basic.publish, `buffer[start, end)`; its content follows. */
export function beginPublish(channel: Channel, buffer: Buffer, start: number, end: number): void {
  let { target } = channel;
  if (!target?.isOf(buffer, start, end)) channel.target = target = readTarget(buffer, start, end);
  if (target.immediate) throw new AmqpError('NOT_IMPLEMENTED', 'immediate=true');
  channel.content.begin(target, buffer, start + target.keyOffset);
}

function readTarget(buffer: Buffer, start: number, end: number): PublishTarget {
  const reader = new Reader(buffer, start + headBytes, end);
  const exchange = reader.shortstr();
  const keyOffset = reader.position + 1 - start;
  const routingKey = reader.shortstr();
  return new PublishTarget(Buffer.from(buffer.subarray(start, end)), {
    exchange,
    routingKey,
    keyOffset,
    flags: reader.u8(),
  });
}

/** Publishes the message whose content is complete. */
export function publish(channel: Channel): void {
  const { session, content, confirms, transaction } = channel;
  const target = content.target!;
  const isPlain = (content.properties.readUInt16BE(0) & meaningfulFlags) === 0;
  const properties = isPlain ? undefined : readProperties(content.properties);
  if (properties) checkUserId(session, properties);
  const options = properties && optionsOf(properties);
  const topics = routeOf(session, target, content);
  if (topics.length === 0 && target.mandatory) giveBack(channel, content);
  if (transaction) {
    if (topics.length > 0) transaction.publish(topics, content.record, options);
    return;
  }
  const listener = confirms ?? deaf;
  const tag = confirms?.next() ?? 0;
  if (topics.length === 1 && options === undefined)
    topics[0]!.publish(content.record, undefined, listener, tag);
  else if (topics.length === 0) listener.published(tag, 0, 0, false);
  else
    session.host.broker.publishToAll(topics, content.record, options, 'all-or-none', toAll, {
      listener,
      tag,
    });
}

/** What the properties ask of the publish; undefined for most messages. */
function optionsOf(properties: Properties): PublishToAllOptions | undefined {
  const ttlMs = ttlOf(properties);
  const { priority = 0 } = properties;
  if (priority === 0) return ttlMs === undefined ? undefined : { ttlMs };
  return { priority, ...(ttlMs !== undefined && { ttlMs }) };
}

/** The time to live of a message. Throws PRECONDITION_FAILED if its expiration is no number. */
function ttlOf({ expiration }: Properties): number | undefined {
  if (expiration === undefined) return undefined;
  if (!/^\d{1,15}$/.test(expiration))
    throw new AmqpError('PRECONDITION_FAILED', `invalid expiration '${expiration}': no_integer`);
  return Math.max(1, Number(expiration));
}

/** The queues that a message goes to. Throws NOT_FOUND or ACCESS_REFUSED. */
function routeOf(session: Session, target: PublishTarget, content: Content): readonly Topic[] {
  const { exchanges } = session.host;
  const { generation } = exchanges;
  if (target.isRouted && target.generation === generation && target.access === session.access)
    return target.topics;
  if (target.generation !== generation || target.access !== session.access) admit(session, target);
  target.generation = generation;
  target.access = session.access;
  if (target.exchange === '') {
    const topic = session.host.broker.topic(target.routingKey);
    target.topics = topic ? [topic] : [];
    target.isRouted = true;
    return target.topics;
  }
  const { topics, isOfKey } = exchanges.route(target.source!, {
    routingKey: target.routingKey,
    headers: () => headersOf(content),
  });
  target.topics = topics;
  target.isRouted = isOfKey;
  return topics;
}

/** Checks that the exchange exists and that the client may publish to it. */
function admit(session: Session, target: PublishTarget): void {
  const { exchange: name, routingKey } = target;
  target.isRouted = false;
  // The default exchange is as good as the queue.
  if (name === '') return checkPermission(session, 'write', 'queue', routingKey);
  checkPermission(session, 'write', 'exchange', name);
  target.source = session.host.exchanges.find(name);
  if (target.source.definition.internal)
    throw new AmqpError('ACCESS_REFUSED', `cannot publish to internal ${shownExchange(name)}`);
}

function headersOf({ properties }: Content): FieldTable {
  return readProperties(properties).headers ?? new Map();
}

function checkUserId({ userName }: Session, { userId }: Properties): void {
  if (userId !== undefined && userId !== userName)
    throw new AmqpError(
      'PRECONDITION_FAILED',
      `user_id property set to '${userId}' but authenticated user was '${userName}'`,
    );
}

/** Returns a message without a route. */
function giveBack(channel: Channel, { record, properties, target }: Content): void {
  const { session, number } = channel;
  const { exchange, routingKey } = target!;
  channel.send(methods.basic.return, {
    replyCode: ReplyCode.NO_ROUTE,
    replyText: 'NO_ROUTE',
    exchange,
    routingKey,
  });
  const content = {
    properties,
    body: record.buffer,
    bodyStart: record.valueStart,
    bodyEnd: record.valueEnd,
  };
  const bytes = contentSize(properties.length, record.valueEnd - record.valueStart, session.frameBytesMax);
  const at = session.output.reserve(bytes);
  writeContent(session.output.buffer, at, number, content, session.frameBytesMax);
}
