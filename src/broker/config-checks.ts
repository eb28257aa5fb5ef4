/**
 * Infinity is no number here: what is stored is JSON, which cannot say it. A limit that is none is absent.
 */
export function isFiniteNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value);
}

/** Drops members that are present but undefined, so that they do not hide defaults. */
export function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
