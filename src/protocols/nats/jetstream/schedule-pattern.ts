import type { ScheduleTimes } from '../../../broker/index.ts';
import { parseDuration } from './time.ts';

const predefined: { readonly [pattern: string]: string } = {
  '@yearly': '0 0 0 1 1 *',
  '@annually': '0 0 0 1 1 *',
  '@monthly': '0 0 0 1 * *',
  '@weekly': '0 0 0 * * 0',
  '@daily': '0 0 0 * * *',
  '@midnight': '0 0 0 * * *',
  '@hourly': '0 0 * * * *',
};

const months = 'jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec';
const weekdays = 'sun|mon|tue|wed|thu|fri|sat';

/** The fields of a cron pattern: their bounds, and the names of their values. */
const fields = [
  { min: 0, max: 59, names: '' },
  { min: 0, max: 59, names: '' },
  { min: 0, max: 23, names: '' },
  { min: 1, max: 31, names: '' },
  { min: 1, max: 12, names: months },
  { min: 0, max: 6, names: weekdays },
] as const;

const rfc3339Form = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/**
 * The times of a `Nats-Schedule` header: `@at` with a time, `@every` with a duration from one second, a cron
 * pattern of six fields, or a predefined one such as `@hourly`. Undefined if it is none of them. A time zone
 * is for cron patterns only.
 */
export function scheduleTimes(
  pattern: string,
  timeZone: string | undefined,
  nowMs: number,
): ScheduleTimes | undefined {
  if (pattern.startsWith('@at ')) {
    const text = pattern.slice('@at '.length);
    const atMs = rfc3339Form.test(text) ? Math.floor(Date.parse(text)) : Number.NaN;
    return timeZone === undefined && Number.isFinite(atMs) ? { atMs: Math.max(0, atMs) } : undefined;
  }
  if (pattern.startsWith('@every ')) {
    const nanos = parseDuration(pattern.slice('@every '.length));
    if (timeZone !== undefined || nanos === undefined || nanos < 1e9) return undefined;
    const everyMs = Math.round(nanos / 1e6);
    // Counted from a whole second, as in nats-server.
    return { everyMs, startMs: Math.round(nowMs / 1000) * 1000 + everyMs };
  }
  const cron = cronOf((predefined[pattern] ?? pattern).trim().split(/\s+/));
  if (cron === undefined) return undefined;
  return { cron, ...(timeZone === undefined ? {} : { timeZone }) };
}

/** The pattern in the form that schedules read; undefined if nats-server would not read it. */
function cronOf(parts: readonly string[]): string | undefined {
  if (parts.length !== fields.length) return undefined;
  const read = parts.map((part, at) => fieldOf(part, fields[at]!));
  return read.includes(undefined) ? undefined : read.join(' ');
}

function fieldOf(part: string, { min, max, names }: (typeof fields)[number]): string | undefined {
  const value = names === '' ? String.raw`\d+` : String.raw`(?:\d+|${names})`;
  const form = new RegExp(String.raw`^(?:([*?])|(${value})(?:-(${value}))?)(?:\/(\d+))?$`, 'i');
  const ranges: string[] = [];
  for (const range of part.split(',').filter((text) => text !== '')) {
    const [, any, from, to, step] = form.exec(range) ?? [];
    if (any === undefined && from === undefined) return undefined;
    if (step === '0' || [from, to].some((bound) => Number(bound) < min || Number(bound) > max))
      return undefined;
    // `5/15` means from 5 on.
    const end = to ?? (step === undefined ? undefined : String(max));
    const span = any !== undefined ? '*' : end === undefined ? from : `${from}-${end}`;
    ranges.push(step === undefined ? span! : `${span}/${step}`);
  }
  return ranges.length === 0 ? undefined : ranges.join(',');
}
