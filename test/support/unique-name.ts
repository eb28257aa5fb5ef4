import { randomBytes } from 'node:crypto';

/**
 * A name that no other test uses, so that the tests of a file can share one broker. Letters, digits and `-`
 * only.
 */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`;
}
