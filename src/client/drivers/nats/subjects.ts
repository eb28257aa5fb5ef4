/**
 * The subjects of a topic: its name for messages without a key, and `<topic>.<key>` for those with one, so
 * that the filters of groups work at the target. Bytes of a key that a subject cannot have are written as
 * `%XX`.
 */
export function topicSubjects(topic: string): string[] {
  return [topic, `${topic}.>`];
}

export function subjectOf(topic: string, key: string | undefined): string {
  return key === undefined ? topic : `${topic}.${keySubject(key)}`;
}

export function filterSubject(topic: string, filter: string): string {
  return `${topic}.${filter}`;
}

/** The key of a subject of the topic; undefined for the topic's own. */
export function keyOfSubject(topic: string, subject: string): string | undefined {
  if (!subject.startsWith(`${topic}.`)) return undefined;
  const escaped = subject.slice(topic.length + 1);
  return escaped.includes('%') ? unescaped(escaped) : escaped;
}

const plain = /^[!-)+-=?-~\u{a1}-\u{10ffff}]+$/u;

function keySubject(key: string): string {
  if (plain.test(key) && !key.includes('%') && !/^\.|\.\.|\.$/.test(key)) return key;
  return key.split('.').map(escapedToken).join('.');
}

/** An empty token becomes `%`, which nothing else is written as. */
function escapedToken(token: string): string {
  if (token === '') return '%';
  return token.replaceAll(/[\s*>%\p{Cc}]/gu, (character) =>
    Array.from(Buffer.from(character, 'utf8'), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}

function unescaped(subject: string): string {
  const tokens = subject.split('.').map((token) => (token === '%' ? '' : token));
  try {
    return decodeURIComponent(tokens.join('.'));
  } catch {
    return subject; // written by another program
  }
}
