import { isSubscribeSubject, type RateLimit } from '../../util/index.ts';
import { isFiniteNumber, problemOfRate, withoutUndefined } from '../config-checks.ts';
import { problemOfPolicy, type TopicDeadLetterPolicy } from '../dead-letters/dead-letter-policy.ts';
import { BrokerError } from '../errors.ts';

/** The configuration of a topic. An absent limit does not apply. */
export interface TopicConfig {
  readonly name: string;
  /** Number of partitions; may grow later, never shrink. */
  readonly partitions: number;
  /**
   * Subject patterns whose publishes this topic captures; none = messages are published to it by name only.
   */
  readonly subjects: readonly string[];
  /**
   * `memory`: messages do not survive a restart, and publishes wait for no sync. `disk`: publishes are
   * confirmed when they are on disk.
   */
  readonly durability: 'disk' | 'memory';
  /**
   * When messages are removed. `limits`: when a limit below says so. `queue`: also when every group that
   * wants them has acked them. `interest`: as `queue`, and a message that no group wants at publish time is
   * not kept at all.
   */
  readonly retention: 'limits' | 'queue' | 'interest';
  readonly messagesMax?: number;
  readonly bytesMax?: number;
  readonly ageMsMax?: number;
  readonly messagesPerKeyMax?: number;
  /** Largest key + headers + value, in bytes. */
  readonly messageBytesMax?: number;
  readonly groupsMax?: number;
  /** What happens to a publish beyond `messagesMax` or `bytesMax`. */
  readonly overflow: 'drop-oldest' | 'reject' | 'wait';
  /** What happens to a publish beyond `messagesPerKeyMax`. */
  readonly overflowPerKey: 'drop-oldest' | 'reject';
  /** The most messages a second that clients may publish, over all partitions. See publish-rate.ts. */
  readonly publishRate?: RateLimit;
  /** What happens to a publish beyond `publishRate`; absent: `reject`. */
  readonly overRate?: 'reject' | 'wait';
  /** How long a dedupe id is remembered; 0 = ids are ignored. */
  readonly dedupeWindowMs: number;
  /** Maximum number of remembered dedupe ids; the oldest are forgotten first. */
  readonly dedupeEntriesMax: number;
  /**
   * `append`: the timestamp of a message is the time at which the broker appended it. Absent: the publisher's
   * timestamp, if there is one.
   */
  readonly timestamps?: 'append';
  /**
   * Keeps count, first and last offset of every key in memory (some 150 bytes per key). Can be switched on
   * later, never off.
   */
  readonly keyState: boolean;
  /**
   * Number of levels of priority, 2 to 256: a publish has a priority from 0 (the default, and the lowest) to
   * one less. May grow later. Absent: the topic has no priorities.
   */
  readonly priorities?: number;
  /**
   * A message gains a level of priority for each such time that it waits to be delivered, so that the lowest
   * levels do not starve. Needs `priorities`. Absent: waiting raises no level.
   */
  readonly ageingMs?: number;
  /** Keeps only the last message of each key. */
  readonly compaction: boolean;
  /**
   * `timestamp`: the age of a message counts from its own timestamp. Absent: from its arrival, by steady
   * time, so that a jump of the clock or a timestamp of a publisher makes no message old.
   */
  readonly ageFrom?: 'timestamp';
  /** Publishes a marker for a key when its last message has expired. Needs keyState. */
  readonly expiryMarker?: ExpiryMarker;
  /** Refuses publishes. */
  readonly sealed: boolean;
  /**
   * Dead-letter policy for messages that leave the topic for one of its causes. Absent: such messages are
   * deleted.
   */
  readonly deadLetter?: TopicDeadLetterPolicy;
  /** Data that protocols keep with the topic: JSON, one member per protocol. */
  readonly attributes: { readonly [protocol: string]: unknown };
}

/** A marker is a message without a value that tells readers that a key has expired. */
export interface ExpiryMarker {
  /** Its own time to live. */
  readonly ttlMs: number;
  /** Its headers, at least one: the first tells it apart from other messages. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Headers by which other messages count as markers: none is left after one of them. */
  readonly alsoMarks?: readonly (readonly [name: string, value: string])[];
}

/** The configuration as callers give it: only the name is required. */
export type TopicOptions = { readonly name: string } & Partial<TopicConfig>;

const topicNameLengthMax = 255;
/** The largest number of levels of priority. */
export const prioritiesMax = 256;

/** Fills in defaults and checks every field. Throws a BrokerError of code `topic-config-invalid`. */
export function topicConfig(options: TopicOptions): TopicConfig {
  const config: TopicConfig = {
    partitions: 1,
    subjects: [],
    durability: 'disk',
    retention: 'limits',
    overflow: 'drop-oldest',
    overflowPerKey: 'drop-oldest',
    dedupeWindowMs: 120_000,
    dedupeEntriesMax: 1_000_000,
    compaction: false,
    sealed: false,
    attributes: {},
    ...withoutUndefined(options),
    keyState: options.keyState ?? (options.messagesPerKeyMax !== undefined || options.compaction === true),
  };
  const invalid = (problem: string): never => {
    throw new BrokerError(
      'topic-config-invalid',
      `Topic "${config.name}" cannot be configured so: ${problem}.`,
      {
        topic: config.name,
      },
    );
  };
  if (typeof config.name !== 'string') invalid('its name must be a text');
  if (config.name.length === 0 || config.name.length > topicNameLengthMax) {
    invalid(`its name must have 1 to ${topicNameLengthMax} characters`);
  }
  if (!Number.isInteger(config.partitions) || config.partitions < 1 || config.partitions > 100_000) {
    invalid('partitions must be a whole number from 1 to 100000');
  }
  if (!Array.isArray(config.subjects)) invalid('subjects must be a list of subject patterns');
  for (const subject of config.subjects) {
    if (typeof subject !== 'string' || !isSubscribeSubject(subject))
      invalid(`"${subject}" is not a subject pattern`);
  }
  for (const [name, choices] of Object.entries(topicChoices)) {
    const value = config[name as keyof typeof topicChoices];
    if (!(choices as readonly string[]).includes(value))
      invalid(`${name} must be one of ${choices.join(', ')}`);
  }
  for (const name of ['keyState', 'compaction', 'sealed'] as const) {
    if (typeof config[name] !== 'boolean') invalid(`${name} must be true or false`);
  }
  const positive = [
    'messagesMax',
    'bytesMax',
    'ageMsMax',
    'messagesPerKeyMax',
    'messageBytesMax',
    'groupsMax',
  ] as const;
  for (const name of positive) {
    const value = config[name];
    if (value !== undefined && !(isFiniteNumber(value) && value > 0))
      invalid(`${name} must be a number greater than 0, or absent for no limit`);
  }
  if (config.publishRate !== undefined) {
    const problem = problemOfRate(config.publishRate);
    if (problem !== undefined) invalid(`publishRate ${problem}`);
  }
  if (config.overRate !== undefined && config.overRate !== 'reject' && config.overRate !== 'wait')
    invalid('overRate must be one of reject, wait');
  if (!(isFiniteNumber(config.dedupeWindowMs) && config.dedupeWindowMs >= 0))
    invalid('dedupeWindowMs must be a number from 0');
  if (!Number.isInteger(config.dedupeEntriesMax) || config.dedupeEntriesMax < 1)
    invalid('dedupeEntriesMax must be a whole number from 1');
  const { priorities } = config;
  if (
    priorities !== undefined &&
    !(Number.isInteger(priorities) && priorities >= 1 && priorities <= prioritiesMax)
  )
    invalid(`priorities must be a whole number from 1 to ${prioritiesMax}, or absent for none`);
  if (config.ageingMs !== undefined && !(isFiniteNumber(config.ageingMs) && config.ageingMs >= 1))
    invalid('ageingMs must be a number from 1, or absent if waiting raises no priority');
  if (config.ageingMs !== undefined && priorities === undefined) invalid('ageingMs needs priorities');
  if (config.timestamps !== undefined && config.timestamps !== 'append')
    invalid("timestamps must be 'append', or absent for the publisher's");
  if (config.ageFrom !== undefined && config.ageFrom !== 'timestamp')
    invalid("ageFrom must be 'timestamp', or absent for the arrival");
  const markerProblem = problemOfMarker(config);
  if (markerProblem !== undefined) invalid(markerProblem);
  if (!config.keyState && (config.messagesPerKeyMax !== undefined || config.compaction)) {
    invalid('messagesPerKeyMax and compaction need keyState');
  }
  if (config.deadLetter !== undefined) {
    const problem = problemOfPolicy(config.deadLetter, { kind: 'topic', name: config.name });
    if (problem !== undefined) invalid(problem);
  }
  return config;
}

function problemOfMarker({ expiryMarker, keyState }: TopicConfig): string | undefined {
  if (expiryMarker === undefined) return undefined;
  const { ttlMs, headers, alsoMarks = [] } = expiryMarker;
  const isPair = (pair: unknown): boolean =>
    Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string');
  if (!isFiniteNumber(ttlMs) || ttlMs <= 0) return 'expiryMarker.ttlMs must be a number greater than 0';
  if (!Array.isArray(headers) || headers.length === 0 || !headers.every(isPair))
    return 'expiryMarker.headers must be a list of at least one pair of name and value';
  if (!Array.isArray(alsoMarks) || !alsoMarks.every(isPair))
    return 'expiryMarker.alsoMarks must be a list of pairs of name and value';
  return keyState ? undefined : 'expiryMarker needs keyState';
}

const topicChoices = {
  durability: ['disk', 'memory'],
  retention: ['limits', 'queue', 'interest'],
  overflow: ['drop-oldest', 'reject', 'wait'],
  overflowPerKey: ['drop-oldest', 'reject'],
} as const satisfies { readonly [K in keyof TopicConfig]?: readonly TopicConfig[K][] };
