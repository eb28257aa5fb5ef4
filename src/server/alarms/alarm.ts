/** How bad an alarm is. */
export type AlarmLevel = 'warning' | 'critical';

/** The names of the rules, in the order in which alarms of equal weight are listed. */
export const ruleNames = [
  'disk',
  'disk-time-to-full',
  'memory',
  'sync-time',
  'time-to-full',
  'dead-letters',
  'shedding',
  'backlog-growing',
  'oldest-age',
  'no-consumers',
  'slow-consumer',
  'redelivery-rate',
] as const;
export type RuleName = (typeof ruleNames)[number];

/** The sentences of an alarm: what is wrong, with figures, and what to do about it. */
export interface AlarmText {
  readonly reason: string;
  readonly remedy: string;
}

/** A reading is what a rule measured of one topic, one group or the server. */
export interface Reading {
  readonly rule: RuleName;
  /** In the unit of the rule; undefined: nothing to measure, so all is well. */
  readonly value: number | undefined;
  /** The reading itself lasts until the alarm may end, so that it does not wait for that once more. */
  readonly clearsAtOnce?: true;
  /** Called only if there is an alarm. */
  readonly tell: () => AlarmText;
}

/**
 * An alarm as of the last evaluation. Its topic and group are null if it concerns the server, or no group.
 */
export interface Alarm extends AlarmText {
  readonly rule: RuleName;
  readonly topic: string | null;
  readonly group: string | null;
  /** `pending`: the condition holds, but not for long enough yet. */
  readonly state: 'pending' | 'firing';
  readonly level: AlarmLevel;
  /** When the condition began, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** The last reading, and the threshold of the level, in this unit. */
  readonly value: number;
  readonly threshold: number;
  readonly unit: AlarmUnit;
}

/** What a rule measures in: milliseconds, a number of things, a share of 1, or a multiple of a mark. */
export type AlarmUnit = 'ms' | 'count' | 'share' | 'factor';

/** A change that people are told: an alarm fires, fires at another level, or is over. */
export interface AlarmChange {
  readonly change: 'fired' | 'worsened' | 'eased' | 'resolved';
  readonly alarm: Alarm;
  /** When, in milliseconds since the epoch. */
  readonly atMs: number;
}
