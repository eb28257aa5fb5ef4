import type { Record } from '../../log/index.ts';
import { subjectMatches } from '../../util/index.ts';

/**
 * A filter tells which keys a group wants: keys that match any of its subject patterns.
 *
 * Runs of one key are common, so the last key and its result are remembered.
 */
export class Filter {
  /** The patterns as text. */
  readonly patterns: readonly string[];
  /** The patterns in the form in which keys are stored. */
  readonly #keyPatterns: readonly string[];
  #lastKey = '';
  #lastAnswer: boolean;

  constructor(patterns: readonly string[]) {
    this.patterns = patterns;
    this.#keyPatterns = patterns.map(keyFromText);
    this.#lastAnswer = this.matches('');
  }

  /** Whether a key (one char per byte) matches. */
  matches(key: string): boolean {
    for (const pattern of this.#keyPatterns) if (subjectMatches(pattern, key)) return true;
    return false;
  }

  matchesRecord(record: Record): boolean {
    const { buffer, keyStart, keyEnd } = record;
    const last = this.#lastKey;
    if (keyEnd - keyStart === last.length && sameBytes(buffer, keyStart, last)) return this.#lastAnswer;
    this.#lastKey = keyText(record);
    this.#lastAnswer = this.matches(this.#lastKey);
    return this.#lastAnswer;
  }

  /** Whether it wants every key. */
  get isAll(): boolean {
    return this.#keyPatterns.includes('>');
  }

  /** The key, if the filter matches exactly one. */
  get literal(): string | undefined {
    const only = this.#keyPatterns.length === 1 ? this.#keyPatterns[0]! : undefined;
    return only === undefined || /(^|\.)[*>](\.|$)/.test(only) ? undefined : only;
  }
}

/** A text in the form in which keys are stored: UTF-8, one char per byte. */
export function keyFromText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The text of a stored key. */
export function textFromKey(key: string): string {
  return Buffer.from(key, 'latin1').toString('utf8');
}

/** A record's key as one char per byte; the empty string if it has none. */
export function keyText(record: Record): string {
  if (record.keyStart < 0) return '';
  const { buffer, keyStart, keyEnd } = record;
  return Buffer.prototype.latin1Slice.call(buffer, keyStart, keyEnd);
}

/** Reads keys of records. It remembers the last key, so that a run of one key makes one string. */
export class KeyReader {
  #last = '';

  read(record: Record): string {
    const { buffer, keyStart, keyEnd } = record;
    if (keyStart < 0) return '';
    const last = this.#last;
    if (keyEnd - keyStart === last.length && sameBytes(buffer, keyStart, last)) return last;
    this.#last = keyText(record);
    return this.#last;
  }
}

function sameBytes(buffer: Uint8Array, start: number, text: string): boolean {
  // From the end, where neighbouring subjects differ.
  for (let i = text.length - 1; i >= 0; i--) if (buffer[start + i] !== text.charCodeAt(i)) return false;
  return true;
}
