import type {
  PurgedJson,
  PurgeJson,
  TopicDeletedJson,
  TopicDetailsJson,
  TopicsJson,
} from '../../admin-api/index.ts';
import {
  prioritiesMax,
  type ExpiryMarker,
  type TopicConfig,
  type TopicOptions,
  topicConfig,
} from '../../broker/index.ts';
import { attributesWithPastSubjects } from '../../protocols/index.ts';
import { type AdminContext, checkMay, topicFor } from './context.ts';
import { checkMayFill, topicPolicy } from './dead-letter-policy.ts';
import { describeTopic, describeTopicFully } from './describe.ts';
import type { AdminRequest } from './http.ts';
import { type JsonReply, json } from './reply.ts';
import {
  type Field,
  type Shape,
  anything,
  changed,
  eachOrNull,
  flag,
  listOf,
  oneOf,
  positive,
  rate,
  readObject,
  text,
  wholeNumber,
} from './shape.ts';

/** The settings of a topic. `attributes` belong to the protocols and cannot be given here. */
const settingsShape: Shape<Omit<TopicConfig, 'name' | 'attributes'>> = {
  partitions: wholeNumber(1, 100_000),
  subjects: listOf(text(1024), 1000),
  durability: oneOf('disk', 'memory'),
  retention: oneOf('limits', 'queue', 'interest'),
  messagesMax: wholeNumber(1),
  bytesMax: wholeNumber(1),
  ageMsMax: wholeNumber(1),
  messagesPerKeyMax: wholeNumber(1),
  messageBytesMax: wholeNumber(1),
  groupsMax: wholeNumber(1),
  priorities: wholeNumber(1, prioritiesMax),
  ageingMs: wholeNumber(1),
  overflow: oneOf('drop-oldest', 'reject', 'wait'),
  overflowPerKey: oneOf('drop-oldest', 'reject'),
  publishRate: rate('"publishRate"'),
  overRate: oneOf('reject', 'wait'),
  dedupeWindowMs: wholeNumber(0),
  dedupeEntriesMax: wholeNumber(1),
  timestamps: oneOf('append'),
  ageFrom: oneOf('timestamp'),
  expiryMarker: (value) =>
    readObject<ExpiryMarker>(
      value,
      {
        ttlMs: positive,
        headers: anything as Field<ExpiryMarker['headers']>,
        alsoMarks: anything as Field<ExpiryMarker['headers']>,
      },
      ['ttlMs', 'headers'],
      '"expiryMarker"',
    ), // the broker checks the headers
  keyState: flag,
  compaction: flag,
  sealed: flag,
  deadLetter: topicPolicy,
};
export const topicShape: Shape<Omit<TopicOptions, 'attributes'>> = { name: text(255), ...settingsShape };
const updateShape = eachOrNull(settingsShape);

const purgeShape: Shape<PurgeJson> = {
  key: text(),
  before: wholeNumber(),
  keep: wholeNumber(),
  partition: wholeNumber(),
};

export async function listTopics(
  { access }: AdminRequest,
  { broker, oldestTimes }: AdminContext,
): Promise<JsonReply<TopicsJson>> {
  const topics = [];
  for (const topic of broker.topics.values())
    if (access.maySee(topic.name)) topics.push(await describeTopic(topic, oldestTimes));
  return json({ topics });
}

export async function createTopic(
  request: AdminRequest,
  { broker, oldestTimes }: AdminContext,
): Promise<JsonReply<TopicDetailsJson>> {
  const options = readObject(await request.json(), topicShape, ['name']);
  checkMay('manage', request.access, options.name);
  checkMayFill(options.deadLetter, request.access);
  const topic = await broker.createTopic(topicConfig(withKeyState(options)));
  return json(await describeTopicFully(topic, oldestTimes), 201);
}

/** A topic with subjects keeps state by key: reads of captured messages by subject are cheap then. */
export function withKeyState(options: Omit<TopicOptions, 'attributes'>): Omit<TopicOptions, 'attributes'> {
  return { ...options, keyState: options.keyState ?? (options.subjects ?? []).length > 0 };
}

export async function showTopic(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<TopicDetailsJson>> {
  return json(await describeTopicFully(topicFor('see', request, context), context.oldestTimes));
}

/** Changes settings of a topic; those that are not given stay. */
export async function updateTopic(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<TopicDetailsJson>> {
  const topic = topicFor('manage', request, context);
  const changes = readObject(await request.json(), updateShape);
  checkMayFill(changes.deadLetter, request.access);
  const config = changed(topic.config, changes);
  const { subjects = [] } = config;
  await topic.update({
    ...config,
    // Keeps reads of captured messages by subject cheap.
    keyState: config.keyState === true || (changes.subjects ?? []).length > 0,
    attributes: attributesWithPastSubjects(topic.config, subjects),
  } as TopicConfig);
  return json(await describeTopicFully(topic, context.oldestTimes));
}

export async function deleteTopic(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<TopicDeletedJson>> {
  const topic = topicFor('manage', request, context);
  const messages = topic.durableCount;
  await topic.delete();
  return json({ deleted: topic.name, messages });
}

export async function purgeTopic(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<PurgedJson>> {
  const topic = topicFor('manage', request, context);
  const { key, before, keep, partition } = readObject((await request.json()) ?? {}, purgeShape);
  let purged = 0;
  for (const each of topic.partitions.opened.slice()) {
    if (partition !== undefined && each.index !== partition) continue;
    purged += await each.purge({
      ...(key === undefined ? {} : { pattern: key }),
      ...(before === undefined ? {} : { before }),
      ...(keep === undefined ? {} : { keep }),
    });
  }
  topic.noteRoom();
  return json({ purged });
}
