import { isPublishSubject, isSubscribeSubject, shownText } from '../util/index.ts';
import { BoxError } from './errors.ts';

/**
 * A check returns undefined for a value that fits, else what the value must be, worded to follow "must be".
 */
export type Check = (value: unknown) => string | undefined;

/** One check per option: an option without a check does not compile. */
export type Checks<T> = { readonly [K in keyof T]-?: Check };

/**
 * Throws a BoxError with the code `option-invalid` for options that are unknown or do not fit, since a
 * misspelt option must not become a silent default. Undefined options count as left out.
 */
export function checkOptions<T extends object>(call: string, options: T, checks: Checks<T>): void {
  if (typeof options !== 'object' || options === null || Symbol.iterator in options)
    throw optionInvalid(`${call} takes its options as an object, not ${shownValue(options)}.`);
  for (const name in options) {
    const value: unknown = options[name];
    if (!Object.hasOwn(checks, name)) throw optionInvalid(unknownName(`${call} has no option`, name, checks));
    if (value !== undefined) checkValue(call, name, value, checks[name]);
  }
}

/** {@link checkOptions} for one value: `get() cannot be called so: offset must be …`. */
export function checkValue(call: string, name: string, value: unknown, check: Check): void {
  const expected = check(value);
  if (expected !== undefined)
    throw optionInvalid(
      `${call} cannot be called so: ${name} must be ${expected}, not ${shownValue(value)}.`,
    );
}

/** `… "agMsMax"; did you mean "ageMsMax"?`, or a list of the known names if none is close. */
export function unknownName(what: string, name: string, known: object): string {
  const names = Object.keys(known);
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[^a-z]/g, '');
  const near =
    names.find((other) => plain(other) === plain(name)) ?? names.find((other) => isNear(other, name));
  const hint = near === undefined ? `the known ones are ${names.join(', ')}.` : `did you mean "${near}"?`;
  return `${what} "${shownText(name)}"; ${hint}`;
}

/** Whether one letter was left out, added or mistaken. */
function isNear(a: string, b: string): boolean {
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  const [restA, restB] = [a.slice(same), b.slice(same)];
  return restA.slice(1) === restB || restA === restB.slice(1) || restA.slice(1) === restB.slice(1);
}

function optionInvalid(message: string): BoxError {
  return new BoxError('option-invalid', message);
}

const shownLengthMax = 60;

/** A value as an error message shows it: shortened, and for an object only its type. */
export function shownValue(value: unknown): string {
  if (typeof value === 'string') {
    const shown = JSON.stringify(shownText(value));
    return shown.length > shownLengthMax ? `${shown.slice(0, shownLengthMax)}…` : shown;
  }
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null)
    return typeof value === 'bigint' ? `${value}n` : String(value);
  return `a value of type ${Object.prototype.toString.call(value).slice(8, -1)}`;
}

// ---- the checks

/** Longest delay of a timer, about 24 days. */
export const timerMsMax: number = 2 ** 31 - 1;
/** Latest time of JavaScript's dates. */
const timeMsMax = 8.64e15;

/** Milliseconds; a fraction is allowed. */
export function milliseconds(minMs: number = 0, maxMs: number = timerMsMax): Check {
  return (value) =>
    typeof value === 'number' && value >= minMs && value <= maxMs
      ? undefined
      : `a number of milliseconds from ${minMs} to ${maxMs}`;
}

export function wholeNumber(min: number = 0, max: number = Number.MAX_SAFE_INTEGER): Check {
  return (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
      ? undefined
      : `a whole number from ${min}${max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max}`}`;
}

/** A whole number, or Infinity for no limit. */
export function limitOf(min: number): Check {
  const isWhole = wholeNumber(min);
  return (value) =>
    value === Infinity ? undefined : isWhole(value) && `a whole number from ${min}, or Infinity`;
}

/** A point in time, in whole milliseconds since 1970. */
export const time: Check = (value) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= timeMsMax
    ? undefined
    : 'a time in whole milliseconds since 1970';

export const text: Check = (value) => (typeof value === 'string' ? undefined : 'a text');

export const filledText: Check = (value) =>
  typeof value === 'string' && value !== '' ? undefined : 'a text that is not empty';

export const flag: Check = (value) => (typeof value === 'boolean' ? undefined : 'true or false');

export const callback: Check = (value) => (typeof value === 'function' ? undefined : 'a function');

export const abortSignal: Check = (value) =>
  has(value, 'addEventListener', 'removeEventListener') && typeof (value as AbortSignal).aborted === 'boolean'
    ? undefined
    : 'an AbortSignal';

/** An object with these methods. */
export function objectWith(...methods: readonly string[]): Check {
  return (value) => (has(value, ...methods) ? undefined : `an object with ${methods.join('() and ')}()`);
}

function has(value: unknown, ...methods: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return methods.every((name) => typeof (value as { [name: string]: unknown })[name] === 'function');
}

/** The module `@opentelemetry/api`. */
export const openTelemetryLike: Check = (value) => {
  const { trace, context, propagation } = (value ?? {}) as { readonly [part: string]: unknown };
  const fits =
    has(trace, 'getTracer', 'setSpan') &&
    has(context, 'active', 'with') &&
    has(propagation, 'inject', 'extract');
  return fits ? undefined : 'the module @opentelemetry/api';
};

export const codecLike: Check = objectWith('encode', 'decode');

export const schemaLike: Check = (value) => {
  const standard = (typeof value === 'object' || typeof value === 'function') && value !== null;
  return standard && has((value as { '~standard'?: unknown })['~standard'], 'validate')
    ? undefined
    : 'a schema that follows Standard Schema';
};

export const subject: Check = (value) =>
  typeof value === 'string' && isPublishSubject(value)
    ? undefined
    : 'a subject: tokens between dots, without wildcards and blanks';

export const subjectPattern: Check = (value) =>
  typeof value === 'string' && isSubscribeSubject(value)
    ? undefined
    : 'a subject pattern: tokens between dots, `*` for one, `>` at the end for all that follow';

/** One pattern, or a list of patterns. */
export const filter: Check = (value) =>
  (Array.isArray(value) ? value : [value]).some((each) => subjectPattern(each) !== undefined)
    ? 'a subject pattern such as "eu.*" or "orders.>", or a list of them'
    : undefined;

const uniqueModes: readonly unknown[] = ['ignore', 'replace', 'debounce', 'throttle'];

/** `{ key, mode, windowMs? }`. */
export const uniqueKey: Check = (value) => {
  if (typeof value === 'object' && value !== null) {
    const { key, mode, windowMs, ...others } = value as { readonly [name: string]: unknown };
    const isKey = typeof key === 'string' && key.length > 0 && key.length <= 256;
    const isWindow =
      windowMs === undefined || (typeof windowMs === 'number' && windowMs > 0 && windowMs < Infinity);
    if (isKey && uniqueModes.includes(mode) && isWindow && Object.keys(others).length === 0) return undefined;
  }
  return "{ key, mode, windowMs }, with a key of 1 to 256 characters, and the mode 'ignore', 'replace', 'debounce' or 'throttle'";
};

/** `{ offset }` or `{ timestampMs }`. */
export const place: Check = (value) => {
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 1) {
    const { offset, timestampMs } = value as { offset?: unknown; timestampMs?: unknown };
    if (offset !== undefined && wholeNumber()(offset) === undefined) return undefined;
    if (typeof timestampMs === 'number' && timestampMs >= 0 && timestampMs <= timeMsMax) return undefined;
  }
  return '{ offset } from 0 or { timestampMs } since 1970';
};
