// Values in the tables of the configuration. Each reader throws an Error, in one sentence, for one that does
// not fit.

/** A table with these keys and no others. */
export function tableOf<T>(
  value: unknown,
  keys: { readonly [K in keyof T]-?: true },
  title: string,
): { readonly [K in keyof T]: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`The ${title} must be a table.`);
  for (const key of Object.keys(value))
    if (!Object.hasOwn(keys, key))
      throw new Error(
        `The ${title} has an unknown key "${key}"; the known ones are ${Object.keys(keys).join(', ')}.`,
      );
  return value as { readonly [K in keyof T]: unknown };
}

export function known<T extends string>(value: unknown, choices: readonly T[], what: string): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new Error(`The ${what} must be one of ${choices.join(', ')}.`);
  return found;
}

export function numberOf(value: unknown, what: string): number {
  const number = typeof value === 'string' && /^\d{1,15}(\.\d{1,6})?$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number) && number >= 0) return number;
  throw new Error(`The ${what} must be a number from 0.`);
}

const unitsMs: { readonly [unit: string]: number } = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };

export function durationOf(value: unknown, what: string): number {
  const [, digits, unit = ''] = /^(\d{1,9})\s*(ms|s|m|h|d)$/.exec(String(value)) ?? [];
  if (digits === undefined) throw new Error(`The ${what} must be a time such as 30s, 15m, 12h or 7d.`);
  return Number(digits) * unitsMs[unit]!;
}
