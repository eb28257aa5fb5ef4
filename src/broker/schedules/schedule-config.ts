import { isFiniteNumber, withoutUndefined } from '../config-checks.ts';
import { BrokerError } from '../errors.ts';

/** The message that a schedule publishes. Binary values are kept as base64, because schedules are JSON. */
export interface ScheduledMessage {
  readonly key?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Absent: the message has no value. */
  readonly value?: string;
  /** How the value is written down; absent: as text, which is published as UTF-8. */
  readonly encoding?: 'base64';
  /** Removes all earlier messages of the partition (`topic`), or all earlier messages of the key in it. */
  readonly replaces?: 'topic' | 'key';
  /** The message expires so long after it was published. */
  readonly ttlMs?: number;
  readonly priority?: number;
}

/**
 * What is published if several runs are due at once, after the broker was down or could not publish. `once`:
 * one message for all of them. `all`: one for each. `skip`: one if the last of them is at most
 * {@link lateMsMax} late, else none.
 */
export type MissedRuns = 'once' | 'all' | 'skip';

/**
 * When a schedule runs: exactly one of `cron`, `everyMs` and `atMs`. Times are milliseconds since the epoch.
 */
export interface ScheduleTimes {
  /** A cron expression of five fields, or of six with seconds first. It follows the wall clock. */
  readonly cron?: string;
  /** The time zone of `cron`, by its IANA name. Absent: UTC. */
  readonly timeZone?: string;
  /** An interval. It follows steady time: setting the clock does not shorten or lengthen it. */
  readonly everyMs?: number;
  /** A single time. */
  readonly atMs?: number;
  /** The first run is at this time (`everyMs`), or not before it (`cron`). */
  readonly startMs?: number;
  /** No run is after this time. */
  readonly endMs?: number;
}

/** The configuration of a schedule. */
export interface ScheduleConfig extends ScheduleTimes {
  /** Unique in the broker. */
  readonly name: string;
  readonly topic: string;
  readonly message: ScheduledMessage;
  /** The schedule ends after so many runs. */
  readonly count?: number;
  /** Each run is late by a random part of this time, so that many schedules do not publish at once. */
  readonly jitterMs?: number;
  readonly missed: MissedRuns;
  /** What becomes of the schedule when it has ended. */
  readonly whenEnded: 'keep' | 'delete';
  /** Headers that tell the run; absent: {@link ScheduleHeader}. */
  readonly headers?: RunHeaders;
  /**
   * The last message with this key in the topic gives value and headers to each run, if there is one. Headers
   * whose names start with one of `without` are left out.
   */
  readonly source?: { readonly key: string; readonly without: readonly string[] };
}

/** The headers of its own that a schedule adds to each message. */
export interface RunHeaders {
  /** Headers that every message has, whatever gives its value. */
  readonly fixed: readonly (readonly [name: string, value: string])[];
  /** Has the next time, as RFC 3339 text, or `ended` after the last run. */
  readonly next: string;
  readonly ended: string;
}

/** The headers that schedules add to their messages. */
export const ScheduleHeader = {
  name: 'Pillarbox-Schedule',
  /** The time of the run by the schedule, as RFC 3339 text. */
  time: 'Pillarbox-Schedule-Time',
} as const;

/** The configuration as callers give it: name, topic, message, and one of the kinds of times. */
export type ScheduleOptions = Pick<ScheduleConfig, 'name' | 'topic' | 'message'> & Partial<ScheduleConfig>;

/** A run that is later than this was missed. */
export const lateMsMax = 10_000;
const nameLengthMax = 255;
const everyMsMin = 100;
/** Some hundred years: a longer time is taken for a mistake of the unit. */
const spanMsMax = 1e13;
const messageBytesMax = 256 * 1024;

/** Fills in defaults and checks every field. Throws a BrokerError of code `schedule-config-invalid`. */
export function scheduleConfig(options: ScheduleOptions): ScheduleConfig {
  const config: ScheduleConfig = { missed: 'once', whenEnded: 'keep', ...withoutUndefined(options) };
  const invalid = (problem: string): never => {
    const shown = typeof config.name === 'string' ? config.name.slice(0, nameLengthMax) : '';
    throw new BrokerError(
      'schedule-config-invalid',
      `Schedule "${shown}" cannot be configured so: ${problem}.`,
      { schedule: shown },
    );
  };
  const { name, topic, message, cron, timeZone, everyMs, atMs, startMs, endMs, count, jitterMs } = config;
  if (typeof name !== 'string' || name.length === 0 || name.length > nameLengthMax)
    invalid(`its name must have 1 to ${nameLengthMax} characters`);
  if (typeof topic !== 'string' || topic === '') invalid('it needs the name of a topic');
  if (typeof message !== 'object' || message === null) invalid('it needs a message');
  const kinds = [cron, everyMs, atMs].filter((given) => given !== undefined).length;
  if (kinds !== 1) invalid('it needs one of cron, everyMs and atMs');
  if (cron !== undefined && typeof cron !== 'string') invalid('cron must be a text');
  if (timeZone !== undefined && (typeof timeZone !== 'string' || cron === undefined))
    invalid('timeZone must be a text, and belongs to cron');
  if (everyMs !== undefined && !isWhole(everyMs, everyMsMin, spanMsMax))
    invalid(`everyMs must be a whole number of milliseconds from ${everyMsMin}`);
  for (const [what, time] of Object.entries({ atMs, startMs, endMs }))
    if (time !== undefined && !isWhole(time, 0, spanMsMax))
      invalid(`${what} must be a time in whole milliseconds since 1970`);
  if (atMs !== undefined && (startMs ?? endMs ?? count) !== undefined)
    invalid('a schedule with atMs runs once: it takes no startMs, endMs and count');
  if (startMs !== undefined && endMs !== undefined && endMs < startMs) invalid('endMs is before startMs');
  if (count !== undefined && !isWhole(count, 1, 1e12)) invalid('count must be a whole number from 1');
  if (jitterMs !== undefined && !isWhole(jitterMs, 0, everyMs ?? spanMsMax))
    invalid('jitterMs must be a whole number of milliseconds, and no longer than everyMs');
  if (!['once', 'all', 'skip'].includes(config.missed)) invalid('missed must be one of once, all, skip');
  if (!['keep', 'delete'].includes(config.whenEnded)) invalid('whenEnded must be one of keep, delete');
  const problem = problemOfMessage(message);
  if (problem !== undefined) invalid(problem);
  return config;
}

function problemOfMessage(message: ScheduledMessage): string | undefined {
  const { key, headers, value, encoding, replaces, ttlMs, priority } = message;
  if (key !== undefined && typeof key !== 'string') return 'the key of its message must be a text';
  if (value !== undefined && typeof value !== 'string') return 'the value of its message must be a text';
  if (encoding !== undefined && encoding !== 'base64') return 'encoding must be base64, or absent';
  if (replaces !== undefined && replaces !== 'topic' && replaces !== 'key')
    return 'replaces must be topic or key, or absent';
  if (ttlMs !== undefined && !isWhole(ttlMs, 1, spanMsMax))
    return 'the ttlMs of its message must be a whole number of milliseconds';
  if (priority !== undefined && !isWhole(priority, 0, 255))
    return 'the priority of its message must be a whole number from 0 to 255';
  if (headers !== undefined) {
    const isPair = (pair: unknown): boolean =>
      Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string');
    if (!Array.isArray(headers) || !headers.every(isPair))
      return 'the headers of its message must be a list of pairs of name and value';
  }
  const bytes = JSON.stringify([key, headers, value]).length;
  return bytes > messageBytesMax
    ? `its message has ${bytes} bytes, and may have ${messageBytesMax}: publish a reference instead`
    : undefined;
}

function isWhole(value: number, min: number, max: number): boolean {
  return isFiniteNumber(value) && Number.isInteger(value) && value >= min && value <= max;
}
