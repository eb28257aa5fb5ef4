import { isPublishSubject, subjectMatches, textOf } from '../../../util/index.ts';

/**
 * Key subjects tell which keys of a stream are subjects of it. A key that another protocol wrote may be
 * anything, including line ends. So it must not get into a control line unless it is a valid subject that the
 * stream captures.
 *
 * There is one check per delivery. The usual patterns (`>`, a literal, `prefix.>`) are therefore compared as
 * bytes, and the last key is remembered.
 */
export class KeySubjects {
  readonly #patterns: readonly string[];
  readonly #prefixes: readonly Uint8Array[];
  readonly #literals: readonly Uint8Array[];
  readonly #hasOthers: boolean;
  #last: Uint8Array = new Uint8Array(64);
  #lastLength = -1;
  #lastAnswer = false;

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns;
    const prefixes: Uint8Array[] = [];
    const literals: Uint8Array[] = [];
    let hasOthers = false;
    for (const pattern of patterns) {
      const prefix = pattern === '>' ? '' : pattern.endsWith('.>') ? pattern.slice(0, -1) : undefined;
      if (prefix !== undefined && !hasStar(prefix)) prefixes.push(Buffer.from(prefix));
      else if (!hasStar(pattern) && prefix === undefined) literals.push(Buffer.from(pattern));
      else hasOthers = true;
    }
    this.#prefixes = prefixes;
    this.#literals = literals;
    this.#hasOthers = hasOthers;
  }

  /** Whether the bytes are a valid subject that a pattern matches. */
  has(buffer: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (length === this.#lastLength && sameBytes(buffer, start, this.#last, length)) return this.#lastAnswer;
    const answer = this.#decide(buffer, start, end);
    if (length > this.#last.length) this.#last = new Uint8Array(length * 2);
    for (let i = 0; i < length; i++) this.#last[i] = buffer[start + i]!;
    this.#lastLength = length;
    this.#lastAnswer = answer;
    return answer;
  }

  hasText(subject: string): boolean {
    return isPublishSubject(subject) && this.#patterns.some((pattern) => subjectMatches(pattern, subject));
  }

  #decide(buffer: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    for (const literal of this.#literals) {
      if (literal.length === length && sameBytes(buffer, start, literal, length)) return true;
    }
    if (!isSubject(buffer, start, end)) return false;
    for (const prefix of this.#prefixes) {
      if (length > prefix.length && sameBytes(buffer, start, prefix, prefix.length)) return true;
    }
    if (!this.#hasOthers) return false;
    const subject = textOf(buffer, start, end);
    return this.#patterns.some((pattern) => subjectMatches(pattern, subject));
  }
}

function hasStar(pattern: string): boolean {
  return pattern.split('.').includes('*');
}

const dot = 46;

/**
 * No blank, no control character, no empty token. `*` and `>` are plain characters in a published subject.
 */
function isSubject(buffer: Uint8Array, start: number, end: number): boolean {
  let previous = dot;
  for (let at = start; at < end; at++) {
    const byte = buffer[at]!;
    if (byte <= 32 || (byte === dot && previous === dot)) return false;
    previous = byte;
  }
  return previous !== dot;
}

function sameBytes(buffer: Uint8Array, start: number, expected: Uint8Array, length: number): boolean {
  // From the end, because similar subjects differ there.
  for (let i = length - 1; i >= 0; i--) if (buffer[start + i] !== expected[i]) return false;
  return true;
}
