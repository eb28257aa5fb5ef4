import { checks, type Checks } from '../embedded/values.ts';
import { oneOf } from './one-of.ts';
import type { Feature } from './features.ts';

/** The settings of a group. A setting that is left out keeps its value, or takes the default if it is new. */
export interface GroupSettings {
  /** Where a new group starts to read. Default `all`, and `new` on targets without `history`. */
  readonly start?: 'all' | 'new';
  /** Subject patterns over the key (`eu.*`, `orders.>`). Default: all messages. */
  readonly filter?: string | readonly string[];
  /** Deliveries of one message before it is given up; Infinity for no limit. Default 5. */
  readonly maxDeliver?: number;
  /**
   * Waits before each redelivery, in milliseconds; the last one repeats. Default 100, 1,000, 10,000, 60,000.
   */
  readonly backoffMs?: readonly number[];
  /** Random share of each wait, from 0 to 1. Default 0.2. */
  readonly backoffJitter?: number;
  /**
   * How long a consumer may be silent before its message goes to another. A running handler is no silence:
   * the client extends the time. Default 30,000.
   */
  readonly ackWaitMs?: number;
  /** The most deliveries in flight over all consumers; Infinity for no limit. Default Infinity. */
  readonly maxInFlight?: number;
  /** The topic for messages that were given up; false: they are dropped. Default `<topic>-<group>-dlq`. */
  readonly deadLetter?: string | false;
  /** `key`: the messages of a key are delivered one at a time, in order. Default `none`. */
  readonly ordering?: 'none' | 'key';
}

/** The settings of a group that are in force. */
export interface GroupPlan {
  readonly topic: string;
  readonly name: string;
  /** Infinity: no limit. */
  readonly maxDeliver: number;
  readonly backoffMs: readonly number[];
  readonly backoffJitter: number;
  readonly ackWaitMs: number;
  /** Undefined: messages that are given up are dropped. */
  readonly deadLetter: string | undefined;
}

/** The part of a plan that no target but our own keeps: its settings for retries. */
export type RetryPlan = Pick<GroupPlan, 'maxDeliver' | 'backoffMs' | 'backoffJitter' | 'deadLetter'>;

const backoffDefaultMs: readonly number[] = [100, 1_000, 10_000, 60_000];
const jitterDefault = 0.2;
const maxDeliverDefault = 5;
export const ackWaitDefaultMs = 30_000;

export function deadLetterTopic(topic: string, group: string): string {
  return `${topic}-${group}-dlq`;
}

/** The retries that settings ask for, over those that were in force. */
export function retryPlan(
  topic: string,
  group: string,
  settings: GroupSettings,
  before?: RetryPlan,
): RetryPlan {
  const { maxDeliver, backoffMs, backoffJitter, deadLetter } = settings;
  const letters = before ? before.deadLetter : deadLetterTopic(topic, group);
  return {
    maxDeliver: maxDeliver ?? before?.maxDeliver ?? maxDeliverDefault,
    backoffMs: backoffMs ?? before?.backoffMs ?? backoffDefaultMs,
    backoffJitter: backoffJitter ?? before?.backoffJitter ?? jitterDefault,
    deadLetter: deadLetter === undefined ? letters : deadLetter === false ? undefined : deadLetter,
  };
}

const share: checks.Check = (value) =>
  typeof value === 'number' && value >= 0 && value <= 1 ? undefined : 'a number from 0 to 1';
const waits: checks.Check = (value) =>
  Array.isArray(value) && value.length <= 100 && value.every((ms) => checks.milliseconds()(ms) === undefined)
    ? undefined
    : 'a list of milliseconds, at most 100';
const letterTopic: checks.Check = (value) =>
  value === false || (typeof value === 'string' && /^[\w-]{1,200}$/.test(value))
    ? undefined
    : 'the name of a topic (letters, digits, "-" and "_"), or false';

export const groupChecks: Checks<GroupSettings> = {
  start: oneOf('all', 'new'),
  filter: checks.filter,
  maxDeliver: checks.limitOf(1),
  backoffMs: waits,
  backoffJitter: share,
  ackWaitMs: checks.milliseconds(100),
  maxInFlight: checks.limitOf(1),
  deadLetter: letterTopic,
  ordering: oneOf('none', 'key'),
};

/** The features that the settings of a group ask for. */
export function groupFeatures(settings: GroupSettings): Feature[] {
  const { start, filter, ordering, deadLetter, maxInFlight } = settings;
  const asked: Feature[] = [];
  if (start === 'all') asked.push('history');
  if (maxInFlight !== undefined && maxInFlight !== Infinity) asked.push('inFlightLimit');
  if (start === 'new') asked.push('starts');
  if (filter !== undefined) asked.push('filters');
  if (ordering === 'key') asked.push('keyOrdering');
  if (typeof deadLetter === 'string') asked.push('deadLetters');
  return asked;
}
