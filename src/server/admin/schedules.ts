import { isUtf8 } from 'node:buffer';
import type {
  ScheduleDeletedJson,
  ScheduleJson,
  ScheduleRunJson,
  SchedulesJson,
  ScheduleToDefineJson,
} from '../../admin-api/index.ts';
import type { Schedule, ScheduledMessage } from '../../broker/index.ts';
import { HttpError } from '../../protocols/index.ts';
import { rfc3339 } from '../../util/index.ts';
import { type Action, type AdminContext, checkMay } from './context.ts';
import type { AdminRequest } from './http.ts';
import { valueOf } from './messages.ts';
import { type JsonReply, json } from './reply.ts';
import {
  type Read,
  type Shape,
  anything,
  listOf,
  oneOf,
  readObject,
  readQuery,
  text,
  time,
  wholeNumber,
} from './shape.ts';

const scheduleShape: Shape<Read<ScheduleToDefineJson>> = {
  name: text(255),
  topic: text(255),
  key: text(),
  headers: listOf((value, name) =>
    readObject(value, { name: text(), value: text(65_536) }, ['name', 'value'], `"${name}"`),
  ),
  value: anything,
  encoding: oneOf('utf8', 'json', 'base64'),
  ttlMs: wholeNumber(1),
  priority: wholeNumber(),
  cron: text(255),
  timeZone: text(255),
  everyMs: wholeNumber(),
  atMs: time,
  startMs: time,
  endMs: time,
  count: wholeNumber(),
  jitterMs: wholeNumber(),
  missed: oneOf('once', 'all', 'skip'),
  whenEnded: oneOf('keep', 'delete'),
};

export function listSchedules(
  { access, query }: AdminRequest,
  { broker }: AdminContext,
): JsonReply<SchedulesJson> {
  const { topic: wanted } = readQuery<{ readonly topic?: string }>(query, { topic: text(255) });
  const schedules: ScheduleJson[] = [];
  for (const schedule of broker.schedules.list()) {
    const { name } = schedule.topic;
    if ((wanted === undefined || wanted === name) && access.maySee(name))
      schedules.push(scheduleJson(schedule));
  }
  return json({ schedules });
}

export async function defineSchedule(
  request: AdminRequest,
  { broker }: AdminContext,
): Promise<JsonReply<ScheduleJson>> {
  const body = readObject(await request.json(), scheduleShape, ['name', 'topic']);
  const { key, headers = [], value, encoding, ttlMs, priority, ...options } = body;
  const known = broker.schedules.get(options.name);
  for (const topic of new Set([options.topic, known?.topic.name ?? options.topic])) {
    checkMay('manage', request.access, topic);
    checkMay('publish', request.access, topic);
  }
  const message: ScheduledMessage = {
    ...(key === undefined ? {} : { key }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(priority === undefined ? {} : { priority }),
    ...(headers.length === 0
      ? {}
      : { headers: headers.map((header) => [header.name, header.value] as const) }),
    ...textOrBase64(valueOf({ value, ...(encoding === undefined ? {} : { encoding }) })),
  };
  const schedule = await broker.schedules.define({ ...options, message });
  return json(scheduleJson(schedule), known ? 200 : 201);
}

export function showSchedule(request: AdminRequest, context: AdminContext): JsonReply<ScheduleJson> {
  return json(scheduleJson(scheduleFor('see', request, context)));
}

export async function deleteSchedule(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<ScheduleDeletedJson>> {
  const { name } = scheduleFor('manage', request, context);
  await context.broker.schedules.delete(name);
  return json({ deleted: name });
}

export async function pauseSchedule(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<ScheduleJson>> {
  const { name } = scheduleFor('manage', request, context);
  return json(scheduleJson(await context.broker.schedules.pause(name)));
}

export async function resumeSchedule(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<ScheduleJson>> {
  const { name } = scheduleFor('manage', request, context);
  return json(scheduleJson(await context.broker.schedules.resume(name)));
}

export async function runSchedule(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<ScheduleRunJson>> {
  const { name, topic } = scheduleFor('publish', request, context);
  const { partition, offset } = await context.broker.schedules.run(name);
  return json({ topic: topic.name, partition, offset });
}

/**
 * The schedule in the path of a request. Throws an HttpError if the user may not do that to its topic, or
 * there is no such schedule.
 */
function scheduleFor(action: Action, { access, params }: AdminRequest, { broker }: AdminContext): Schedule {
  const name = params['schedule'] ?? '';
  const schedule = broker.schedules.get(name);
  // One that the user may not see is not told from one that is not there.
  if (!schedule || !access.maySee(schedule.topic.name))
    throw new HttpError(404, 'schedule-not-found', `There is no schedule "${name}".`);
  checkMay(action, access, schedule.topic.name);
  return schedule;
}

function textOrBase64(value: Buffer | null): Pick<ScheduledMessage, 'value' | 'encoding'> {
  if (value === null) return {};
  return isUtf8(value)
    ? { value: value.toString() }
    : { value: value.toString('base64'), encoding: 'base64' };
}

function scheduleJson(schedule: Schedule): ScheduleJson {
  const { name, topic, status, config, createdMs, state, failure, carrier } = schedule;
  const { key, headers = [], value, encoding = 'utf8', ttlMs, priority } = config.message;
  return {
    name,
    topic: topic.name,
    status,
    key: key ?? null,
    headers: headers.map(([header, text]) => ({ name: header, value: text })),
    value: value ?? null,
    encoding: value === undefined ? null : encoding,
    ttlMs: ttlMs ?? null,
    priority: priority ?? null,
    cron: config.cron ?? null,
    timeZone: config.timeZone ?? null,
    everyMs: config.everyMs ?? null,
    atMs: config.atMs ?? null,
    startMs: config.startMs ?? null,
    endMs: config.endMs ?? null,
    count: config.count ?? null,
    jitterMs: config.jitterMs ?? null,
    missed: config.missed,
    whenEnded: config.whenEnded,
    createdMs,
    nextMs: state.nextMs ?? null,
    nextTime: timeText(state.nextMs),
    lastMs: state.lastMs ?? null,
    lastTime: timeText(state.lastMs),
    runs: state.runs,
    missedRuns: state.missed,
    failure: failure ?? null,
    carrier: carrier ?? null,
  };
}

function timeText(ms: number | undefined): string | null {
  return ms === undefined ? null : rfc3339(ms);
}
