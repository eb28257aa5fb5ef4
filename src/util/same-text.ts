import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Compares secrets by their hashes, so that the time taken reveals neither their content nor their lengths.
 */
export function sameText(expected: string, given: string): boolean {
  return timingSafeEqual(digest(expected), digest(given));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
