import { tables, type Setting } from '../../protocols/settings.ts';
import { durationOf, known, numberOf, tableOf } from '../setting-values.ts';
import { NamePattern } from './name-pattern.ts';

/**
 * An entry of `shedding` in the configuration: what a topic does at a level of lag or age. See
 * docs/alarms.md.
 */
export interface ShedSettings {
  /** Names of topics, and of the groups whose backlog counts, with `*` for any text; absent: all groups. */
  readonly topic: string;
  readonly group?: string;
  /** It begins when a group has so many messages not done, or one that is so old. At least one of them. */
  readonly lag?: number;
  readonly age?: string;
  /** `slow`: publishes wait; `refuse`: they are refused; `drop`: messages of the topic are dropped. */
  readonly action: 'slow' | 'refuse' | 'drop';
  /** Messages a second that the topic still takes. Default for `refuse`: 1; `slow` needs one. */
  readonly rate?: number;
  /** For `drop`: how many messages stay. */
  readonly keep?: number;
  /** For `drop`: only messages of a lower priority are dropped; absent: all, the lowest priority first. */
  readonly 'below-priority'?: number;
  /** It ends at this share of lag and age. Default 50%. */
  readonly recover?: string | number;
  /**
   * For how long the level must last before it begins, and the recovery before it ends. Default 10s and 30s.
   */
  readonly for?: string;
  readonly clear?: string;
}

const keys: { readonly [K in keyof ShedSettings]-?: true } = {
  topic: true,
  group: true,
  lag: true,
  age: true,
  action: true,
  rate: true,
  keep: true,
  'below-priority': true,
  recover: true,
  for: true,
  clear: true,
};

const entriesMax = 1000;

/** The setting `shedding`: tables of the configuration file, or the same as JSON. */
export const sheddingSetting: Setting<readonly ShedSettings[] | undefined> = tables(shedPolicies, {
  name: 'shedding',
  help: 'topics whose publishes are refused or slowed down, or whose messages are dropped, at a level of lag or age (docs/alarms.md)',
  expected: 'a list of tables with topic, lag or age, and action each (docs/alarms.md)',
});

/** A policy of shedding, after its settings were checked. */
export interface ShedPolicy {
  readonly topic: NamePattern;
  readonly group: NamePattern | undefined;
  readonly lagMax: number;
  readonly ageMsMax: number;
  readonly action: ShedAction;
  /** Share of the level at which it ends. */
  readonly recover: number;
  readonly forMs: number;
  readonly clearMs: number;
}

export type ShedAction =
  | { readonly kind: 'slow' | 'refuse'; readonly perSecond: number }
  | { readonly kind: 'drop'; readonly keep: number; readonly belowPriority: number };

/** Throws an Error, in one sentence, for a value that does not fit. */
export function shedPolicies(settings: readonly unknown[]): readonly ShedPolicy[] {
  if (settings.length > entriesMax)
    throw new Error(`"shedding" has ${settings.length} entries; ${entriesMax} are allowed.`);
  return settings.map((value, at) => policyOf(value, `entry ${at + 1} of "shedding"`));
}

function policyOf(value: unknown, title: string): ShedPolicy {
  const table = tableOf<ShedSettings>(value, keys, title);
  const topic = NamePattern.of(table.topic, `"topic" of the ${title}`);
  if (!topic) throw new Error(`The ${title} needs a "topic".`);
  if (table.lag === undefined && table.age === undefined)
    throw new Error(`The ${title} needs a "lag" or an "age".`);
  const lagMax = table.lag === undefined ? Infinity : countOf(table.lag, `"lag" of the ${title}`);
  const ageMsMax = table.age === undefined ? Infinity : durationOf(table.age, `"age" of the ${title}`);
  if (ageMsMax === 0) throw new Error(`The "age" of the ${title} must be more than nothing.`);
  const recover = shareOf(table.recover ?? '50%', `"recover" of the ${title}`);
  return {
    topic,
    group: NamePattern.of(table.group, `"group" of the ${title}`),
    lagMax,
    ageMsMax,
    action: actionOf(table, lagMax, title),
    recover,
    forMs: durationOf(table.for ?? '10s', `"for" of the ${title}`),
    clearMs: durationOf(table.clear ?? '30s', `"clear" of the ${title}`),
  };
}

function actionOf(
  table: { readonly [K in keyof ShedSettings]: unknown },
  lagMax: number,
  title: string,
): ShedAction {
  const kind = known(table.action, ['slow', 'refuse', 'drop'] as const, `"action" of the ${title}`);
  const isDrop = kind === 'drop';
  for (const name of isDrop ? (['rate'] as const) : (['keep', 'below-priority'] as const))
    if (table[name] !== undefined)
      throw new Error(`The "${name}" of the ${title} does not fit the action "${kind}".`);
  if (isDrop) {
    const keep = table.keep === undefined ? undefined : countOf(table.keep, `"keep" of the ${title}`);
    if (keep === undefined) throw new Error(`The ${title} needs "keep", how many messages are not dropped.`);
    if (keep >= lagMax) throw new Error(`The "keep" of the ${title} must be less than its "lag".`);
    const below = table['below-priority'];
    const belowPriority = below === undefined ? Infinity : countOf(below, `"below-priority" of the ${title}`);
    return { kind, keep, belowPriority };
  }
  if (table.rate === undefined && kind === 'slow')
    throw new Error(`The ${title} needs "rate", the messages a second that are still taken.`);
  const perSecond = numberOf(table.rate ?? 1, `"rate" of the ${title}`);
  if (perSecond <= 0) throw new Error(`The "rate" of the ${title} must be more than 0.`);
  return { kind, perSecond };
}

function countOf(value: unknown, what: string): number {
  const count = numberOf(value, what);
  if (!Number.isInteger(count) || count < 1) throw new Error(`The ${what} must be a whole number from 1.`);
  return count;
}

function shareOf(value: unknown, what: string): number {
  const [, percent] = /^(\d{1,3}(?:\.\d{1,3})?)\s*%$/.exec(String(value)) ?? [];
  const share = percent === undefined ? numberOf(value, what) : Number(percent) / 100;
  if (share > 0 && share < 1) return share;
  throw new Error(`The ${what} must be a share between 0% and 100%.`);
}
