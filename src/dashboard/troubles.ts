import type { AlarmJson, FindingJson } from '../admin-api/index.ts';

/** A sentence about what is wrong, from an alarm or from the overview. */
export interface Trouble {
  readonly rule: string;
  readonly level: 'critical' | 'warning' | 'info';
  readonly topic: string | null;
  readonly group: string | null;
  readonly sinceMs: number | null;
  readonly reason: string;
  readonly remedy: string;
}

const levels = { error: 'critical', warning: 'warning', info: 'info' } as const;
const ranks = { critical: 0, warning: 1, info: 2 } as const;

/** The rule of alarms that says the same as a finding. */
const sameRule: { readonly [finding: string]: string } = {
  'disk-full': 'disk',
  'disk-fills': 'disk-time-to-full',
  'memory-full': 'memory',
  'topic-fills': 'time-to-full',
  'group-without-consumers': 'no-consumers',
  'backlog-grows': 'backlog-growing',
};

/**
 * The alarms, and what the overview finds that no alarm says: an alarm often waits for some minutes, and a
 * developer need not. Alarms that wait still come last.
 */
export function troublesOf(
  alarms: readonly AlarmJson[],
  findings: readonly FindingJson[],
): readonly Trouble[] {
  const firing = alarms.filter(({ state }) => state === 'firing');
  const says = ({ rule, topic, group }: FindingJson): boolean =>
    firing.some((alarm) =>
      // The alarm is about the topic that the letters come from.
      rule === 'dead-letters'
        ? alarm.rule === rule
        : alarm.rule === sameRule[rule] &&
          alarm.topic === topic &&
          (alarm.group === null || alarm.group === group),
    );
  const found = findings
    .filter((finding) => !says(finding))
    .map(({ level, since, ...finding }): Trouble => ({ ...finding, level: levels[level], sinceMs: since }));
  const troubles = [...firing.map(troubleOf), ...found].sort((a, b) => ranks[a.level] - ranks[b.level]);
  return [...troubles, ...alarms.filter(({ state }) => state === 'pending').map(troubleOf)];
}

function troubleOf({ rule, level, state, topic, group, since, reason, remedy }: AlarmJson): Trouble {
  const sinceMs = Date.parse(since);
  return { rule, level: state === 'firing' ? level : 'info', topic, group, sinceMs, reason, remedy };
}
