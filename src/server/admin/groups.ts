import type {
  GroupDeletedJson,
  GroupDetailsJson,
  GroupLimitsJson,
  GroupsJson,
  GroupStartJson,
  PauseJson,
  ResetJson,
} from '../../admin-api/index.ts';
import type { GroupConfig, GroupStart } from '../../broker/index.ts';
import { type AdminContext, groupFor, topicFor } from './context.ts';
import { describeGroup, describeGroupFully } from './describe.ts';
import { invalidRequest } from './errors.ts';
import type { AdminRequest } from './http.ts';
import { type JsonReply, json } from './reply.ts';
import {
  type Read,
  type Shape,
  anything,
  oneOf,
  orNull,
  positive,
  readObject,
  time,
  wholeNumber,
} from './shape.ts';

const pauseShape: Shape<Read<PauseJson>> = {
  forMs: wholeNumber(1),
  untilMs: time,
};

const count = orNull(wholeNumber(1));
const rate = orNull((value) =>
  readObject(value, { perSecond: positive, burst: positive }, ['perSecond', 'burst'], 'A rate'),
);

const limitsShape: Shape<Read<GroupLimitsJson>> = {
  maxInFlight: count,
  concurrency: count,
  rate,
  keyRunMax: count,
  keysPerConsumerMax: count,
  keyConcurrency: count,
  keyRate: rate,
  heldMax: count,
};

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
  const limits = readObject(await request.json(), limitsShape);
  const config: { [name: string]: unknown } = { ...group.config, ...limits };
  for (const [name, value] of Object.entries(limits)) if (value === null) delete config[name];
  await group.update(config as unknown as GroupConfig);
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

function readStart(value: unknown): GroupStart {
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
