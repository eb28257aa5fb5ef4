import type { FieldTable, FieldValue } from '../../../wire/amqp/index.ts';
import type { PolicyDefinition } from './policy.ts';

/**
 * The policies of a kind: those of its users, or those of its operators, which bound what users may ask for.
 */
export type PolicyKind = 'policy' | 'operator-policy';

/** The keys of definitions that mean something here: each is an argument of queues without its `x-`. */
const numbers = ['message-ttl', 'expires', 'max-length', 'max-length-bytes', 'delivery-limit'] as const;
const texts = [
  'overflow',
  'dead-letter-exchange',
  'dead-letter-routing-key',
  'dead-letter-strategy',
  'max-age',
] as const;
/** That of exchanges, which have the same name for their argument. */
const alternate = 'alternate-exchange';
/** Those that change nothing here: replicas, files, and where queues are. */
const inert: ReadonlySet<string> = new Set([
  'ha-mode',
  'ha-params',
  'ha-sync-mode',
  'ha-sync-batch-size',
  'ha-promote-on-shutdown',
  'ha-promote-on-failure',
  'queue-mode',
  'queue-version',
  'queue-leader-locator',
  'queue-master-locator',
  'initial-cluster-size',
  'max-in-memory-length',
  'max-in-memory-bytes',
  'stream-max-segment-size-bytes',
  'stream-filter-size-bytes',
  'target-group-size',
]);
/** The keys that operators may set. */
const operatorKeys: ReadonlySet<string> = new Set([
  ...numbers,
  'max-in-memory-length',
  'max-in-memory-bytes',
  'ha-mode',
  'ha-params',
  'ha-sync-mode',
  'queue-version',
  'target-group-size',
]);

/** Why a definition cannot be; undefined if it can. Values are checked as arguments of a queue. */
export function problemOfDefinition(
  definition: { readonly [key: string]: unknown },
  kind: PolicyKind = 'policy',
): string | undefined {
  const entries = Object.entries(definition);
  if (entries.length === 0) return 'Validation failed\n\nno policy provided\n';
  for (const [key, value] of entries) {
    const isNumber = (numbers as readonly string[]).includes(key);
    const isText = key === alternate || (texts as readonly string[]).includes(key);
    if (!(isNumber || isText || inert.has(key)) || (kind === 'operator-policy' && !operatorKeys.has(key)))
      return `Validation failed\n\n[{<<"${key}">>,${termOf(value)}}] are not recognised policy settings\n`;
    if (!inert.has(key) && typeof value !== (isNumber ? 'number' : 'string'))
      return `Validation failed\n\n${JSON.stringify(value)} is not a valid value of ${key}\n`;
  }
  return undefined;
}

/** A value as RabbitMQ shows it. */
function termOf(value: unknown): string {
  return typeof value === 'string' ? `<<"${value}">>` : JSON.stringify(value);
}

/** What a definition gives to queues, as their arguments. */
export function argumentsOfDefinition(definition: PolicyDefinition): FieldTable {
  const given = [...numbers, ...texts].flatMap((key) => {
    const value = definition[key];
    return value === undefined ? [] : [[`x-${key}`, value] as const];
  });
  return new Map(given);
}

/** The exchange that gets what the exchanges under a policy cannot route. */
export function alternateOf(definition: PolicyDefinition): string | undefined {
  const name = definition[alternate];
  return typeof name === 'string' ? name : undefined;
}

/** A policy and an operator policy together: of two values the lower number holds, or else the operator's. */
export function mergeDefinitions(
  own: PolicyDefinition | undefined,
  operator: PolicyDefinition | undefined,
): PolicyDefinition | undefined {
  if (!own || !operator) return own ?? operator;
  const merged: { [key: string]: string | number } = { ...own };
  for (const [key, bound] of Object.entries(operator)) {
    const before = own[key];
    merged[key] = typeof before === 'number' && typeof bound === 'number' ? lower(before, bound) : bound;
  }
  return merged;
}

/** The arguments of a queue under a definition: its own win, but of two numbers the lower one holds. */
export function effectiveArguments(own: FieldTable, definition: PolicyDefinition | undefined): FieldTable {
  if (!definition) return own;
  const effective = new Map<string, FieldValue>(own);
  for (const [name, given] of argumentsOfDefinition(definition)) {
    const before = own.get(name);
    const areNumbers = typeof before === 'number' && typeof given === 'number';
    effective.set(name, before === undefined ? given : areNumbers ? lower(before, given) : before);
  }
  return effective;
}

/** -1 is no limit. */
function lower(one: number, other: number): number {
  if (one < 0) return other;
  return other < 0 ? one : Math.min(one, other);
}
