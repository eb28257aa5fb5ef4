import { place, shownValue, unknownName, type Check } from './options.ts';
import {
  BrokerError,
  deadLetterName,
  type DeadLetterPolicy,
  type GroupConfig,
  type GroupDeadLetterCause,
  type GroupOptions,
  type GroupStart,
} from '../broker/index.ts';

/**
 * Where a new group begins to read: everything, what comes from now on, the last message, the last of each
 * key, an offset, a time.
 */
export type Start =
  | 'all'
  | 'new'
  | 'last'
  | 'last-per-key'
  | { readonly offset: number }
  | { readonly timestampMs: number };

/** What a group can be told. What is left out keeps its value, or is the default when the group is new. */
export interface GroupSettings {
  /** Where it begins to read when it is new. Default `all`. */
  readonly start?: Start;
  /** Subject patterns over the key (`eu.*`, `orders.>`): only messages that match. Default: all. */
  readonly filter?: string | readonly string[];
  /** Deliveries of one message before it is given up, Infinity for no limit. Default 5. */
  readonly maxDeliver?: number;
  /**
   * Waits before each redelivery, in milliseconds, the last one repeating. Default 100, 1,000, 10,000,
   * 60,000. A wait that has begun is not shortened or extended by a change.
   */
  readonly backoffMs?: readonly number[];
  /** Share of each wait that is random, from 0 to 1. Default 0.2. */
  readonly backoffJitter?: number;
  /** How long a consumer may take to answer before the delivery counts as failed. Default 30,000. */
  readonly ackWaitMs?: number;
  /** Deliveries under way at once, of each partition; Infinity for no limit, which is the default. */
  readonly maxInFlight?: number;
  /**
   * The topic for messages that were given up, or a policy that says where they go, for which causes, and
   * with which limits. `false`: none of the group's own, so the topic's policy decides. Default
   * `<topic>-<group>-dlq`.
   */
  readonly deadLetter?: string | false | DeadLetterPolicy<GroupDeadLetterCause>;
  /** `key`: of each key one message at a time, in order, while other keys go on. Default `none`. */
  readonly ordering?: 'none' | 'key';
  /**
   * `none`: done when delivered, at most once. `all`: an ack covers what was delivered before. Default
   * `explicit`.
   */
  readonly ack?: 'explicit' | 'all' | 'none';
  /** False: its position is not kept over a restart. Default true. */
  readonly durable?: boolean;
  /** Removed after so long without a consumer. Default: never. */
  readonly inactiveMs?: number;
}

const settingNames = {
  start: true,
  filter: true,
  maxDeliver: true,
  backoffMs: true,
  backoffJitter: true,
  ackWaitMs: true,
  maxInFlight: true,
  deadLetter: true,
  ordering: true,
  ack: true,
  durable: true,
  inactiveMs: true,
} satisfies { readonly [K in keyof GroupSettings]-?: true };

const startNames = ['all', 'new', 'last', 'last-per-key'];

export const startCheck: Check = (value) =>
  startNames.includes(value as string) || place(value) === undefined
    ? undefined
    : `one of ${startNames.join(', ')}, { offset } from 0 or { timestampMs } since 1970`;

/** What settings cannot say by themselves; the values are the broker's to check. */
function checkSettings(group: string, settings: GroupSettings): void {
  const invalid = (problem: string): never => {
    throw new BrokerError('group-config-invalid', `Group "${group}" cannot be configured so: ${problem}`, {
      group,
    });
  };
  if (typeof settings !== 'object' || settings === null)
    return invalid(`its settings must be an object, not ${shownValue(settings)}.`);
  for (const name of Object.keys(settings))
    if (!Object.hasOwn(settingNames, name)) invalid(unknownName('there is no setting', name, settingNames));
  const { start, deadLetter } = settings;
  const expected = start === undefined ? undefined : startCheck(start);
  if (expected !== undefined) invalid(`start must be ${expected}, not ${shownValue(start)}.`);
  if (deadLetter === undefined || deadLetter === false) return;
  if (typeof deadLetter !== 'string' && (typeof deadLetter !== 'object' || deadLetter === null))
    invalid(`deadLetter must be the name of a topic, a policy, or false, not ${shownValue(deadLetter)}.`);
}

const defaultBackoffMs: readonly number[] = [100, 1_000, 10_000, 60_000];

/** A new group's options. */
export function newGroup(topic: string, name: string, settings: GroupSettings): GroupOptions {
  checkSettings(name, settings);
  const { start, filter, maxDeliver = 5, maxInFlight, deadLetter, ...rest } = settings;
  return {
    name,
    backoffMs: defaultBackoffMs,
    backoffJitter: 0.2,
    ...rest,
    start: startOf(start ?? 'all'),
    filters: filtersOf(filter),
    ...(deadLetter === false ? {} : { deadLetter: deadLetter ?? deadLetterName(topic, name) }),
    ...limit('maxDeliver', maxDeliver),
    ...limit('maxInFlight', maxInFlight),
  };
}

/** What cannot be changed on a group with messages under way. */
const lasting = ['ordering', 'ack', 'durable'] as const;

/** The configuration an existing group would have with these settings; undefined when nothing changes. */
export function changedGroup(config: GroupConfig, settings: GroupSettings): GroupConfig | undefined {
  checkSettings(config.name, settings);
  const { start: _, filter, maxDeliver, maxInFlight, deadLetter, ...rest } = settings;
  for (const name of lasting) {
    if (rest[name] === undefined || rest[name] === config[name]) continue;
    throw new BrokerError(
      'group-config-invalid',
      `Group "${config.name}" keeps its ${name} (${String(config[name])}) for life: delete it, or leave ${name} out.`,
      { group: config.name },
    );
  }
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  const changed: { -readonly [K in keyof GroupConfig]: GroupConfig[K] } = {
    ...config,
    ...Object.fromEntries(given),
  };
  if (filter !== undefined) changed.filters = filtersOf(filter);
  if (maxDeliver !== undefined) delete changed.maxDeliver;
  if (maxInFlight !== undefined) delete changed.maxInFlight;
  Object.assign(changed, limit('maxDeliver', maxDeliver), limit('maxInFlight', maxInFlight));
  if (deadLetter === false) delete changed.deadLetter;
  else if (deadLetter !== undefined) changed.deadLetter = deadLetter;
  return sameConfig(config, changed) ? undefined : changed;
}

export function startOf(start: Start): GroupStart {
  if (typeof start === 'string') return { kind: start };
  if ('offset' in start) return { kind: 'offset', offset: start.offset };
  return { kind: 'time', timestampMs: start.timestampMs };
}

function filtersOf(filter: GroupSettings['filter']): readonly string[] {
  if (filter === undefined) return [];
  return typeof filter === 'string' ? [filter] : filter;
}

/** A limit is absent where there is none. */
function limit<N extends string>(name: N, value: number | undefined): { readonly [K in N]?: number } {
  return value === undefined || value === Infinity
    ? {}
    : ({ [name]: value } as { readonly [K in N]?: number });
}

/** Whether two configurations say the same. The order of members makes no difference. */
export function sameConfig(a: object, b: object): boolean {
  return canonical(a) === canonical(b);
}

function canonical(config: object): string {
  return JSON.stringify(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1)));
}
