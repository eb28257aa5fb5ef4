import type { checks } from '../embedded/values.ts';

/** Checks that a value is one of these words. */
export function oneOf(...words: readonly string[]): checks.Check {
  return (value) => (words.includes(value as string) ? undefined : `one of ${words.join(', ')}`);
}
