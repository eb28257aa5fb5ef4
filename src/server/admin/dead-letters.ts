import type {
  DeadLetterFilterJson,
  DeadLetterJson,
  DeadLetterTopicJson,
  DeadLetterTopicsJson,
  MessageJson,
  MessagesJson,
  PurgedJson,
  RedriveJson,
  RedrivenJson,
} from '../../admin-api/index.ts';
import {
  type Header,
  type Topic,
  deadLetterNames,
  deadLetterOrigin,
  topicDeadLetterNames,
} from '../../broker/index.ts';
import { HttpError } from '../../protocols/index.ts';
import { browse, readBrowseQuery } from './browse.ts';
import { type AdminContext, checkMay, topicFor, topicOf } from './context.ts';
import { selectLetters } from './dead-letter-causes.ts';
import { invalidRequest } from './errors.ts';
import type { AdminRequest } from './http.ts';
import { messageJson } from './message-json.ts';
import { type JsonReply, json } from './reply.ts';
import { type Shape, listOf, readObject, text, wholeNumber } from './shape.ts';

const redriveShape: Shape<RedriveJson> = {
  limit: wholeNumber(1),
  to: text(255),
  offsets: listOf(wholeNumber()),
  filter: (value) =>
    readObject<DeadLetterFilterJson>(
      value,
      { cause: text(4096), topic: text(255), group: text(255) },
      [],
      '"filter"',
    ),
};

/** Dead letters that one redrive with a filter selects. */
const selectedMax = 100_000;

type DeadLetterTopics = Map<Topic, { topic: string; group: string }[]>;

/** The dead-letter topics that groups and topics name. The group is empty for those that topics name. */
export function namedDeadLetterTopics({ broker }: AdminContext): DeadLetterTopics {
  const found: DeadLetterTopics = new Map();
  const note = (name: string, topic: string, group: string): void => {
    const letters = broker.topic(name);
    if (!letters) return;
    const groups = found.get(letters) ?? [];
    groups.push({ topic, group });
    found.set(letters, groups);
  };
  for (const topic of broker.topics.values()) {
    for (const name of topicDeadLetterNames(topic)) note(name, topic.name, '');
    for (const group of topic.groups.values())
      for (const name of deadLetterNames(group)) note(name, topic.name, group.name);
  }
  return found;
}

/** All dead-letter topics: those that are named, and those whose first message is a dead letter. */
export async function deadLetterTopics(context: AdminContext): Promise<DeadLetterTopics> {
  const { broker } = context;
  const found = namedDeadLetterTopics(context);
  for (const topic of broker.topics.values()) {
    if (found.has(topic) || topic.config.subjects.length > 0) continue;
    const partition = topic.partitions.at(0);
    const first =
      topic.durableCount === 0 ? undefined : await partition?.next(undefined, partition.firstOffset);
    const origin = first && deadLetterOrigin(first.headers);
    if (origin) found.set(topic, [{ topic: origin.topic, group: origin.group }]);
  }
  return found;
}

export async function listDeadLetterTopics(
  { access }: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<DeadLetterTopicsJson>> {
  const topics: DeadLetterTopicJson[] = [];
  for (const [topic, groups] of await deadLetterTopics(context)) {
    if (!access.maySee(topic.name)) continue;
    topics.push({
      topic: topic.name,
      messages: topic.durableCount,
      bytes: topic.bytes,
      oldestAgeMs: await context.oldestTimes.topicAgeMs(topic, Date.now()),
      groups,
    });
  }
  return json({ topics });
}

export async function listDeadLetters(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<MessagesJson<DeadLetterJson>>> {
  const topic = topicFor('consume', request, context);
  return json(
    await browse(topic, readBrowseQuery(request.query), request.signal, (message, { headers }) =>
      withOrigin(message, headers),
    ),
  );
}

export async function showDeadLetter(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<DeadLetterJson>> {
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
  return json(
    withOrigin(messageJson(topic.name, partition, message, { as, valueBytesMax }), message.headers),
  );
}

export async function redriveDeadLetters(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<RedrivenJson>> {
  const topic = topicFor('manage', request, context);
  const { filter, ...options } = readObject((await request.json()) ?? {}, redriveShape);
  if (filter && options.offsets) throw invalidRequest('Give "offsets" or a "filter", not both.');
  if (options.to !== undefined) {
    checkMay('publish', request.access, options.to);
    topicOf(context, options.to);
  }
  const mayGoTo = (name: string): boolean => request.access.mayPublish(name);
  const selected =
    filter && (await selectLetters(topic, filter, options.limit ?? selectedMax, request.signal));
  const chosen = selected ? { ...options, offsets: selected.offsets } : options;
  const { moved, stayed } = await context.broker.redrive(topic, chosen, mayGoTo);
  return json({ redriven: moved, left: topic.durableCount, stayed });
}

export async function purgeDeadLetters(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<PurgedJson>> {
  const topic = topicFor('manage', request, context);
  // All are deleted: a body that would restrict that must not be ignored.
  readObject((await request.json()) ?? {}, {});
  let purged = 0;
  for (const partition of topic.partitions.opened.slice()) purged += await partition.purge();
  return json({ purged });
}

function withOrigin(message: MessageJson, headers: readonly Header[]): DeadLetterJson {
  const origin = deadLetterOrigin(headers);
  return {
    ...message,
    origin: {
      topic: origin?.topic ?? null,
      group: origin?.group ?? null,
      partition: origin?.partition ?? null,
      offset: origin?.offset ?? null,
    },
    cause: origin?.cause ?? null,
    deliveries: origin?.deliveries ?? null,
    firstDeliveredTime: origin?.firstTime ?? null,
    deadLetteredTime: origin?.time ?? null,
  };
}
