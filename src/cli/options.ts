import type { RateJson } from '../admin-api/index.ts';
import { CliError, exitCode } from './exit-code.ts';
import { parseDuration } from './format.ts';

/** Parses the text of an option; the error says what the option must be. */
export function option<T>(
  flag: string,
  text: string | undefined,
  parse: (text: string) => T | undefined,
  expected: string,
): T | undefined {
  if (text === undefined) return undefined;
  const value = parse(text);
  if (value === undefined) throw new CliError(exitCode.usage, `${flag} must be ${expected}, not "${text}".`);
  return value;
}

export function wholeNumberOption(flag: string, text: string | undefined): number | undefined {
  return option(
    flag,
    text,
    (digits) => (/^\d{1,15}$/.test(digits) ? Number(digits) : undefined),
    'a whole number',
  );
}

/** A header of a message. */
export function headerOption(flag: string, text: string): { readonly name: string; readonly value: string } {
  const at = text.indexOf('=');
  if (at < 1) throw new CliError(exitCode.usage, `${flag} must be name=value, not "${text}".`);
  return { name: text.slice(0, at), value: text.slice(at + 1) };
}

/** Null for `none`, which takes a setting away. */
export function orNone<T>(
  text: string | undefined,
  parse: (text: string | undefined) => T | undefined,
): T | null | undefined {
  return text === 'none' ? null : parse(text);
}

/** The fields that are not null: for a thing that is made, `none` is the same as nothing. */
export function withoutNull(fields: { readonly [name: string]: unknown }): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

/** A time as milliseconds since the epoch: ISO 8601, or how long ago (`90s`, `1h`). */
export function timeOption(flag: string, text: string | undefined): number | undefined {
  return option(
    flag,
    text,
    (text) => {
      const agoMs = parseDuration(text);
      const ms = agoMs === undefined ? Date.parse(text) : Date.now() - agoMs;
      return Number.isFinite(ms) ? ms : undefined;
    },
    'a time such as 2026-01-31T12:00:00Z, or 1h for an hour ago',
  );
}

/** The fields that are defined. */
export function withoutUndefined(fields: { readonly [name: string]: unknown }): {
  readonly [name: string]: unknown;
} {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** A rate such as `100` or `100/s`; null for `none`. */
export function rateOption(
  flag: string,
  rate: string | undefined,
  burstFlag: string,
  burst: string | undefined,
): RateJson | null | undefined {
  if (rate === 'none') return null;
  const what = 'a number above 0';
  const perSecond = option(flag, rate?.replace(/\/s$/, ''), parsePositive, what);
  const atOnce = option(burstFlag, burst, parsePositive, what);
  if (perSecond !== undefined) return { perSecond, burst: atOnce ?? Math.max(1, perSecond) };
  if (atOnce !== undefined) throw new CliError(exitCode.usage, `${burstFlag} needs ${flag}.`);
  return undefined;
}

function parsePositive(text: string): number | undefined {
  const number = Number(text);
  return Number.isFinite(number) && number > 0 ? number : undefined;
}
