import { rfc3339 } from '../../../util/index.ts';

/**
 * Times and durations in the form of JetStream: RFC 3339 texts in UTC, durations in nanoseconds. The broker
 * counts milliseconds. A finer time is kept only in the stored configuration of a stream or consumer.
 */
export const nanosPerMs = 1_000_000;

/** Go's text for "no time". */
export const zeroTime = '0001-01-01T00:00:00Z';

/** A time as Go prints it: without trailing zeros in its fraction. */
export function timeText(ms: number): string {
  return rfc3339(ms).replace(/\.?0+Z$/, 'Z');
}

/** A time in milliseconds; undefined for Go's zero time. */
export function timeMs(text: string | undefined): number | undefined {
  if (text === undefined || text.startsWith('0001-01-01T00:00:00')) return undefined;
  return Date.parse(text);
}

export function msOfNanos(nanos: number): number {
  return nanos / nanosPerMs;
}

/**
 * The nanoseconds of a duration of the broker. Returns `given` if it means the same, so that clients read
 * back the configuration that they set.
 */
export function nanosOfMs(ms: number, given?: number): number {
  const nanos = Math.round(ms * nanosPerMs);
  return given !== undefined && Math.abs(given - nanos) < nanosPerMs ? given : nanos;
}

const unitNanos: { readonly [unit: string]: number } = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Parses a duration in Go's form ("1.5s", "2m30s"); undefined if the text is not one. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const negative = text.startsWith('-');
  const digits = negative || text.startsWith('+') ? text.slice(1) : text;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(digits)) return undefined;
  let nanos = 0;
  for (const [, number, unit] of digits.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    nanos += Number(number) * unitNanos[unit!]!;
  }
  return negative ? -nanos : nanos;
}

/** A duration as Go prints it ("1m0s", "1.5s", "250ms"). */
export function durationText(nanos: number): string {
  if (nanos === 0) return '0s';
  if (nanos < 0) return `-${durationText(-nanos)}`;
  if (nanos < 1e3) return `${nanos}ns`;
  if (nanos < 1e6) return `${nanos / 1e3}µs`;
  if (nanos < 1e9) return `${nanos / 1e6}ms`;
  const hours = Math.floor(nanos / 3600e9);
  const minutes = Math.floor((nanos % 3600e9) / 60e9);
  const seconds = `${(nanos % 60e9) / 1e9}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
