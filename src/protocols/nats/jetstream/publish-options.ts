import type { Header, LiveMessage, PublishOptions, UniqueOptions } from '../../../broker/index.ts';
import { apiError } from './errors.ts';
import { headerText } from './headers.ts';
import { endedSchedule, messageSchedule, type ScheduleSurroundings } from './message-schedule.ts';
import { messageTtlMs, shortestTtlMs } from './message-ttl.ts';
import { msOfNanos, parseDuration } from './time.ts';
import { checkFeatureHeaders } from './publish-refusals.ts';
import type { StreamConfig } from './stream-config.ts';

/** An expectation that no stream can meet: it replaces a sequence that is not a number. */
const impossibleOffset = -2;

/** The priority of the message: ours, as NATS has none. */
const priorityHeader = 'Pillarbox-Priority';
/** When the message becomes visible, in milliseconds since the epoch: ours, too. */
const deliverAtHeader = 'Pillarbox-Deliver-At';
/** A later time is taken for a mistake, such as another unit: 31 December 9999. */
const deliverAtMsMax = 253_402_300_799_999;

/**
 * The options in the headers of a publish: dedupe, expectations, rollup, unique key, priority. Undefined if
 * there are none. Throws the API error of the first header that this stream can never accept.
 */
export function publishOptions(
  headers: readonly Header[],
  stream: StreamConfig,
  message: LiveMessage,
  surroundings: ScheduleSurroundings,
): PublishOptions | undefined {
  if (!stream.allow_msg_counter && !headers.some(isOption)) return undefined;
  let schedule: PublishOptions['schedule'];
  let ended: string | undefined;
  checkFeatureHeaders(
    headers,
    stream,
    () => {
      const expectedStream = headerText(headers, 'Nats-Expected-Stream');
      if (expectedStream !== undefined && expectedStream !== stream.name) throw apiError('streamNotMatch');
    },
    () => {
      schedule = messageSchedule(headers, stream, message, surroundings);
      ended = endedSchedule(headers, stream, message.subject);
    },
  );

  const dedupeId = headerText(headers, 'Nats-Msg-Id');
  const expectedLastDedupeId = headerText(headers, 'Nats-Expected-Last-Msg-Id');
  const expectedLastOffset = offsetOf(headerText(headers, 'Nats-Expected-Last-Sequence'));
  const expectedLastKeyOffset = offsetOf(headerText(headers, 'Nats-Expected-Last-Subject-Sequence'));
  const expectedLastKey = headerText(headers, 'Nats-Expected-Last-Subject-Sequence-Subject');
  if (expectedLastKey !== undefined && expectedLastKeyOffset === undefined) {
    throw apiError('expectedLastSubjectSequenceInvalid');
  }
  const ttlMs = messageTtlMs(headers);
  const lives = stream.allow_msg_ttl && ttlMs !== undefined && ttlMs > 0;
  const unique = uniqueKeyOf(headers);
  const priority = priorityIn(headerText(headers, priorityHeader));
  const deliverAtMs = timeIn(headerText(headers, deliverAtHeader));
  const replaces = schedule ? 'key' : replacedBy(headerText(headers, 'Nats-Rollup'), stream);
  return {
    ...(priority === undefined ? {} : { priority }),
    ...(deliverAtMs === undefined ? {} : { deliverAtMs }),
    ...(dedupeId === undefined ? {} : { dedupeId }),
    ...(expectedLastDedupeId === undefined ? {} : { expectedLastDedupeId }),
    ...(expectedLastOffset === undefined ? {} : { expectedLastOffset }),
    ...(expectedLastKeyOffset === undefined ? {} : { expectedLastKeyOffset }),
    ...(expectedLastKey === undefined ? {} : { expectedLastKey }),
    ...(lives ? { ttlMs: Math.max(ttlMs, shortestTtlMs(stream)) } : {}),
    ...(replaces === undefined ? {} : { replaces }),
    ...(unique === undefined ? {} : { unique }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(ended === undefined ? {} : { removesKey: ended }),
  };
}

function isOption({ name }: Header): boolean {
  if (name.startsWith('Nats-') || name.startsWith('Pillarbox-Unique-')) return true;
  return name === priorityHeader || name === deliverAtHeader;
}

/** Headers of our own: `Pillarbox-Unique-Key`, `-Mode` (default: `ignore`) and `-Window` (such as `10s`). */
function uniqueKeyOf(headers: readonly Header[]): UniqueOptions | undefined {
  const key = headerText(headers, 'Pillarbox-Unique-Key');
  if (key === undefined) return undefined;
  const mode = (headerText(headers, 'Pillarbox-Unique-Mode') ?? 'ignore') as UniqueOptions['mode']; // the topic checks it
  const window = headerText(headers, 'Pillarbox-Unique-Window');
  return window === undefined
    ? { key, mode }
    : { key, mode, windowMs: msOfNanos(parseDuration(window) ?? 0) };
}

/** The priority in a header; a text that is no number becomes one that no topic takes. */
function priorityIn(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^\d{1,3}$/.test(text) ? Number(text) : -1;
}

/** The time in a header. */
function timeIn(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text) && Number(text) <= deliverAtMsMax) return Number(text);
  throw apiError('badRequest');
}

/** Converts a sequence to an offset: 0, "nothing yet", becomes -1. */
function offsetOf(sequence: string | undefined): number | undefined {
  if (sequence === undefined) return undefined;
  return /^\d{1,16}$/.test(sequence) ? Number(sequence) - 1 : impossibleOffset;
}

function replacedBy(
  value: string | undefined,
  { allow_rollup_hdrs: allowed }: StreamConfig,
): PublishOptions['replaces'] {
  if (value === undefined) return undefined;
  if (!allowed) throw apiError('rollupFailed', 'rollup not permitted');
  switch (value.toLowerCase()) {
    case 'sub':
      return 'key';
    case 'all':
      return 'topic';
    default:
      throw apiError('rollupFailed', `rollup value invalid: "${value.toLowerCase()}"`);
  }
}
