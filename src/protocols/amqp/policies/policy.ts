import type { FieldTable, FieldValue } from '../../../wire/amqp/index.ts';

/** A policy gives arguments to queues by their names, to those that are there and to new ones. */
export interface Policy {
  readonly vhost: string;
  readonly name: string;
  /** A regular expression over the names of queues. */
  readonly pattern: string;
  readonly applyTo: PolicyTarget;
  /** Of several policies that match, the one of the highest priority holds alone. */
  readonly priority: number;
  readonly definition: PolicyDefinition;
}

/** Not exchanges, and not streams. */
export const policyTargets = ['all', 'queues', 'classic_queues', 'quorum_queues'] as const;
export type PolicyTarget = (typeof policyTargets)[number];

export interface PolicyDefinition {
  readonly [key: string]: string | number;
}

/** The keys of definitions that mean something here: each is an argument of queues without its `x-`. */
const numbers = ['message-ttl', 'expires', 'max-length', 'max-length-bytes', 'delivery-limit'] as const;
const texts = [
  'overflow',
  'dead-letter-exchange',
  'dead-letter-routing-key',
  'dead-letter-strategy',
] as const;
/** Those that change nothing here: replicas, and where queues are. */
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
  'max-in-memory-length',
  'max-in-memory-bytes',
  'target-group-size',
]);

/** Why a definition cannot be; undefined if it can. Values are checked as arguments of a queue. */
export function problemOfDefinition(definition: { readonly [key: string]: unknown }): string | undefined {
  const entries = Object.entries(definition);
  if (entries.length === 0) return 'Validation failed\n\nno policy provided\n';
  for (const [key, value] of entries) {
    if (inert.has(key)) continue;
    const isNumber = (numbers as readonly string[]).includes(key);
    if (!isNumber && !(texts as readonly string[]).includes(key))
      return `Validation failed\n\n[{<<"${key}">>,${JSON.stringify(value)}}] are not recognised policy settings\n`;
    if (typeof value !== (isNumber ? 'number' : 'string'))
      return `Validation failed\n\n${JSON.stringify(value)} is not a valid value of ${key}\n`;
  }
  return undefined;
}

/** What a definition gives to queues, as their arguments. */
export function argumentsOfDefinition(definition: PolicyDefinition): FieldTable {
  const given = [...numbers, ...texts].flatMap((key) => {
    const value = definition[key];
    return value === undefined ? [] : [[`x-${key}`, value] as const];
  });
  return new Map(given);
}

/** The arguments of a queue under a policy: its own win, but of two numbers the lower one holds. */
export function effectiveArguments(own: FieldTable, policy: Policy | undefined): FieldTable {
  if (!policy) return own;
  const effective = new Map<string, FieldValue>(own);
  for (const [name, given] of argumentsOfDefinition(policy.definition)) {
    const before = own.get(name);
    effective.set(name, before === undefined ? given : lower(before, given));
  }
  return effective;
}

/** -1 is no limit. */
function lower(own: FieldValue, given: FieldValue): FieldValue {
  if (typeof own !== 'number' || typeof given !== 'number') return own;
  if (own < 0) return given;
  return given < 0 ? own : Math.min(own, given);
}
