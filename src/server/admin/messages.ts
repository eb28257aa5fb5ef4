import type {
  MessageJson,
  MessagesJson,
  MessageToPublishJson,
  PublishedJson,
  PublishJson,
  PublishResultsJson,
} from '../../admin-api/index.ts';
import {
  BrokerError,
  LiveMessage,
  publishLive,
  type Header,
  type Message,
  type PublishOptions,
  type Topic,
} from '../../broker/index.ts';
import { HttpError } from '../../protocols/index.ts';
import { isPublishSubject } from '../../util/index.ts';
import { browse, withExpiry, readBrowseQuery } from './browse.ts';
import { type AdminContext, checkMay, checkMayAll, topicFor } from './context.ts';
import { invalidRequest } from './errors.ts';
import type { AdminRequest } from './http.ts';
import { messageJson } from './message-json.ts';
import { type JsonReply, json } from './reply.ts';
import {
  type Read,
  type Shape,
  anything,
  listOf,
  nullOr,
  oneOf,
  readObject,
  text,
  time,
  wholeNumber,
} from './shape.ts';

const messagesMax = 10_000;

type MessageBody = Read<MessageToPublishJson>;

const messageShape: Shape<MessageBody> = {
  key: nullOr(text()),
  headers: listOf((value, name) =>
    readObject(value, { name: text(), value: text(65_536) }, ['name', 'value'], `"${name}"`),
  ),
  value: anything,
  encoding: oneOf('utf8', 'json', 'base64'),
  partition: wholeNumber(),
  dedupeId: text(1024),
  delayMs: wholeNumber(),
  deliverAtMs: time,
  ttlMs: wholeNumber(1),
  unique: (value) =>
    readObject(
      value,
      {
        key: text(256),
        mode: oneOf('ignore', 'replace', 'debounce', 'throttle'),
        windowMs: wholeNumber(1),
      },
      ['key', 'mode'],
      '"unique"',
    ),
  priority: wholeNumber(),
};

export async function browseTopic(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<MessagesJson>> {
  const topic = topicFor('consume', request, context);
  return json(await browse(topic, readBrowseQuery(request.query), request.signal, (message) => message));
}

export async function showMessage(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<MessageJson>> {
  const topic = topicFor('consume', request, context);
  const { partition = 0, as, valueBytesMax } = readBrowseQuery(request.query);
  const offset = wholeNumber()(request.params['offset'], 'offset');
  const message = await topic.partitions.at(partition)?.get(offset);
  if (!message)
    throw new HttpError(
      404,
      'offset-not-found',
      `Topic "${topic.name}" has no message at offset ${offset} of partition ${partition}.`,
    );
  const shown = messageJson(topic.name, partition, message, { as, valueBytesMax });
  return json(withExpiry([topic.partitions.at(partition)!], [shown])[0]!);
}

export async function publishToTopic(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<PublishResultsJson>> {
  const topic = topicFor('publish', request, context);
  const bodies = await readMessages(request, context);
  const sent = bodies.map(({ body, value }) => store(topic, body, value, body.key ?? null));
  return json({ results: await allOrError(sent) });
}

/**
 * Publishes to a subject: its live subscribers get the message first, and then the topic that captures it
 * stores it.
 */
export async function publishToSubject(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<PublishResultsJson>> {
  const subject = request.params['subject'] ?? '';
  if (!isPublishSubject(subject))
    throw invalidRequest(
      `"${subject.slice(0, 200)}" is not a subject: words without spaces, separated by single dots, no wildcards.`,
    );
  const topic = context.broker.router.topicOf(subject);
  if (topic) checkMay('publish', request.access, topic.name);
  else checkMayAll('publish', request.access);
  const bodies = await readMessages(request, context);
  const subjectBytes = Buffer.from(subject, 'utf8');
  const sent = bodies.map(async ({ body, value }) => {
    const { delayMs, deliverAtMs, dedupeId, ttlMs, unique, priority } = body;
    if (!topic && (delayMs ?? deliverAtMs ?? dedupeId ?? ttlMs ?? unique ?? priority) !== undefined)
      throw invalidRequest(
        `No topic captures the subject "${subject}", so nothing can be delayed or deduplicated, or expire.`,
      );
    const message = new LiveMessage();
    message.setSubject(subjectBytes, 0, subjectBytes.length);
    message.headers = headersOf(body);
    if (value) message.setValue(value, 0, value.length);
    let stored: Promise<PublishedJson> | undefined;
    const { receivers } = publishLive(context.broker.router, message, (captor) => {
      stored = store(captor, body, value, subject);
    });
    const nowhere = { topic: null, partition: null, offset: null, duplicate: false };
    return { ...(stored === undefined ? nowhere : await stored), receivers };
  });
  return json({ results: await allOrError(sent) });
}

async function readMessages(
  request: AdminRequest,
  { settings }: AdminContext,
): Promise<{ body: MessageBody; value: Buffer | null }[]> {
  const field = listOf((value, name) => readObject(value, messageShape, [], `"${name}"`), messagesMax);
  const { messages } = readObject<{ readonly [K in keyof PublishJson]: readonly MessageBody[] }>(
    await request.json(),
    { messages: field },
    ['messages'],
  );
  return messages.map((body) => {
    const value = valueOf(body);
    const { maxPayloadBytes } = settings;
    if ((value?.length ?? 0) <= maxPayloadBytes) return { body, value };
    const message = `A message may have ${maxPayloadBytes} bytes at most (--max-payload), not ${value?.length}.`;
    throw new HttpError(413, 'message-too-large', message);
  });
}

/** The value of a message in a request, as bytes; null for a message without one. */
export function valueOf({ value, encoding }: Pick<MessageBody, 'value' | 'encoding'>): Buffer | null {
  if (value === null || value === undefined) return null;
  if (encoding === 'json' || (encoding === undefined && typeof value !== 'string'))
    return Buffer.from(jsonOf(value));
  if (typeof value !== 'string')
    throw invalidRequest(`"value" must be a text when "encoding" is ${encoding}.`);
  return Buffer.from(value, encoding ?? 'utf8');
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    throw invalidRequest('"value" is nested too deep for JSON; send it as text with "encoding": "utf8".');
  }
}

function headersOf({ headers = [] }: MessageBody): readonly Header[] {
  return headers.map(({ name, value }) => ({ name, value: Buffer.from(value) }));
}

async function store(
  topic: Topic,
  body: MessageBody,
  value: Buffer | null,
  key: string | null,
): Promise<PublishedJson> {
  const message: Message = { key, headers: headersOf(body), value };
  const deliverAtMs =
    body.deliverAtMs ?? (body.delayMs === undefined ? undefined : Date.now() + body.delayMs);
  const options: PublishOptions = {
    ...(body.partition === undefined ? {} : { partition: body.partition }),
    ...(body.dedupeId === undefined ? {} : { dedupeId: body.dedupeId }),
    ...(deliverAtMs === undefined ? {} : { deliverAtMs }),
    ...(body.ttlMs === undefined ? {} : { ttlMs: body.ttlMs }),
    ...(body.unique === undefined ? {} : { unique: body.unique }),
    ...(body.priority === undefined ? {} : { priority: body.priority }),
  };
  const { partition, offset, duplicate, delayedId, outcome } = await topic.send(message, options);
  // A delayed message has no offset until it is due.
  const id = delayedId === undefined ? {} : { delayedId };
  return {
    topic: topic.name,
    partition,
    offset: offset < 0 ? null : offset,
    ...id,
    duplicate,
    ...(outcome === undefined ? {} : { outcome }),
    receivers: null,
  };
}

/**
 * All results. If a message was refused, throws the first refusal with the number of messages that were
 * stored all the same.
 */
async function allOrError(sent: readonly Promise<PublishedJson>[]): Promise<PublishedJson[]> {
  const settled = await Promise.allSettled(sent);
  const results = settled.filter((outcome) => outcome.status === 'fulfilled').map(({ value }) => value);
  const refused = settled.find((outcome) => outcome.status === 'rejected');
  if (!refused) return results;
  const reason: unknown = refused.reason;
  if (!(reason instanceof BrokerError) || settled.length === 1) throw reason;
  throw new BrokerError(
    reason.code,
    `${reason.message} ${results.length} of ${settled.length} messages were published.`,
    reason.details,
    reason,
  );
}
