import { scheduleConfig, type ScheduleOptions } from '../broker/index.ts';
import { tables, type Setting } from '../protocols/settings.ts';
import { durationOf, tableOf } from './setting-values.ts';

/** A schedule in the configuration: a table of the file, or the same as JSON. See docs/schedules.md. */
export interface ScheduleSettings {
  readonly name: string;
  readonly topic: string;
  readonly value?: string;
  readonly key?: string;
  readonly headers?: { readonly [name: string]: string };
  readonly ttl?: string;
  readonly priority?: number;
  readonly cron?: string;
  readonly 'time-zone'?: string;
  readonly every?: string;
  readonly at?: string | Date;
  readonly start?: string | Date;
  readonly end?: string | Date;
  readonly count?: number;
  readonly jitter?: string;
  readonly missed?: 'once' | 'all' | 'skip';
  readonly 'when-ended'?: 'keep' | 'delete';
}

const keys: { readonly [K in keyof ScheduleSettings]-?: true } = {
  name: true,
  topic: true,
  value: true,
  key: true,
  headers: true,
  ttl: true,
  priority: true,
  cron: true,
  'time-zone': true,
  every: true,
  at: true,
  start: true,
  end: true,
  count: true,
  jitter: true,
  missed: true,
  'when-ended': true,
};

/** The setting `schedules`: tables of the configuration file, or the same as JSON. */
export const schedulesSetting: Setting<readonly ScheduleSettings[] | undefined> = tables(scheduleOptions, {
  name: 'schedules',
  help: 'schedules to define at the start; mostly in the configuration file (docs/schedules.md)',
  expected: 'a list of tables with name, topic and times each (docs/schedules.md)',
});

/** The schedules of the setting. Throws an Error, in one sentence, for a value that does not fit. */
export function scheduleOptions(settings: readonly unknown[]): readonly ScheduleOptions[] {
  const names = new Set<string>();
  return settings.map((value, at) => {
    const options = optionsOf(value, `entry ${at + 1} of "schedules"`);
    if (names.has(options.name)) throw new Error(`Two schedules have the name "${options.name}".`);
    names.add(options.name);
    return scheduleConfig(options);
  });
}

function optionsOf(value: unknown, title: string): ScheduleOptions {
  const table = tableOf<ScheduleSettings>(value, keys, title);
  const { name, topic, key, headers = {}, cron, count, missed } = table;
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers))
    throw new Error(`The "headers" of the ${title} must be a table of names and values.`);
  const times = {
    everyMs: table.every === undefined ? undefined : durationOf(table.every, `"every" of the ${title}`),
    jitterMs: table.jitter === undefined ? undefined : durationOf(table.jitter, `"jitter" of the ${title}`),
    atMs: timeOf(table.at, `"at" of the ${title}`),
    startMs: timeOf(table.start, `"start" of the ${title}`),
    endMs: timeOf(table.end, `"end" of the ${title}`),
  };
  const pairs = Object.entries(headers).map(([header, text]) => [header, String(text)] as const);
  const ttlMs = table.ttl === undefined ? undefined : durationOf(table.ttl, `"ttl" of the ${title}`);
  const { value: text, priority } = table;
  const message = given({ key, value: text, headers: pairs.length > 0 ? pairs : undefined, ttlMs, priority });
  const rest = { cron, timeZone: table['time-zone'], count, missed, whenEnded: table['when-ended'] };
  // The broker checks all values.
  return given({ name, topic, message, ...times, ...rest }) as unknown as ScheduleOptions;
}

function given(fields: { readonly [name: string]: unknown }): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** TOML has dates. */
function timeOf(value: unknown, what: string): number | undefined {
  if (value === undefined) return undefined;
  const ms =
    value instanceof Date ? value.getTime() : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isFinite(ms)) return ms;
  throw new Error(`The ${what} must be a time such as 2026-01-31T12:00:00Z.`);
}
