import { createHash } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import type { LiveMessage, ScheduleOptions, ScheduledMessage, Schedules } from '../../../broker/index.ts';
import { isPublishSubject, subjectsOverlap } from '../../../util/index.ts';
import { verbatimName } from '../../../wire/nats/index.ts';
import { apiError } from './errors.ts';
import { headerText, textHeader, type Header } from './headers.ts';
import { messageTtlMs } from './message-ttl.ts';
import { scheduleTimes } from './schedule-pattern.ts';
import type { StreamConfig } from './stream-config.ts';

/** Headers that a scheduled message does not take over, by their beginnings. */
const withoutHeaders = [
  'Nats-Schedule',
  'Nats-Expected-',
  'Nats-Msg-Id',
  'Nats-TTL',
  'Nats-Rollup',
  verbatimName,
];

const nameLengthMax = 255;

/**
 * The name of the schedule of a subject. Each subject of a stream has one schedule at most: a later message
 * with a schedule replaces it.
 */
export function scheduleName(topic: string, subject: string): string {
  const name = `nats:${topic}/${subject}`;
  if (name.length <= nameLengthMax) return name;
  return `nats:${createHash('sha256').update(name).digest('hex')}`;
}

/** What a schedule refers to besides its message. */
export interface ScheduleSurroundings {
  /** The topic of the stream. */
  readonly topic: string;
  readonly schedules: Schedules;
  readonly nowMs: number;
}

/**
 * The schedule in the headers of a message; undefined if there is none. The message stays in its stream, and
 * the schedule lives with it: when the message is removed, nothing more is published. Throws the API error of
 * a schedule that does not fit, in nats-server's order.
 */
export function messageSchedule(
  headers: readonly Header[],
  stream: StreamConfig,
  message: LiveMessage,
  { topic, schedules, nowMs }: ScheduleSurroundings,
): ScheduleOptions | undefined {
  const pattern = headerText(headers, 'Nats-Schedule');
  const zone = headers.find(({ name }) => name === 'Nats-Schedule-Time-Zone');
  if (pattern === undefined && zone === undefined) return undefined;
  const { subject } = message;
  const timeZone = headerText(headers, 'Nats-Schedule-Time-Zone');
  const isWrongZone = zone !== undefined && (timeZone === undefined || !isTimeZone(timeZone));
  if (pattern === undefined && !isWrongZone) return undefined;
  if (!stream.allow_msg_schedules) throw apiError('schedulesDisabled');
  if (isWrongZone || pattern === undefined) throw apiError('scheduleTimeZoneInvalid');
  const times = scheduleTimes(pattern, timeZone, nowMs);
  if (!times) throw apiError('schedulePatternInvalid');
  const ttl = headerText(headers, 'Nats-Schedule-TTL');
  const ttlMs = ttl === undefined ? undefined : messageTtlMs([textHeader('Nats-TTL', ttl)]);
  if (Number.isNaN(ttlMs)) throw apiError('scheduleTtlInvalid');
  const rollup = headerText(headers, 'Nats-Schedule-Rollup');
  if (rollup !== undefined && rollup !== 'sub') throw apiError('scheduleRollupInvalid');
  if (ttl !== undefined && !stream.allow_msg_ttl) throw apiError('messageTtlDisabled');
  const isOfStream = (other: string): boolean =>
    isPublishSubject(other) && stream.subjects.some((captured) => subjectsOverlap(captured, other));
  const target = headerText(headers, 'Nats-Schedule-Target');
  if (target === undefined || target === subject || !isOfStream(target))
    throw apiError('scheduleTargetInvalid');
  const source = headerText(headers, 'Nats-Schedule-Source');
  if (source !== undefined && (source === target || source === subject || !isOfStream(source)))
    throw apiError('scheduleSourceInvalid');
  const ownRollup = headerText(headers, 'Nats-Rollup');
  if (ownRollup !== undefined && ownRollup.toLowerCase() !== 'sub') throw apiError('scheduleRollupInvalid');

  const options: ScheduleOptions = {
    name: scheduleName(topic, subject),
    topic,
    ...times,
    message: {
      key: target,
      headers: headersOf(headers),
      ...valueOf(message),
      ...(rollup === undefined ? {} : { replaces: 'key' as const }),
      ...(ttlMs === undefined || ttlMs === 0 || ttlMs === Infinity ? {} : { ttlMs }),
    },
    missed: 'once',
    whenEnded: 'delete',
    headers: {
      fixed: [
        ['Nats-Scheduler', subject],
        ...(ttl === undefined ? [] : [['Nats-TTL', ttl] as const]),
        ...(rollup === undefined ? [] : [['Nats-Rollup', rollup] as const]),
      ],
      next: 'Nats-Schedule-Next',
      ended: 'purge',
    },
    ...(source === undefined ? {} : { source: { key: source, without: withoutHeaders } }),
  };
  if (schedules.refusalOf(options)?.code === 'schedule-config-invalid')
    throw apiError('schedulePatternInvalid');
  return options;
}

/**
 * The subject of the schedule that a message ends: `Nats-Scheduler` names it, with `Nats-Schedule-Next:
 * purge`. Undefined if it ends none. Throws the API error of other uses of these headers, which are the
 * server's.
 */
export function endedSchedule(
  headers: readonly Header[],
  stream: StreamConfig,
  subject: string,
): string | undefined {
  const next = headerText(headers, 'Nats-Schedule-Next');
  const scheduler = headerText(headers, 'Nats-Scheduler');
  if (next === undefined && scheduler === undefined) return undefined;
  if (next !== 'purge' || scheduler === undefined || scheduler === subject || !isPublishSubject(scheduler))
    throw apiError('schedulerInvalid');
  if (!stream.allow_msg_schedules) throw apiError('schedulesDisabled');
  return scheduler;
}

/** An IANA name; an offset is none. */
function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function headersOf(headers: readonly Header[]): (readonly [name: string, value: string])[] {
  return headers
    .filter(({ name }) => !withoutHeaders.some((start) => name.startsWith(start)))
    .map(({ name, value }) => [name, Buffer.from(value ?? '').toString('utf8')]);
}

function valueOf({
  valueBuffer,
  valueStart,
  valueEnd,
}: LiveMessage): Pick<ScheduledMessage, 'value' | 'encoding'> {
  const value = Buffer.from(valueBuffer.subarray(valueStart, valueEnd));
  return isUtf8(value)
    ? { value: value.toString('utf8') }
    : { value: value.toString('base64'), encoding: 'base64' };
}
