import type { Rules } from '../users/index.ts';

/** The permissions of a user as RabbitMQ has them: regular expressions over names. */
export interface PermissionPatterns {
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

const patternCharactersMax = 4_096;

/**
 * The rules that a permission pattern of RabbitMQ means: names and beginnings of names, as
 * `^(orders|logs-.*)$`, all with `.*`, none with `^$`. Undefined allows nothing. A text says what is wrong
 * with a pattern that means something else.
 */
export function rulesOfPattern(pattern: string): Rules | undefined | string {
  if (pattern.length > patternCharactersMax)
    return `a pattern has at most ${patternCharactersMax} characters`;
  if (pattern === '' || pattern === '^$') return undefined;
  if (/^\^?\.\*\$?$/.test(pattern)) return { allow: ['*'] };
  // A `$` that is escaped belongs to the name.
  const [, start, body = '', end] = /^(\^?)((?:[^\\$]|\\.)*)(\$?)$/s.exec(pattern) ?? [];
  const [, group = body] = /^\((.*)\)$/s.exec(body) ?? [];
  const isOneGroup = start === '^' && (group !== body || !body.includes('|'));
  const names = isOneGroup ? group.split('|').map((text) => nameOf(text, end === '$')) : [undefined];
  if (names.some((name) => name === undefined))
    return `the pattern "${pattern.slice(0, 255)}" is not supported: give names and beginnings of names, such as ^(orders|logs-.*)$, or .* for all`;
  return { allow: names as string[] };
}

/** A name, or its beginning with a `*`; undefined if the text is neither. */
function nameOf(text: string, isWhole: boolean): string | undefined {
  const isBeginning = !isWhole || text.endsWith('.*');
  const [, literal] = /^((?:[^\\.*+?{}[\]()|^$]|\\[^A-Za-z0-9]|\.(?!\*))*?)(?:\.\*)?$/.exec(text) ?? [];
  if (literal === undefined || literal === '') return undefined;
  // A dot that is not escaped means any character in RabbitMQ: here only the dot.
  const name = literal.replaceAll(/\\(.)/g, '$1');
  if (name.includes('*')) return undefined;
  return isBeginning ? `${name}*` : name;
}
