import { tables, type Setting } from '../../protocols/settings.ts';
import { type AlarmUnit, ruleNames, type RuleName } from './alarm.ts';
import { NamePattern } from './name-pattern.ts';
import { type RuleLimits, rules } from './rules.ts';
import { durationOf, known, numberOf, tableOf } from '../setting-values.ts';

/** An entry of `alarms` in the configuration: other limits of a rule, or of all (`*`). See docs/alarms.md. */
export interface AlarmSettings {
  readonly rule: RuleName | '*';
  /** Names of topics and groups that it holds for, with `*` for any text; absent: all. */
  readonly topic?: string;
  readonly group?: string;
  readonly off?: boolean;
  /** In the unit of the rule: a time, a number, or a share such as `20%`; `off`: no such level. */
  readonly warning?: string | number;
  readonly critical?: string | number;
  readonly for?: string;
  readonly clear?: string;
}

const keys: { readonly [K in keyof AlarmSettings]-?: true } = {
  rule: true,
  topic: true,
  group: true,
  off: true,
  warning: true,
  critical: true,
  for: true,
  clear: true,
};

const entriesMax = 1000;

/** The setting `alarms`: tables of the configuration file, or the same as JSON. */
export const alarmsSetting: Setting<readonly AlarmSettings[] | undefined> = tables(
  (list) => new AlarmPolicy(list),
  {
    name: 'alarms',
    help: 'alarms with other limits than the default, or none; mostly in the configuration file (docs/alarms.md)',
    expected: 'a list of tables with a rule each (docs/alarms.md)',
  },
);

/** Changes that an entry makes to the limits of a rule. */
interface Override {
  readonly rule: RuleName | '*';
  readonly topic: NamePattern | undefined;
  readonly group: NamePattern | undefined;
  readonly off: boolean | undefined;
  /** Null: no such level. */
  readonly warning: number | null | undefined;
  readonly critical: number | null | undefined;
  readonly forMs: number | undefined;
  readonly clearMs: number | undefined;
}

/**
 * The policy knows the limits of each rule for each topic and group: the defaults, changed by the settings.
 */
export class AlarmPolicy {
  readonly #overrides: readonly Override[];
  /** By rule, where no entry names a topic or a group. */
  readonly #forAll = new Map<RuleName, RuleLimits | undefined>();
  /** Whether the limits of a rule are the same for all topics and groups. */
  readonly isUniform: boolean;

  /** Throws an Error, in one sentence, for a value that does not fit. */
  constructor(settings: readonly unknown[] = []) {
    if (settings.length > entriesMax)
      throw new Error(`"alarms" has ${settings.length} entries; ${entriesMax} are allowed.`);
    this.#overrides = settings.map((value, at) => overrideOf(value, `entry ${at + 1} of "alarms"`));
    this.isUniform = this.#overrides.every(({ topic, group }) => !topic && !group);
    if (this.isUniform) for (const rule of ruleNames) this.#forAll.set(rule, this.#merged(rule, null, null));
  }

  /** The limits of a rule, for a topic or group; undefined: it is off. The last entry that fits decides. */
  limitsOf(rule: RuleName, topic: string | null, group: string | null): RuleLimits | undefined {
    return this.isUniform ? this.#forAll.get(rule) : this.#merged(rule, topic, group);
  }

  #merged(rule: RuleName, topic: string | null, group: string | null): RuleLimits | undefined {
    let isOff = false;
    let { warning, critical, forMs, clearMs }: Partial<RuleLimits> = rules[rule].defaults;
    for (const entry of this.#overrides) {
      if (entry.rule !== '*' && entry.rule !== rule) continue;
      if (entry.topic && (topic === null || !entry.topic.matches(topic))) continue;
      if (entry.group && (group === null || !entry.group.matches(group))) continue;
      isOff = entry.off ?? isOff;
      if (entry.warning !== undefined) warning = entry.warning ?? undefined;
      if (entry.critical !== undefined) critical = entry.critical ?? undefined;
      forMs = entry.forMs ?? forMs;
      clearMs = entry.clearMs ?? clearMs;
    }
    if (isOff || forMs === undefined || clearMs === undefined) return undefined;
    return {
      ...(warning === undefined ? {} : { warning }),
      ...(critical === undefined ? {} : { critical }),
      forMs,
      clearMs,
    };
  }

  /** Whether all rules are off, for all. */
  get isEmpty(): boolean {
    const last = this.#overrides[this.#overrides.length - 1];
    return last?.rule === '*' && !last.topic && !last.group && last.off === true;
  }
}

function overrideOf(value: unknown, title: string): Override {
  const table = tableOf<AlarmSettings>(value, keys, title);
  const rule = known(table.rule, ['*', ...ruleNames] as const, `"rule" of the ${title}`);
  const level = (name: 'warning' | 'critical'): number | null | undefined => {
    const given = table[name];
    if (given === undefined) return undefined;
    if (rule === '*') throw new Error(`The "${name}" of the ${title} needs one rule, not "*".`);
    return given === 'off' ? null : valueOf(given, rules[rule].unit, `"${name}" of the ${title}`);
  };
  if (table.off !== undefined && typeof table.off !== 'boolean')
    throw new Error(`The "off" of the ${title} must be true or false.`);
  if (rule !== '*' && table.topic !== undefined && rules[rule].of === 'server')
    throw new Error(`The "topic" of the ${title} does not fit: the rule "${rule}" is about the server.`);
  if (rule !== '*' && table.group !== undefined && rules[rule].of !== 'group')
    throw new Error(`The "group" of the ${title} does not fit: the rule "${rule}" is not about groups.`);
  const time = (name: 'for' | 'clear'): number | undefined =>
    table[name] === undefined ? undefined : durationOf(table[name], `"${name}" of the ${title}`);
  return {
    rule,
    topic: NamePattern.of(table.topic, `"topic" of the ${title}`),
    group: NamePattern.of(table.group, `"group" of the ${title}`),
    off: table.off,
    warning: level('warning'),
    critical: level('critical'),
    forMs: time('for'),
    clearMs: time('clear'),
  };
}

function valueOf(value: unknown, unit: AlarmUnit, what: string): number {
  if (unit === 'ms') return durationOf(value, what);
  if (unit !== 'share') return numberOf(value, what);
  const [, percent] = /^(\d{1,3}(?:\.\d{1,3})?)\s*%$/.exec(String(value)) ?? [];
  return percent === undefined ? numberOf(value, what) : Number(percent) / 100;
}
