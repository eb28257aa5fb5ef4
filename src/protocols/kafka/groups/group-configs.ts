import type { Attributes, GroupStart } from '../../../broker/index.ts';
import { ErrorCode } from '../../../wire/kafka/index.ts';
import { KafkaError } from '../errors.ts';
import { ConfigType, type ShownConfig } from '../topic-configs.ts';
import { groupNameMax } from './offsets.ts';

/** What a share group is made with. */
export interface ShareGroupConfig {
  readonly start: GroupStart;
  /** How long a record may be held before it goes to somebody else. */
  readonly lockMs: number;
  /** Deliveries of one record before it is a dead letter. */
  readonly deliveriesMax: number;
  /** Records of one partition that may be held at once. */
  readonly recordLocksMax: number;
  /** '': none; undefined: `<topic>-<group>-dlq`. */
  readonly deadLetter: string | undefined;
}

interface ConfigRule {
  readonly fallback: string;
  readonly type: ShownConfig['type'];
  readonly check: (value: string) => boolean;
  readonly rule: string;
}

const wholeNumber = (min: number, max: number): Omit<ConfigRule, 'fallback'> => ({
  type: ConfigType.int,
  check: (value) => /^\d{1,10}$/.test(value) && Number(value) >= min && Number(value) <= max,
  rule: `a whole number from ${min} to ${max}`,
});

/** The configs of groups by Kafka's names, with Kafka's defaults and bounds (but for the dead letters, which are on). */
export const groupConfigRules: { readonly [name: string]: ConfigRule } = {
  'share.auto.offset.reset': {
    fallback: 'latest',
    type: ConfigType.string,
    check: (value) =>
      value === 'latest' ||
      value === 'earliest' ||
      (value.startsWith('by_duration:') && durationMs(value) !== undefined),
    rule: '"latest", "earliest" or "by_duration:" with an ISO 8601 duration',
  },
  'share.record.lock.duration.ms': { fallback: '30000', ...wholeNumber(15_000, 60_000) },
  'share.delivery.count.limit': { fallback: '5', ...wholeNumber(2, 10) },
  'share.partition.max.record.locks': { fallback: '2000', ...wholeNumber(100, 10_000) },
  'errors.deadletterqueue.topic.name': {
    fallback: '',
    type: ConfigType.string,
    check: (value) => value === '' || value === 'none' || /^[A-Za-z0-9._-]{1,249}$/.test(value),
    rule: 'the name of a topic, or "none" for no dead letters',
  },
};

const configuredGroupsMax = 10_000;

/** As they are kept: an attribute of the broker per group, of this protocol. */
const protocol = 'kafka';
const prefix = 'group/';
const attributeOf = (groupId: string): string => prefix + groupId;

/** A group's configs by name, as they were given. */
type ConfigTexts = { readonly [name: string]: string };

/** What was configured of groups, durably; groups need not exist yet. */
export class GroupConfigs {
  readonly #attributes: Attributes;
  readonly #nowMs: () => number;

  constructor(attributes: Attributes, nowMs: () => number) {
    this.#attributes = attributes;
    this.#nowMs = nowMs;
  }

  /** The groups that have configs. */
  groupIds(): string[] {
    const names = Array.from(this.#attributes.names(protocol));
    return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  }

  /** What was set, by name. */
  given(groupId: string): ReadonlyMap<string, string> {
    const texts = this.#attributes.get(protocol, attributeOf(groupId)) as ConfigTexts | undefined;
    return new Map(Object.entries(texts ?? {}));
  }

  /**
   * Null takes a config back to its default. Throws a KafkaError before anything is changed. It counts at once; what is returned resolves when it is
   * durable.
   */
  set(groupId: string, values: Iterable<readonly [name: string, value: string | null]>): Promise<void> {
    const changes = [...values];
    this.check(groupId, changes);
    const configs = new Map(this.given(groupId));
    if (configs.size === 0 && this.#attributes.count(protocol) >= configuredGroupsMax)
      throw new KafkaError(
        ErrorCode.POLICY_VIOLATION,
        `There are ${configuredGroupsMax} groups with configs, which is the limit.`,
      );
    for (const [name, value] of changes) {
      if (value === null) configs.delete(name);
      else configs.set(name, value);
    }
    const texts = configs.size > 0 ? Object.fromEntries(configs) : undefined;
    return this.#attributes.set(protocol, attributeOf(groupId), texts);
  }

  /** Throws a KafkaError, mostly of code INVALID_CONFIG. */
  check(groupId: string, values: Iterable<readonly [name: string, value: string | null]>): void {
    if (groupId === '' || groupId.length > groupNameMax)
      throw new KafkaError(ErrorCode.INVALID_GROUP_ID, `A group's id has 1 to ${groupNameMax} characters.`);
    for (const [name, value] of values) {
      const rule = groupConfigRules[name];
      if (!rule) throw new KafkaError(ErrorCode.INVALID_CONFIG, `A group has no config "${name}".`);
      if (value !== null && !rule.check(value)) {
        const problem = `Config "${name}" of group "${groupId}" cannot be "${value.slice(0, 100)}": it is ${rule.rule}.`;
        throw new KafkaError(ErrorCode.INVALID_CONFIG, problem);
      }
    }
  }

  /** All of them as DescribeConfigs tells them. */
  shown(groupId: string): ShownConfig[] {
    const given = this.given(groupId);
    return Object.entries(groupConfigRules).map(([name, { fallback, type }]) => ({
      name,
      value: given.get(name) ?? fallback,
      default: fallback,
      type,
    }));
  }

  of(groupId: string): ShareGroupConfig {
    const given = this.given(groupId);
    const valueOf = (name: string): string => given.get(name) ?? groupConfigRules[name]!.fallback;
    const deadLetter = valueOf('errors.deadletterqueue.topic.name');
    return {
      start: this.#start(valueOf('share.auto.offset.reset')),
      lockMs: Number(valueOf('share.record.lock.duration.ms')),
      deliveriesMax: Number(valueOf('share.delivery.count.limit')),
      recordLocksMax: Number(valueOf('share.partition.max.record.locks')),
      deadLetter: deadLetter === '' ? undefined : deadLetter === 'none' ? '' : deadLetter,
    };
  }

  #start(reset: string): GroupStart {
    if (reset === 'earliest') return { kind: 'all' };
    if (reset === 'latest') return { kind: 'new' };
    return { kind: 'time', timestampMs: this.#nowMs() - (durationMs(reset) ?? 0) };
  }
}

/** `by_duration:PnDTnHnMnS` in milliseconds. */
function durationMs(value: string): number | undefined {
  const match =
    /^by_duration:P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?$/.exec(
      value,
    );
  if (!match || match.slice(1).every((part) => part === undefined)) return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
}
