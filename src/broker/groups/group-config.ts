import { isSubscribeSubject, type RateLimit } from '../../util/index.ts';
import {
  type DeadLetterPolicy,
  type GroupDeadLetterCause,
  problemOfPolicy,
} from '../dead-letters/dead-letter-policy.ts';
import { BrokerError } from '../errors.ts';
import { isFiniteNumber, problemOfRate, withoutUndefined } from '../config-checks.ts';

/** Where a new group starts to read. */
export type GroupStart =
  | { readonly kind: 'all' }
  | { readonly kind: 'new' }
  /** The last message that matches the filters, then all later messages. */
  | { readonly kind: 'last' }
  /**
   * The last message of each matching key, in offset order, then all later messages. Needs the topic's
   * keyState.
   */
  | { readonly kind: 'last-per-key' }
  /**
   * An offset above the log's end counts as the end, unless `beyondEnd` makes the group wait for the offset.
   */
  | { readonly kind: 'offset'; readonly offset: number; readonly beyondEnd?: boolean }
  | { readonly kind: 'time'; readonly timestampMs: number };

/** The configuration of a group. */
export interface GroupConfig {
  readonly name: string;
  /** False: the position is in memory only, and the group is gone after a restart. */
  readonly durable: boolean;
  /** Subject patterns over the key; none = every message. */
  readonly filters: readonly string[];
  readonly start: GroupStart;
  /** `none`: done when delivered (at most once). `all`: an ack covers everything delivered before it. */
  readonly ack: 'explicit' | 'all' | 'none';
  /** How long a consumer may hold a delivery before it counts as failed. */
  readonly ackWaitMs: number;
  /**
   * The wait before redelivery after the n-th failed delivery is `backoffMs[n - 1]`; the last value repeats;
   * empty = at once. With `backoffMeans: 'deadline'` the n-th delivery has the deadline `backoffMs[n - 1]`,
   * and there is no wait after it. If the backoff changes, waits that have begun do not change; deadlines
   * change at once.
   */
  readonly backoffMs: readonly number[];
  readonly backoffMeans: 'wait' | 'deadline';
  /**
   * Share of each backoff that is random, 0 to 1, so that messages that failed together are not redelivered
   * together.
   */
  readonly backoffJitter: number;
  /**
   * What a restart does with unanswered deliveries. `at-once` redelivers them, since the connections of their
   * consumers are gone. `at-deadline` leaves them to their consumers, which may still answer for the rest of
   * the wait.
   */
  readonly redeliverAfterRestart: 'at-once' | 'at-deadline';
  /**
   * A message that is older is not delivered any more by this group. It becomes a dead letter of cause
   * `expired`, or is done if there is no policy for that.
   */
  readonly messageTtlMs?: number;
  /** Deliveries of one message before it is given up. */
  readonly maxDeliver?: number;
  /**
   * Maximum number of deliveries in flight, counted per partition. Kafka counts its record locks this way,
   * and one slow partition takes no room from the others.
   */
  readonly maxInFlight?: number;
  /** Maximum number of deliveries in flight, over all consumers and partitions. */
  readonly concurrency?: number;
  /** Maximum rate of the deliveries, over all consumers and partitions. */
  readonly rate?: RateLimit;
  /**
   * What happens to messages that are given up: a policy, or the name of the dead-letter topic. Absent: the
   * topic's policy decides. If there is none either, the group skips messages that failed too often, and a
   * rejected message is done.
   */
  readonly deadLetter?: string | DeadLetterPolicy<GroupDeadLetterCause>;
  /** `key`: the deliveries of each key are in order, one at a time; other keys go on. */
  readonly ordering: 'none' | 'key';
  /**
   * Maximum number of messages of one key that one consumer may have at once, in order: a run. No other
   * consumer gets the key until all of them are answered. If one fails, the run gets no more messages, and
   * the failed message comes first afterwards. Default 1. This and the next four need `ordering: 'key'`.
   */
  readonly keyRunMax?: number;
  /** Maximum number of keys that one consumer may have at once. */
  readonly keysPerConsumerMax?: number;
  /**
   * Maximum number of messages of one key in flight, with any consumers. Above 1 there is no order within a
   * key. Counted per partition, which publishers choose by the key. Default 1.
   */
  readonly keyConcurrency?: number;
  /** Maximum rate of the deliveries of each key. */
  readonly keyRate?: RateLimit;
  /**
   * Maximum number of messages held behind their keys, per partition: the cursor stops there. It limits how
   * far the group looks ahead for other keys. Default 10,000.
   */
  readonly heldMax?: number;
  /**
   * `single`: one consumer gets all messages, and the next takes over when it leaves or is silent. See
   * active-consumer.ts. `all` or absent: all of them get messages.
   */
  readonly activeConsumers?: 'all' | 'single';
  /** After this long without a sign of life, the active consumer is silent. Absent: 2 minutes. */
  readonly activeSilenceMs?: number;
  /**
   * Whether messages with a higher priority are delivered first (`honour`), or all in order of publish.
   * Absent: `honour`.
   */
  readonly priority?: 'honour' | 'ignore';
  /**
   * `committed`: the group delivers nothing. Its consumers read the topic themselves and report their
   * progress with {@link Group.commitOffset} (Kafka's consumer groups). Absent: positions move with
   * deliveries and acks.
   */
  readonly positions?: 'committed';
  readonly paused: boolean;
  readonly pausedUntilMs?: number;
  /** The group is removed after this long without a consumer. */
  readonly inactiveMs?: number;
  /** Data that protocols keep with the group: JSON, one member per protocol. */
  readonly attributes: { readonly [protocol: string]: unknown };
}

export type GroupOptions = { readonly name: string } & Partial<GroupConfig>;

/** About 24 days, the longest time of a timer. */
const silenceMsMax = 2 ** 31 - 1;

const groupChoices = {
  ack: ['explicit', 'all', 'none'],
  ordering: ['none', 'key'],
  redeliverAfterRestart: ['at-once', 'at-deadline'],
  backoffMeans: ['wait', 'deadline'],
} as const satisfies { readonly [K in keyof GroupConfig]?: readonly GroupConfig[K][] };

/** Settings that only a group with `ordering: 'key'` may have. */
const keySettings = ['keyRunMax', 'keysPerConsumerMax', 'keyConcurrency', 'keyRate', 'heldMax'] as const;

/** Fills in defaults and checks every field. Throws a BrokerError of code `group-config-invalid`. */
export function groupConfig(options: GroupOptions): GroupConfig {
  const config: GroupConfig = {
    durable: true,
    filters: [],
    start: { kind: 'all' },
    ack: 'explicit',
    ackWaitMs: 30_000,
    backoffMs: [],
    backoffMeans: 'wait',
    redeliverAfterRestart: 'at-once',
    backoffJitter: 0,
    ordering: 'none',
    paused: false,
    attributes: {},
    ...withoutUndefined(options),
  };
  const invalid = (problem: string): never => {
    throw new BrokerError(
      'group-config-invalid',
      `Group "${config.name}" cannot be configured so: ${problem}.`,
      {
        group: config.name,
      },
    );
  };
  if (typeof config.name !== 'string') invalid('its name must be a text');
  if (config.name.length === 0 || config.name.length > 255) invalid('its name must have 1 to 255 characters');
  if (!Array.isArray(config.filters)) invalid('filters must be a list of subject patterns');
  for (const filter of config.filters) {
    if (typeof filter !== 'string' || !isSubscribeSubject(filter))
      invalid(`"${filter}" is not a subject pattern`);
  }
  for (const [name, choices] of Object.entries(groupChoices)) {
    const value = config[name as keyof typeof groupChoices];
    if (!(choices as readonly string[]).includes(value))
      invalid(`${name} must be one of ${choices.join(', ')}`);
  }
  if (!['all', 'single', undefined].includes(config.activeConsumers))
    invalid('activeConsumers must be all or single');
  if ((config.activeSilenceMs ?? 0) > silenceMsMax)
    invalid(`activeSilenceMs must be at most ${silenceMsMax}`);
  if (config.activeSilenceMs !== undefined && config.activeConsumers !== 'single')
    invalid('activeSilenceMs is for a group with a single active consumer (activeConsumers: single)');
  for (const name of ['durable', 'paused'] as const) {
    if (typeof config[name] !== 'boolean') invalid(`${name} must be true or false`);
  }
  if (!(isFiniteNumber(config.ackWaitMs) && config.ackWaitMs > 0))
    invalid('ackWaitMs must be a number greater than 0');
  if (!Array.isArray(config.backoffMs) || config.backoffMs.some((ms) => !(isFiniteNumber(ms) && ms >= 0)))
    invalid('backoffMs must be a list of numbers from 0');
  if (!(config.backoffJitter >= 0 && config.backoffJitter <= 1)) invalid('backoffJitter must be from 0 to 1');
  const positive = [
    'maxDeliver',
    'maxInFlight',
    'concurrency',
    'inactiveMs',
    'activeSilenceMs',
    'messageTtlMs',
  ] as const;
  for (const name of positive) {
    const value = config[name];
    if (value !== undefined && !(isFiniteNumber(value) && value > 0))
      invalid(`${name} must be a number greater than 0, or absent for no limit`);
  }
  const rateProblem = config.rate && problemOfRate(config.rate);
  if (rateProblem !== undefined) invalid(`rate ${rateProblem}`);
  const keyProblem = problemOfKeySettings(config);
  if (keyProblem !== undefined) invalid(keyProblem);
  if (config.priority !== undefined && config.priority !== 'honour' && config.priority !== 'ignore')
    invalid('priority must be one of honour, ignore');
  if (config.positions === 'committed' && (config.filters.length > 0 || config.ordering === 'key'))
    invalid('a group with committed positions has no filters and no ordering per key');
  if (config.positions === 'committed' && config.activeConsumers === 'single')
    invalid('a group with committed positions delivers nothing, so it has no active consumer');
  if (config.positions === 'committed' && config.messageTtlMs !== undefined)
    invalid('a group with committed positions delivers nothing, so it has no messageTtlMs');
  const { deadLetter } = config;
  if (deadLetter === '') invalid('deadLetter must be the name of a topic, a policy, or absent for none');
  if (deadLetter !== undefined && typeof deadLetter !== 'string') {
    const problem = problemOfPolicy(deadLetter, { kind: 'group' });
    if (problem !== undefined) invalid(problem);
  }
  if (config.start.kind === 'offset' && !(isFiniteNumber(config.start.offset) && config.start.offset >= 0))
    invalid('the start offset must be a number from 0');
  if (config.start.kind === 'time' && !isFiniteNumber(config.start.timestampMs))
    invalid('the start time must be in milliseconds since 1970');
  return config;
}

function problemOfKeySettings(config: GroupConfig): string | undefined {
  for (const name of ['keyRunMax', 'keysPerConsumerMax', 'keyConcurrency', 'heldMax'] as const) {
    const value = config[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0))
      return `${name} must be a whole number from 1, or absent`;
  }
  const { keyRate, keyRunMax = 1, keyConcurrency = 1, keysPerConsumerMax } = config;
  const rateProblem = keyRate && problemOfRate(keyRate);
  if (rateProblem !== undefined) return `keyRate ${rateProblem}`;
  const given = keySettings.find((name) => config[name] !== undefined);
  if (config.ordering !== 'key' && given !== undefined)
    return `${given} needs ordering: 'key'; without it deliveries do not go by key`;
  if (keyConcurrency > 1 && (keyRunMax > 1 || keysPerConsumerMax !== undefined))
    return `keyConcurrency above 1 spreads a key over consumers, so keyRunMax and keysPerConsumerMax cannot hold`;
  return undefined;
}

/** A configuration as earlier versions may have stored it. */
type StoredGroupConfig = Omit<GroupConfig, 'backoffMeans'> & {
  readonly backoffMeans?: GroupConfig['backoffMeans'];
  /** The name of `backoffMeans: 'deadline'` up to 0.1.0. */
  readonly backoffReplacesDeadline?: boolean;
};

/** Reads a configuration from the data directory, including the names of earlier versions. */
export function storedGroupConfig(stored: StoredGroupConfig): GroupConfig {
  if (stored.backoffMeans !== undefined) return stored as GroupConfig;
  const { backoffReplacesDeadline, ...config } = stored;
  return { ...config, backoffMeans: backoffReplacesDeadline === true ? 'deadline' : 'wait' };
}
