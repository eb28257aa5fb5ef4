import type { SeenMessage } from './event.ts';

/**
 * Which message is meant: its id, a test, or a part of its value. `{ id: 7 }` is any message whose value has
 * that member, whatever else it has.
 */
export type Match = string | ((message: SeenMessage) => boolean) | { readonly [member: string]: unknown };

export function matches(match: Match, message: SeenMessage): boolean {
  if (typeof match === 'string') return message.id === match;
  if (typeof match === 'function') return match(message);
  return contains(message.value, match);
}

function contains(value: unknown, part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return Object.is(value, part);
  if (typeof value !== 'object' || value === null || Array.isArray(value) !== Array.isArray(part))
    return false;
  if (Array.isArray(part) && part.length !== (value as unknown[]).length) return false;
  return Object.entries(part).every(([name, member]) =>
    contains((value as { readonly [name: string]: unknown })[name], member),
  );
}

/** The match as a report names it. */
export function shownMatch(match: Match): string {
  if (typeof match === 'string') return `the message with the id "${match}"`;
  if (typeof match === 'function') return 'a message that passes the test';
  return `a message like ${JSON.stringify(match)}`;
}
