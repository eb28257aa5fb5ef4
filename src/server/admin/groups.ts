import type {
  GroupDeletedJson,
  GroupDetailsJson,
  GroupLimitsJson,
  GroupsJson,
  GroupStartJson,
  GroupToCreateJson,
  GroupToUpdateJson,
  PauseJson,
  ResetJson,
} from '../../admin-api/index.ts';
import type { GroupConfig, GroupOptions, GroupStart } from '../../broker/index.ts';
import { type AdminContext, groupFor, topicFor } from './context.ts';
import { checkMayFill, groupPolicy } from './dead-letter-policy.ts';
import { describeGroup, describeGroupFully } from './describe.ts';
import { invalidRequest } from './errors.ts';
import type { AdminRequest } from './http.ts';
import { type JsonReply, json } from './reply.ts';
import {
  type Read,
  type Shape,
  anything,
  changed,
  eachOrNull,
  flag,
  listOf,
  oneOf,
  rate,
  readObject,
  share,
  text,
  time,
  wholeNumber,
} from './shape.ts';

const pauseShape: Shape<Read<PauseJson>> = {
  forMs: wholeNumber(1),
  untilMs: time,
};

const limitsShape: Shape<Read<GroupLimitsJson>> = eachOrNull({
  maxInFlight: wholeNumber(1),
  concurrency: wholeNumber(1),
  rate: rate('"rate"'),
  keyRunMax: wholeNumber(1),
  keysPerConsumerMax: wholeNumber(1),
  keyConcurrency: wholeNumber(1),
  keyRate: rate('"keyRate"'),
  heldMax: wholeNumber(1),
});

/** The settings of a group that may change. */
const updateShape: Shape<Read<GroupToUpdateJson>> = {
  ...eachOrNull({
    filters: listOf(text(1024), 1000),
    ackWaitMs: wholeNumber(1),
    backoffMs: listOf(wholeNumber(), 1000),
    backoffMeans: oneOf('wait', 'deadline'),
    backoffJitter: share,
    redeliverAfterRestart: oneOf('at-once', 'at-deadline'),
    maxDeliver: wholeNumber(1),
    messageTtlMs: wholeNumber(1),
    deadLetter: groupPolicy,
    activeConsumers: oneOf('all', 'single'),
    activeSilenceMs: wholeNumber(1),
    priority: oneOf('honour', 'ignore'),
    inactiveMs: wholeNumber(1),
  }),
  ...limitsShape,
};

export const createShape: Shape<{ readonly [K in keyof GroupToCreateJson]: unknown }> = {
  name: text(255),
  start: anything,
  ack: oneOf('explicit', 'all', 'none'),
  ordering: oneOf('none', 'key'),
  durable: flag,
  ...updateShape,
};

/** What the shapes read; the broker checks it again. */
type GroupChanges = { readonly [K in keyof GroupConfig]?: GroupConfig[K] | null };

const startShape: Shape<Read<GroupStartJson>> = {
  kind: oneOf('all', 'new', 'last', 'last-per-key', 'offset', 'time'),
  offset: wholeNumber(),
  timestampMs: time,
};

export async function listGroups(
  { access }: AdminRequest,
  { broker, oldestTimes }: AdminContext,
): Promise<JsonReply<GroupsJson>> {
  const groups = [];
  for (const topic of broker.topics.values()) {
    if (!access.mayConsume(topic.name)) continue;
    for (const group of topic.groups.values()) groups.push(await describeGroup(group, oldestTimes));
  }
  return json({ groups });
}

export async function listGroupsOfTopic(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<GroupsJson>> {
  const groups = [];
  for (const group of topicFor('consume', request, context).groups.values())
    groups.push(await describeGroup(group, context.oldestTimes));
  return json({ groups });
}

export async function createGroup(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<GroupDetailsJson>> {
  const topic = topicFor('consume', request, context);
  const options = groupOptions(readObject(await request.json(), createShape, ['name']));
  checkMayFill(options.deadLetter, request.access);
  const group = await topic.createGroup(options);
  return json(await describeGroupFully(group, context.oldestTimes), 201);
}

/** The options of a new group; what is null has its default. */
export function groupOptions(body: { readonly [K in keyof GroupToCreateJson]: unknown }): GroupOptions {
  const { start, ...settings } = changed(body, {});
  return { ...settings, ...(start === undefined ? {} : { start: readStart(start) }) } as GroupOptions;
}

/** Changes settings of a group; those that are not given stay. */
export async function updateGroup(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<GroupDetailsJson>> {
  const group = groupFor(request, context);
  const changes = readObject(await request.json(), updateShape);
  checkMayFill(changes.deadLetter, request.access);
  await group.update(changed(group.config, changes as GroupChanges) as GroupConfig);
  return json(await describeGroupFully(group, context.oldestTimes));
}

export async function showGroup(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<GroupDetailsJson>> {
  return json(await describeGroupFully(groupFor(request, context), context.oldestTimes));
}

export async function pauseGroup(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<GroupDetailsJson>> {
  const group = groupFor(request, context);
  const { forMs, untilMs } = readObject((await request.json()) ?? {}, pauseShape);
  await group.pause(untilMs ?? (forMs === undefined ? undefined : Date.now() + forMs));
  return json(await describeGroupFully(group, context.oldestTimes));
}

export async function resumeGroup(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<GroupDetailsJson>> {
  const group = groupFor(request, context);
  await group.resume();
  return json(await describeGroupFully(group, context.oldestTimes));
}

export async function releaseActive(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<GroupDetailsJson>> {
  const group = groupFor(request, context);
  group.releaseActive();
  return json(await describeGroupFully(group, context.oldestTimes));
}

/** Changes limits of a group; those that are not given stay, and null takes one away. */
export async function limitGroup(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<GroupDetailsJson>> {
  const group = groupFor(request, context);
  const changes = readObject(await request.json(), limitsShape);
  await group.update(changed(group.config, changes as GroupChanges) as GroupConfig);
  return json(await describeGroupFully(group, context.oldestTimes));
}

export async function resetGroup(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<GroupDetailsJson>> {
  const group = groupFor(request, context);
  const body = readObject<{ readonly [K in keyof ResetJson]: unknown }>(
    await request.json(),
    { start: anything },
    ['start'],
  );
  await group.reset(readStart(body.start));
  return json(await describeGroupFully(group, context.oldestTimes));
}

export async function deleteGroup(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<GroupDeletedJson>> {
  const group = groupFor(request, context);
  await group.delete();
  return json({ deleted: group.name, topic: group.topic.name });
}

/** Reads the new position of a group. */
export function readStart(value: unknown): GroupStart {
  const { kind, offset, timestampMs } = readObject(value, startShape, ['kind'], '"start"');
  if (kind === 'offset') {
    if (offset === undefined) throw invalidRequest('A start of kind "offset" must have "offset".');
    return { kind, offset };
  }
  if (kind === 'time') {
    if (timestampMs === undefined) throw invalidRequest('A start of kind "time" must have "timestampMs".');
    return { kind, timestampMs };
  }
  return { kind };
}
