/**
 * Infinity is refused, because configurations are stored as JSON, which has no Infinity. To set no limit,
 * leave it out.
 */
export function isFiniteNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value);
}

/** Removes members that are undefined, so that they do not hide defaults. */
export function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
