import type {
  DelayedChangedJson,
  DelayedMessageJson,
  DelayedMessagesJson,
  DelayedMoveJson,
  DelayedSelectionJson,
} from '../../admin-api/index.ts';
import type { DelayedMessage, Topic } from '../../broker/index.ts';
import { HttpError } from '../../protocols/index.ts';
import { rfc3339 } from '../../util/index.ts';
import { type AdminContext, topicFor } from './context.ts';
import { invalidRequest } from './errors.ts';
import type { AdminRequest } from './http.ts';
import { messageJson, type ValueOptions, valueForms } from './message-json.ts';
import { type JsonReply, json } from './reply.ts';
import {
  type Read,
  type Shape,
  listOf,
  oneOf,
  readObject,
  readQuery,
  text,
  time,
  wholeNumber,
} from './shape.ts';

/** The maximum bytes of values in one answer. */
const answerBytesMax = 8 * 2 ** 20;
const limitMax = 1000;

interface ListQuery {
  readonly after?: number;
  readonly key?: string;
  readonly limit?: number;
  readonly as?: ValueOptions['as'];
  readonly valueBytes?: number;
}

const listShape: Shape<ListQuery> = {
  after: wholeNumber(),
  key: text(),
  limit: wholeNumber(1, limitMax),
  as: oneOf(...valueForms),
  valueBytes: wholeNumber(0),
};

const selectionShape: Shape<DelayedSelectionJson> = { ids: listOf(wholeNumber()), key: text() };
const moveShape: Shape<Read<DelayedMoveJson>> = {
  ...selectionShape,
  delayMs: wholeNumber(),
  deliverAtMs: time,
};

export async function listDelayed(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<DelayedMessagesJson>> {
  const topic = topicFor('consume', request, context);
  const {
    after,
    key: filter,
    limit = 50,
    as = 'auto',
    valueBytes = 65_536,
  } = readQuery(request.query, listShape);
  const options = { as, valueBytesMax: Math.min(valueBytes, Math.floor(answerBytesMax / limit)) };
  const query = { topic, after, limit, ...(filter === undefined ? {} : { filter }) };
  const { messages, next = null } = await context.broker.delayed.list(query);
  return json({ messages: messages.map((message) => delayedJson(message, options)), next });
}

export async function showDelayed(
  request: AdminRequest,
  { broker, ...context }: AdminContext,
): Promise<JsonReply<DelayedMessageJson>> {
  const topic = topicFor('consume', request, { broker, ...context });
  const id = wholeNumber()(request.params['id'], 'id');
  const { as = 'auto', valueBytes: valueBytesMax = answerBytesMax } = readQuery(request.query, listShape);
  const message = broker.delayed.topicOf(id) === topic ? await broker.delayed.get(id) : undefined;
  if (message) return json(delayedJson(message, { as, valueBytesMax }));
  throw new HttpError(404, 'offset-not-found', `Topic "${topic.name}" has no delayed message ${id}.`);
}

export async function moveDelayed(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<DelayedChangedJson>> {
  const topic = topicFor('manage', request, context);
  const { delayMs, deliverAtMs, ...selection } = readObject(await request.json(), moveShape);
  if ((delayMs === undefined) === (deliverAtMs === undefined))
    throw invalidRequest('Give one of delayMs and deliverAtMs.');
  const { broker } = context;
  const dueMs = deliverAtMs ?? broker.clock.now() + delayMs!;
  return json({ count: await broker.delayed.move(await idsOf(topic, selection, context), dueMs) });
}

export async function cancelDelayed(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<DelayedChangedJson>> {
  const topic = topicFor('manage', request, context);
  const ids = await idsOf(topic, readObject(await request.json(), selectionShape), context);
  return json({ count: await context.broker.delayed.cancel(ids) });
}

export async function publishDelayed(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<DelayedChangedJson>> {
  const topic = topicFor('manage', request, context);
  const ids = await idsOf(topic, readObject(await request.json(), selectionShape), context);
  return json({ count: await context.broker.delayed.publishNow(ids) });
}

/** The ids that are meant, as far as they are of this topic. */
async function idsOf(
  topic: Topic,
  { ids, key }: DelayedSelectionJson,
  { broker }: AdminContext,
): Promise<readonly number[]> {
  if ((ids === undefined) === (key === undefined)) throw invalidRequest('Give one of ids and key.');
  if (key !== undefined) return broker.delayed.find(topic, key);
  return ids!.filter((id) => broker.delayed.topicOf(id) === topic);
}

function delayedJson(message: DelayedMessage, options: ValueOptions): DelayedMessageJson {
  const { id, dueMs, topic, partition } = message;
  const {
    offset: _,
    time: __,
    ...shown
  } = messageJson(topic, partition, { ...message, offset: id }, options);
  return { id, ...shown, dueMs, dueTime: rfc3339(dueMs) };
}
