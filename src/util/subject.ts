/**
 * A subject is a name made of tokens separated by dots: `orders.eu.created`. In a pattern, a token `*` stands
 * for exactly one token, and a last token `>` for one or more. `foo*` and `foo>` are plain tokens.
 */

const dot = 46;

/**
 * Whether `text` may be subscribed to: it has no empty token, no blank or line end, and `>` only as the last
 * token.
 */
export function isSubscribeSubject(text: string): boolean {
  let tokenStart = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i === text.length ? dot : text.charCodeAt(i);
    if (code === dot) {
      if (i === tokenStart) return false;
      if (i - tokenStart === 1 && text[tokenStart] === '>' && i !== text.length) return false;
      tokenStart = i + 1;
    } else if (isBlank(code)) {
      return false;
    }
  }
  return true;
}

/** Whether `text` may be published to: a subscribe subject without wildcard tokens. */
export function isPublishSubject(text: string): boolean {
  return isSubscribeSubject(text) && !hasWildcards(text);
}

/** Whether any token of a valid pattern is `*` or `>`. */
export function hasWildcards(pattern: string): boolean {
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i];
    if (char !== '*' && char !== '>') continue;
    const startsToken = i === 0 || pattern.charCodeAt(i - 1) === dot;
    const endsToken = i + 1 === pattern.length || pattern.charCodeAt(i + 1) === dot;
    if (startsToken && endsToken) return true;
  }
  return false;
}

export function subjectTokens(subject: string): string[] {
  return subject.split('.');
}

/**
 * Whether `pattern` matches `subject`. Both must be valid; wildcards in `subject` are plain tokens here.
 *
 * Both texts are walked once, without splitting them.
 */
export function subjectMatches(pattern: string, subject: string): boolean {
  let p = 0;
  let s = 0;
  for (;;) {
    const patternEnd = tokenEnd(pattern, p);
    const one = patternEnd - p === 1;
    if (one && pattern[p] === '>') return true;
    const subjectEnd = tokenEnd(subject, s);
    if (!(one && pattern[p] === '*') && !sameRange(pattern, p, patternEnd, subject, s, subjectEnd))
      return false;
    const patternDone = patternEnd === pattern.length;
    const subjectDone = subjectEnd === subject.length;
    if (patternDone || subjectDone) return patternDone && subjectDone;
    p = patternEnd + 1;
    s = subjectEnd + 1;
  }
}

/** Whether some subject matches both patterns: `a.*` and `*.b` overlap in `a.b`. */
export function subjectsOverlap(one: string, other: string): boolean {
  const a = one.split('.');
  const b = other.split('.');
  for (let i = 0; ; i++) {
    const left = a[i];
    const right = b[i];
    if (left === undefined || right === undefined) return left === right;
    if (left === '>' || right === '>') return true;
    if (left !== right && left !== '*' && right !== '*') return false;
  }
}

/** Whether every subject that matches `inner` matches `outer` too. */
export function subjectCovers(outer: string, inner: string): boolean {
  const a = outer.split('.');
  const b = inner.split('.');
  for (let i = 0; ; i++) {
    const left = a[i];
    const right = b[i];
    if (left === undefined || right === undefined) return left === right;
    if (left === '>') return true;
    if (right === '>') return false;
    if (left === '*') continue;
    if (left !== right) return false;
  }
}

function isBlank(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 0;
}

function tokenEnd(text: string, from: number): number {
  const end = text.indexOf('.', from);
  return end < 0 ? text.length : end;
}

function sameRange(
  a: string,
  aStart: number,
  aEnd: number,
  b: string,
  bStart: number,
  bEnd: number,
): boolean {
  if (aEnd - aStart !== bEnd - bStart) return false;
  for (let i = aStart, j = bStart; i < aEnd; i++, j++) {
    if (a.charCodeAt(i) !== b.charCodeAt(j)) return false;
  }
  return true;
}
