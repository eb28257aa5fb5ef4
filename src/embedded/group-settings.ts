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
import type { RateLimit } from '../util/index.ts';

/**
 * Where a new group starts to read: at the first message, at the next one published, at the last one, at the
 * last of each key, at an offset, at a time.
 */
export type Start =
  | 'all'
  | 'new'
  | 'last'
  | 'last-per-key'
  | { readonly offset: number }
  | { readonly timestampMs: number };

/**
 * The settings of a group. A setting that is left out keeps its value, or takes the default if the group is
 * new.
 */
export interface GroupSettings {
  /** Where a new group starts to read. Default `all`. */
  readonly start?: Start;
  /**
   * Subject patterns over the key (`eu.*`, `orders.>`). Only matching messages are delivered. Default: all.
   */
  readonly filter?: string | readonly string[];
  /** Deliveries of one message before it is given up; Infinity for no limit. Default 5. */
  readonly maxDeliver?: number;
  /**
   * Waits before each redelivery, in milliseconds; the last one repeats. Default 100, 1,000, 10,000, 60,000.
   * A change does not affect waits that have started.
   */
  readonly backoffMs?: readonly number[];
  /** Random share of each wait, from 0 to 1. Default 0.2. */
  readonly backoffJitter?: number;
  /** How long a consumer may take to answer before the delivery counts as failed. Default 30,000. */
  readonly ackWaitMs?: number;
  /**
   * A message that is older, in milliseconds, is not delivered any more. It goes to the dead-letter topic,
   * with the cause `expired`, or is done if the policy does not cover that. Infinity for no limit. Default
   * Infinity.
   */
  readonly messageTtlMs?: number;
  /** The most deliveries in flight per partition; Infinity for no limit. Default Infinity. */
  readonly maxInFlight?: number;
  /** The most deliveries in flight over all consumers and partitions; Infinity for no limit. */
  readonly concurrency?: number;
  /** The most deliveries a second over all consumers, and at once; false for no limit. */
  readonly rate?: RateLimit | false;
  /**
   * The topic for messages that were given up, or a policy: which topics, for which causes, with which
   * limits. `false`: the group has no policy, so the topic's policy decides. Default `<topic>-<group>-dlq`.
   */
  readonly deadLetter?: string | false | DeadLetterPolicy<GroupDeadLetterCause>;
  /**
   * `key`: the messages of a key are delivered one at a time, in order, while other keys go on. Default
   * `none`.
   */
  readonly ordering?: 'none' | 'key';
  /**
   * With `ordering: 'key'`: how many messages of one key a consumer may have at once, in order, while no
   * other consumer gets the key. Default 1.
   */
  readonly keyRunMax?: number;
  /** With `ordering: 'key'`: the most keys that one consumer may have at once; Infinity for no limit. */
  readonly keysPerConsumerMax?: number;
  /**
   * With `ordering: 'key'`: the most messages of one key in flight, with any consumers. Above 1 there is no
   * order within a key. Default 1.
   */
  readonly keyConcurrency?: number;
  /** With `ordering: 'key'`: the most deliveries of each key a second; false for no limit. */
  readonly keyRate?: RateLimit | false;
  /**
   * With `ordering: 'key'`: the most messages held behind their keys, per partition. The group looks for
   * other keys no further. Default 10,000.
   */
  readonly heldMax?: number;
  /**
   * `single`: one consumer gets all messages; the next takes over when it leaves or is silent. Default `all`.
   */
  readonly activeConsumers?: 'all' | 'single';
  /**
   * How long the active consumer may show no sign of life, in milliseconds, up to 24 days. Default 120,000.
   */
  readonly activeSilenceMs?: number;
  /**
   * `honour`: messages with a higher priority are delivered first. `ignore`: all in order of publish. Default
   * `honour`.
   */
  readonly priority?: 'honour' | 'ignore';
  /**
   * `none`: a message is done when delivered, at most once. `all`: an ack covers earlier deliveries too.
   * Default `explicit`.
   */
  readonly ack?: 'explicit' | 'all' | 'none';
  /** False: the position is lost at a restart. Default true. */
  readonly durable?: boolean;
  /** The group is removed after so many milliseconds without a consumer. Default: never. */
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
  concurrency: true,
  rate: true,
  messageTtlMs: true,
  deadLetter: true,
  ordering: true,
  keyRunMax: true,
  keysPerConsumerMax: true,
  keyConcurrency: true,
  keyRate: true,
  heldMax: true,
  activeConsumers: true,
  activeSilenceMs: true,
  priority: true,
  ack: true,
  durable: true,
  inactiveMs: true,
} satisfies { readonly [K in keyof GroupSettings]-?: true };

const startNames = ['all', 'new', 'last', 'last-per-key'];

export const startCheck: Check = (value) =>
  startNames.includes(value as string) || place(value) === undefined
    ? undefined
    : `one of ${startNames.join(', ')}, { offset } from 0 or { timestampMs } since 1970`;

/** Checks names, `start` and `deadLetter`; the broker checks the values. */
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
  const { start, filter, maxDeliver = 5, deadLetter, ...rest } = settings;
  return withoutUnlimited({
    name,
    backoffMs: defaultBackoffMs,
    backoffJitter: 0.2,
    maxDeliver,
    ...rest,
    start: startOf(start ?? 'all'),
    filters: filtersOf(filter),
    ...(deadLetter === false ? {} : { deadLetter: deadLetter ?? deadLetterName(topic, name) }),
  });
}

/** Settings that cannot change during the life of a group. */
const lasting = ['ordering', 'ack', 'durable'] as const;

/** The configuration of an existing group after these changes; undefined if nothing changes. */
export function changedGroup(config: GroupConfig, settings: GroupSettings): GroupConfig | undefined {
  checkSettings(config.name, settings);
  const { start: _, filter, deadLetter, ...rest } = settings;
  for (const name of lasting) {
    if (rest[name] === undefined || rest[name] === config[name]) continue;
    throw new BrokerError(
      'group-config-invalid',
      `Group "${config.name}" keeps its ${name} (${String(config[name])}) for life: delete it, or leave ${name} out.`,
      { group: config.name },
    );
  }
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  const changed: { -readonly [K in keyof GroupConfig]: GroupConfig[K] } = withoutUnlimited({
    ...config,
    ...(Object.fromEntries(given) as Partial<GroupConfig>),
  });
  if (filter !== undefined) changed.filters = filtersOf(filter);
  if (settings.activeConsumers === 'all') delete changed.activeSilenceMs;
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

/** Limits that a group may be without. */
const limits: ReadonlySet<string> = new Set<keyof GroupSettings>([
  'maxDeliver',
  'maxInFlight',
  'concurrency',
  'keysPerConsumerMax',
  'messageTtlMs',
]);

/** Leaves out the limits that are Infinity, and the rates that are false. */
function withoutUnlimited<T extends Unlimitable>(config: T): Limited<T> {
  const given = Object.entries(config as object).filter(([name, value]: [string, unknown]) => {
    const isRate = name === 'rate' || name === 'keyRate';
    return !(value === Infinity && limits.has(name)) && !(value === false && isRate);
  });
  return Object.fromEntries(given) as Limited<T>;
}

type Unlimitable = Pick<GroupSettings, 'rate' | 'keyRate'>;
type Limited<T extends Unlimitable> = Omit<T, 'rate' | 'keyRate'> & Pick<GroupConfig, 'rate' | 'keyRate'>;

/** Whether two configurations are equal, apart from the order of members. */
export function sameConfig(a: object, b: object): boolean {
  return canonical(a) === canonical(b);
}

function canonical(config: object): string {
  return JSON.stringify(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1)));
}
