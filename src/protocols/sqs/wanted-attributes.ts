import { unknownAttribute } from './attribute-rules.ts';
import type { Wanted } from './received-message.ts';

/** The system attributes of messages, as the API reference of ReceiveMessage lists them. */
const systemNames: ReadonlySet<string> = new Set([
  'All',
  'SenderId',
  'SentTimestamp',
  'ApproximateReceiveCount',
  'ApproximateFirstReceiveTimestamp',
  'SequenceNumber',
  'MessageDeduplicationId',
  'MessageGroupId',
  'AWSTraceHeader',
  'DeadLetterQueueSourceArn',
]);

/**
 * The attributes that a receiver names: those of the system by name, or all; others by name, by a prefix such
 * as `price.*`, or all (`All`, `.*`). Throws InvalidAttributeName for a system attribute that there is not.
 */
export function wantedOf(
  deprecated: readonly string[] = [],
  system: readonly string[] = [],
  attributes: readonly string[] = [],
): Wanted {
  const names = new Set([...deprecated, ...system]);
  for (const name of names) if (!systemNames.has(name)) throw unknownAttribute(name);
  return { system: names, attribute: attributes.length === 0 ? undefined : matcher(attributes) };
}

function matcher(attributes: readonly string[]): (name: string) => boolean {
  if (attributes.includes('All') || attributes.includes('.*')) return () => true;
  const exact = new Set(attributes);
  const prefixes = attributes.filter((name) => name.endsWith('.*')).map((name) => name.slice(0, -1));
  return (name) => exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
}
