import type { AlarmUnit, RuleName } from './alarm.ts';

/** The limits of a rule: when it fires, and how it recovers. */
export interface RuleLimits {
  /** The values at which each level begins; absent: the rule has no such level. */
  readonly warning?: number;
  readonly critical?: number;
  /** How long a level must last before the alarm fires, in milliseconds. */
  readonly forMs: number;
  /** How long the value must be well within the threshold before the alarm ends, in milliseconds. */
  readonly clearMs: number;
}

/** A rule says what is measured, of what, and from which value on it is an alarm by default. */
export interface Rule {
  readonly of: 'server' | 'topic' | 'group';
  readonly unit: AlarmUnit;
  /** Whether values above the thresholds are alarms, or values below. */
  readonly when: 'above' | 'below';
  /**
   * The hysteresis: a firing alarm ends only when its value is better than the threshold multiplied by this.
   */
  readonly ease: number;
  readonly defaults: RuleLimits;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** All rules with their defaults. docs/alarms.md has the table; a test compares the two. */
export const rules: { readonly [R in RuleName]: Rule } = {
  // Free space as a multiple of the mark below which publishes are refused.
  disk: {
    of: 'server',
    unit: 'factor',
    when: 'below',
    ease: 1.25,
    defaults: { warning: 2, critical: 1.25, forMs: 10 * second, clearMs: 30 * second },
  },
  'disk-time-to-full': {
    of: 'server',
    unit: 'ms',
    when: 'below',
    ease: 1.5,
    defaults: { warning: hour, critical: 10 * minute, forMs: 2 * minute, clearMs: 2 * minute },
  },
  // Memory or heap in use, as a share of the mark beyond which publishes are refused.
  memory: {
    of: 'server',
    unit: 'share',
    when: 'above',
    ease: 0.95,
    defaults: { warning: 0.85, critical: 0.95, forMs: 30 * second, clearMs: minute },
  },
  // The time in which 99 of 100 writes of the last minute became durable.
  'sync-time': {
    of: 'server',
    unit: 'ms',
    when: 'above',
    ease: 0.6,
    defaults: { warning: 100, critical: second, forMs: minute, clearMs: 2 * minute },
  },
  'time-to-full': {
    of: 'topic',
    unit: 'ms',
    when: 'below',
    ease: 1.5,
    defaults: { warning: hour, critical: 10 * minute, forMs: 30 * second, clearMs: minute },
  },
  // Messages that became dead letters since it was quiet for as long as the alarm takes to end.
  'dead-letters': {
    of: 'topic',
    unit: 'count',
    when: 'above',
    ease: 1,
    defaults: { warning: 1, critical: 100, forMs: 0, clearMs: 15 * minute },
  },
  // Whether the topic is shed: see shedder.ts.
  shedding: {
    of: 'topic',
    unit: 'count',
    when: 'above',
    ease: 1,
    defaults: { warning: 1, forMs: 0, clearMs: 0 },
  },
  'backlog-growing': {
    of: 'group',
    unit: 'ms',
    when: 'above',
    ease: 1,
    defaults: { warning: 5 * minute, critical: 30 * minute, forMs: 0, clearMs: 30 * second },
  },
  'oldest-age': {
    of: 'group',
    unit: 'ms',
    when: 'above',
    ease: 0.8,
    defaults: { warning: 15 * minute, critical: hour, forMs: 0, clearMs: 30 * second },
  },
  'no-consumers': {
    of: 'group',
    unit: 'ms',
    when: 'above',
    ease: 1,
    defaults: { warning: 5 * minute, critical: hour, forMs: 0, clearMs: 0 },
  },
  // How long the slowest consumer has had its oldest message, if its peers are much faster.
  'slow-consumer': {
    of: 'group',
    unit: 'ms',
    when: 'above',
    ease: 0.8,
    defaults: { warning: minute, critical: 10 * minute, forMs: 0, clearMs: 30 * second },
  },
  // The share of the deliveries of the last minute that did not end with an ack.
  'redelivery-rate': {
    of: 'group',
    unit: 'share',
    when: 'above',
    ease: 0.8,
    defaults: { warning: 0.2, critical: 0.5, forMs: minute, clearMs: 2 * minute },
  },
};
