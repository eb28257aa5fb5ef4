/** An alarm of the broker. docs/alarms.md has the rules. */
export interface AlarmJson {
  readonly rule: string;
  /** Null: the alarm concerns the server. */
  readonly topic: string | null;
  /** Null: it concerns no particular group. */
  readonly group: string | null;
  /** `pending`: the condition holds, but not for long enough yet. */
  readonly state: 'pending' | 'firing';
  readonly level: 'warning' | 'critical';
  /** When the condition began, as ISO 8601. */
  readonly since: string;
  /** What is wrong, with figures, in one sentence. */
  readonly reason: string;
  /** What to do about it, in one sentence. */
  readonly remedy: string;
  /** The last reading, and the threshold of the level, in this unit. */
  readonly value: number;
  readonly threshold: number;
  /** `ms`, a `count`, a `share` of 1, or a multiple (`factor`) of a mark. */
  readonly unit: 'ms' | 'count' | 'share' | 'factor';
}

/** The alarms, the most serious first. */
export interface AlarmsJson {
  readonly alarms: readonly AlarmJson[];
  /** Alarms that are not in the list, because there are more than `alarms-max`. */
  readonly omitted: number;
  /** When the rules were last evaluated, as ISO 8601; null: not yet. */
  readonly evaluated: string | null;
}
