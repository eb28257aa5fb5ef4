/**
 * Infinity is refused, because configurations are stored as JSON, which has no Infinity. To set no limit,
 * leave it out.
 */
export function isFiniteNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value);
}

/** What is wrong with a rate, worded to follow the name of its setting; undefined if nothing is. */
export function problemOfRate(rate: unknown): string | undefined {
  const { perSecond, burst } = (rate ?? {}) as { readonly perSecond?: unknown; readonly burst?: unknown };
  if (!(isFiniteNumber(perSecond) && (perSecond as number) > 0))
    return 'needs perSecond, a number greater than 0';
  if (!(isFiniteNumber(burst) && (burst as number) >= 1)) return 'needs burst, a number from 1';
  return undefined;
}

/** Removes members that are undefined, so that they do not hide defaults. */
export function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
