import {
  recordOf,
  type PublishListener,
  type PublishToAllOptions,
  type Record,
  type Topic,
} from '../../../broker/index.ts';
import {
  contentSize,
  methods,
  readProperties,
  withHeaders,
  withReplyTo,
  writeContent,
  type FieldTable,
  type Properties,
} from '../../../wire/amqp/index.ts';
import { blindCopyHeader, carbonCopies, copyHeader } from '../carbon-copies.ts';
import type { Channel } from '../channel.ts';
import { toAll } from '../confirms.ts';
import type { Content } from '../content.ts';
import { replyQueue } from '../direct-replies.ts';
import { withDelayOver } from '../exchanges/index.ts';
import { AmqpError, ReplyCode } from '../errors.ts';
import { publicationOf, publishTo, type Publication } from '../publication.ts';
import { routeOf } from '../publish-route.ts';
import type { PublishRoute } from '../publish-target.ts';
import type { Session } from '../session.ts';
import { publishWide, widthOf } from '../wide-publish.ts';

/** The flags of properties that always mean something for the publish: priority, expiration, user-id. */
const meaningfulFlags = 0x0910;
/** The headers mean something if they mention copies, and `reply-to` if it asks for direct replies. */
const headersFlag = 0x2000;
const replyToFlag = 0x0200;
const copyBytes = Buffer.from(copyHeader);
const replyQueueBytes = Buffer.from(replyQueue);
const noKeys: readonly string[] = [];
const noTable: FieldTable = new Map();
/** What one more queue costs, in steps of routing. */
const stepsPerQueue = 10;

/** Is told of publishes without confirms: there is no one to tell. */
const deaf: PublishListener<number> = { published: () => {}, refused: () => {} };

/** Takes a basic.publish, `buffer[start, end)`; its content follows. */
export function beginPublish(channel: Channel, buffer: Buffer, start: number, end: number): void {
  let { target } = channel;
  if (!target?.isOf(buffer, start, end)) {
    const { targets, exchanges } = channel.session.host;
    channel.target = target = targets.find(buffer, start, end, exchanges.generation);
  }
  if (target.immediate) throw new AmqpError('NOT_IMPLEMENTED', 'immediate=true');
  channel.content.begin(target, buffer, start + target.keyOffset);
}

/** Publishes the message whose content is complete. A promise: its last queues get it in a later turn. */
export function publish(channel: Channel): void | Promise<void> {
  const { session, content } = channel;
  const target = content.target!;
  const properties = isPlain(content.properties) ? undefined : readProperties(content.properties);
  const copies = properties ? takeProperties(channel, properties) : noKeys;
  const options = properties && optionsOf(properties);
  const given = (): Properties => properties ?? readProperties(content.properties);
  const route = routeOf(session, target, { copies, properties: given });
  const record = copies.length > 0 ? withKey(content.record, target.routingKey) : content.record;
  for (const address of route.replies) session.host.replies.deliver(address, record);
  if (route.topics.length === 0 && target.mandatory) giveBack(channel, content);
  const more = route.topics.length + route.delayed.length - 1;
  if (more > 0) session.host.exchanges.steps += more * stepsPerQueue;
  if (route.delayed.length > 0 || route.isSelective)
    return publishInParts(channel, route, record, options, given());
  return publishToTopics(channel, route.topics, record, options);
}

/** Most messages: all queues want it now, and as it is. */
function publishToTopics(
  { session, confirms, transaction }: Channel,
  topics: readonly Topic[],
  record: Record,
  options: PublishToAllOptions | undefined,
): void | Promise<void> {
  if (transaction) {
    if (topics.length > 0) transaction.publish([{ topics, options }], record);
    return;
  }
  const { broker, limits } = session.host;
  const listener = confirms ?? deaf;
  const tag = confirms?.next() ?? 0;
  if (topics.length === 1 && options === undefined) topics[0]!.publish(record, undefined, listener, tag);
  else if (topics.length === 0) listener.published(tag, 0, 0, false);
  else if (topics.length <= limits.queuesPerCommitMax)
    broker.publishToAll(topics, record, options, 'all-or-none', toAll, { listener, tag });
  else return publishParts(session, [{ topics, options }], record, listener, tag);
}

/** A message that some queues get later, or look at before they take it. */
function publishInParts(
  { session, content, confirms, transaction }: Channel,
  route: PublishRoute,
  record: Record,
  options: PublishToAllOptions | undefined,
  properties: Properties,
): void | Promise<void> {
  const publication = publicationOf(route, { options, properties, nowMs: session.host.clock.now() });
  if (route.delayed.length > 0) content.rewrite(withDelayOver(content.properties, properties));
  if (transaction) transaction.publish(publication, record);
  else return publishParts(session, publication, record, confirms ?? deaf, confirms?.next() ?? 0);
}

/** In one commit, unless they are for too many queues. */
function publishParts(
  { host }: Session,
  publication: Publication,
  record: Record,
  listener: PublishListener<number>,
  tag: number,
): void | Promise<void> {
  const { queuesPerCommitMax } = host.limits;
  if (widthOf(publication) <= queuesPerCommitMax) publishTo(host, publication, record, listener, tag);
  else return publishWide(host, publication, record, listener, tag, queuesPerCommitMax);
}

/** Whether the properties ask for nothing: most do. */
function isPlain(properties: Buffer): boolean {
  const flags = properties.readUInt16BE(0);
  if ((flags & meaningfulFlags) !== 0) return false;
  if ((flags & headersFlag) !== 0 && properties.includes(copyBytes)) return false;
  return (flags & replyToFlag) === 0 || !properties.includes(replyQueueBytes);
}

/**
 * Checks the properties, and rewrites those that consumers see otherwise. Returns the routing keys that the
 * headers name.
 */
function takeProperties(channel: Channel, properties: Properties): readonly string[] {
  const { session, content, replies } = channel;
  checkUserId(session, properties);
  const { keys, isBlind } = carbonCopies(properties.headers);
  if (properties.replyTo === replyQueue) {
    if (!replies) throw new AmqpError('PRECONDITION_FAILED', 'fast reply consumer does not exist');
    content.rewrite(withReplyTo(content.properties, replies.address));
  }
  if (isBlind) content.rewrite(withHeaders(content.properties, [blindCopyHeader], noTable));
  return keys;
}

/** A message for several queues by name keeps its routing key, which only one of them has as its name. */
function withKey(record: Record, key: string): Record {
  if (record.keyStart >= 0 || key === '') return record;
  return recordOf({ key, headers: record.headers, value: record.value });
}

/** What the properties ask of the publish; undefined for most messages. */
export function optionsOf(properties: Properties): PublishToAllOptions | undefined {
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

export function checkUserId({ userName }: Pick<Session, 'userName'>, { userId }: Properties): void {
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
