import { invalidRequest } from './errors.ts';

/**
 * A field reads one value of a request. It returns a valid value, or throws a sentence with the value's name.
 */
export type Field<T> = (value: unknown, name: string) => T;

/** The type that an object of fields reads: absent fields stay absent. */
export type Shape<T> = { readonly [K in keyof T]-?: Field<Exclude<T[K], undefined>> };

/** A request's body after reading: times are milliseconds since the epoch, in whatever form they came. */
export type Read<T> = { readonly [K in keyof T]: number extends T[K] ? Exclude<T[K], string> : T[K] };

/**
 * Reads an object. A name that is not in the shape is an error, because a misspelt option must not silently
 * get its default.
 */
export function readObject<T extends object>(
  value: unknown,
  shape: Shape<T>,
  required: readonly (keyof T & string)[] = [],
  what = 'The body',
): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidRequest(`${what} must be a JSON object.`);
  const result: { [name: string]: unknown } = {};
  for (const [name, given] of Object.entries(value)) {
    if (!Object.hasOwn(shape, name))
      throw invalidRequest(
        `${what} has an unknown field "${name}"; known are ${Object.keys(shape).join(', ')}.`,
      );
    if (given !== undefined) result[name] = shape[name as keyof T](given, name);
  }
  for (const name of required)
    if (result[name] === undefined) throw invalidRequest(`${what} must have the field "${name}".`);
  return result as T;
}

/** Reads the names of a query, as {@link readObject} reads the fields of a body. */
export function readQuery<T extends object>(query: URLSearchParams, shape: Shape<T>): T {
  return readObject(Object.fromEntries(query), shape, [], 'The query');
}

export function text(charactersMax: number = 4096): Field<string> {
  return (value, name) => {
    if (typeof value === 'string' && value.length <= charactersMax) return value;
    throw invalidRequest(`"${name}" must be a text of at most ${charactersMax} characters.`);
  };
}

/** A whole number, from a JSON number or from digits in a query. */
export function wholeNumber(min: number = 0, max: number = Number.MAX_SAFE_INTEGER): Field<number> {
  return (value, name) => {
    const number = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isSafeInteger(number) && number >= min && number <= max)
      return number;
    throw invalidRequest(`"${name}" must be a whole number from ${min} to ${max}.`);
  };
}

/** A number above 0, possibly with a fraction. */
export const positive: Field<number> = (value, name) => {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw invalidRequest(`"${name}" must be a number above 0.`);
};

/** A number from 0 to 1. */
export const share: Field<number> = (value, name) => {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw invalidRequest(`"${name}" must be a number from 0 to 1.`);
};

export const flag: Field<boolean> = (value, name) => {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw invalidRequest(`"${name}" must be true or false.`);
};

export function oneOf<T extends string>(...choices: readonly T[]): Field<T> {
  return (value, name) => {
    const choice = choices.find((choice) => choice === value);
    if (choice !== undefined) return choice;
    throw invalidRequest(`"${name}" must be one of ${choices.join(', ')}.`);
  };
}

export function listOf<T>(field: Field<T>, entriesMax: number = 10_000): Field<readonly T[]> {
  return (value, name) => {
    if (Array.isArray(value) && value.length <= entriesMax)
      return value.map((entry, at) => field(entry, `${name}[${at}]`));
    throw invalidRequest(`"${name}" must be a list of at most ${entriesMax} entries.`);
  };
}

/** A point in time: milliseconds since the epoch, or ISO 8601 such as `2026-01-31T12:00:00Z`. */
export const time: Field<number> = (value, name) => {
  const ms =
    typeof value === 'number'
      ? value
      : typeof value === 'string'
        ? /^\d{1,16}$/.test(value)
          ? Number(value)
          : Date.parse(value)
        : Number.NaN;
  if (Number.isFinite(ms) && ms >= 0) return ms;
  throw invalidRequest(`"${name}" must be a time: milliseconds since 1970, or such as 2026-01-31T12:00:00Z.`);
};

export function nullOr<T>(field: Field<T>): Field<T | null> {
  return (value, name) => (value === null ? null : field(value, name));
}

/** So many a second, and up to `burst` of them at once. */
export function rate(what: string): Field<{ readonly perSecond: number; readonly burst: number }> {
  return (value) => readObject(value, { perSecond: positive, burst: positive }, ['perSecond', 'burst'], what);
}

/** The same settings, each of which may be null: back to its default. */
export function eachOrNull<T extends object>(
  shape: Shape<T>,
): Shape<{ readonly [K in keyof T]?: Exclude<T[K], undefined> | null }> {
  const entries = Object.entries(shape) as [string, Field<unknown>][];
  return Object.fromEntries(entries.map(([name, field]) => [name, nullOr(field)])) as Shape<{
    readonly [K in keyof T]?: Exclude<T[K], undefined> | null;
  }>;
}

/** A configuration with changes. What is null is left out: it has its default, or no limit. */
export function changed<T extends object>(
  config: T,
  changes: { readonly [K in keyof T]?: T[K] | null },
): Partial<T> {
  const all = Object.entries<unknown>({ ...config, ...changes });
  return Object.fromEntries(all.filter(([, value]) => value !== null)) as Partial<T>;
}

/** Any JSON value as it is. */
export const anything: Field<unknown> = (value) => value;
