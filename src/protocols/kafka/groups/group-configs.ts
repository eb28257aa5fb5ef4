import type { Attributes, GroupStart } from '../../../broker/index.ts';
import { kafkaSettingRules } from '../kafka-settings.ts';
import { ErrorCode } from '../../../wire/kafka/index.ts';
import {
  ConfigSource,
  ConfigType,
  checkValue,
  flag,
  integer,
  oneOf,
  type ConfigRule,
  type ConfigSynonym,
  type ShownConfig,
} from '../config-values.ts';
import { KafkaError } from '../errors.ts';
import type { Bounds, GroupLimits } from './limits.ts';
import { hasLegalCharacters, isTooLong, names } from '../../names.ts';
import { groupNameMax } from './offsets.ts';

/** The configs with which a share group is created. */
export interface ShareGroupConfig {
  readonly start: GroupStart;
  /** How long a member may hold a record before it goes to another member. */
  readonly lockMs: number;
  /** Number of deliveries after which a record becomes a dead letter. */
  readonly deliveriesMax: number;
  /** Number of records of one partition that may be held at once. */
  readonly recordLocksMax: number;
  /** '' for none; undefined for `<topic>-<group>-dlq`. */
  readonly deadLetter: string | undefined;
  /** Whether members may extend the locks of their records. */
  readonly mayRenew: boolean;
}

/** How often members of a group have to send heartbeats, and after how long without one they are removed. */
export interface MemberTimes {
  readonly heartbeatMs: number;
  readonly sessionMs: number;
}

/** A config of groups. `bounds`: the range that the broker allows. */
interface GroupRule extends ConfigRule {
  /** The name of its default among the broker configs. */
  readonly brokerName: string;
  readonly bounds?: Bounds;
}

const { int } = ConfigType;

/**
 * The configs of groups by Kafka's names, with Kafka's defaults (except for the dead letters, which are on).
 */
function groupConfigRules(limits: GroupLimits): { readonly [name: string]: GroupRule } {
  const bounded = (bounds: Bounds, brokerName: string, min: number): GroupRule => ({
    ...integer(int, String(bounds.default), min),
    bounds,
    brokerName,
  });
  const named = (brokerName: string, rule: ConfigRule): GroupRule => ({ ...rule, brokerName });
  return {
    'consumer.assignment.interval.ms': named(
      'group.consumer.assignment.interval.ms',
      integer(int, '0', 0, 15_000),
    ),
    'consumer.heartbeat.interval.ms': bounded(
      limits.consumerHeartbeatMs,
      'group.consumer.heartbeat.interval.ms',
      1,
    ),
    'consumer.session.timeout.ms': bounded(limits.consumerSessionMs, 'group.consumer.session.timeout.ms', 1),
    'errors.deadletterqueue.copy.record.enable': named(
      'errors.deadletterqueue.copy.record.enable',
      flag('true'),
    ),
    'errors.deadletterqueue.topic.name': named('errors.deadletterqueue.topic.name', {
      type: ConfigType.string,
      default: '',
      problem: (text) =>
        text === '' || (hasLegalCharacters(text, names.kafka.topic) && !isTooLong(text, names.kafka.topic))
          ? undefined
          : 'It must be the name of a topic, or "none" for no dead letters',
    }),
    'share.assignment.interval.ms': named('group.share.assignment.interval.ms', integer(int, '0', 0, 15_000)),
    'share.auto.offset.reset': named('share.auto.offset.reset', {
      type: ConfigType.string,
      default: 'latest',
      problem: (text) =>
        text === 'latest' ||
        text === 'earliest' ||
        (text.startsWith('by_duration:') && durationMs(text) !== undefined)
          ? undefined
          : 'It must be "latest", "earliest" or "by_duration:" with an ISO 8601 duration',
    }),
    'share.delivery.count.limit': bounded(limits.shareDeliveries, 'group.share.delivery.count.limit', 2),
    'share.heartbeat.interval.ms': bounded(limits.shareHeartbeatMs, 'group.share.heartbeat.interval.ms', 1),
    'share.isolation.level': named(
      'share.isolation.level',
      oneOf(['read_committed', 'read_uncommitted'], 'read_committed'),
    ),
    'share.partition.max.record.locks': bounded(
      limits.shareRecordLocks,
      'group.share.partition.max.record.locks',
      1,
    ),
    'share.record.lock.duration.ms': bounded(limits.shareLockMs, 'group.share.record.lock.duration.ms', 1000),
    'share.renew.acknowledge.enable': named('share.renew.acknowledge.enable', flag('true')),
    'share.session.timeout.ms': bounded(limits.shareSessionMs, 'group.share.session.timeout.ms', 1),
  };
}

/** The configs are stored as one attribute of the broker per group, under this protocol. */
const protocol = 'kafka';
const prefix = 'group/';
const attributeOf = (groupId: string): string => prefix + groupId;

/** A group's configs by name, as they were given. */
type ConfigTexts = { readonly [name: string]: string };

function textsOf(configs: ReadonlyMap<string, string>): ConfigTexts | undefined {
  return configs.size > 0 ? Object.fromEntries(configs) : undefined;
}

/** The durable configs of groups; the groups need not exist yet. */
export class GroupConfigs {
  readonly #attributes: Attributes;
  readonly #nowMs: () => number;
  readonly #rules: { readonly [name: string]: GroupRule };

  constructor(attributes: Attributes, limits: GroupLimits, nowMs: () => number) {
    this.#attributes = attributes;
    this.#rules = groupConfigRules(limits);
    this.#nowMs = nowMs;
  }

  /** The groups that have configs. */
  groupIds(): string[] {
    const names = Array.from(this.#attributes.names(protocol));
    return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  }

  /** The configs that were set, by name. */
  given(groupId: string): ReadonlyMap<string, string> {
    const texts = this.#attributes.get(protocol, attributeOf(groupId)) as ConfigTexts | undefined;
    return new Map(Object.entries(texts ?? {}));
  }

  /**
   * Sets configs; null resets one to its default. Throws a KafkaError before anything is changed. The configs
   * apply at once; the promise resolves when they are durable.
   */
  set(groupId: string, values: Iterable<readonly [name: string, value: string | null]>): Promise<void> {
    const configs = this.check(groupId, values);
    return this.#attributes.set(protocol, attributeOf(groupId), textsOf(configs));
  }

  /**
   * The configs that `set` would store. Throws a KafkaError, mostly of code INVALID_CONFIG, or a BrokerError.
   */
  check(
    groupId: string,
    values: Iterable<readonly [name: string, value: string | null]>,
  ): Map<string, string> {
    if (groupId === '')
      throw new KafkaError(ErrorCode.INVALID_REQUEST, 'Default group resources are not allowed.');
    if (groupId.length > groupNameMax)
      throw new KafkaError(ErrorCode.INVALID_GROUP_ID, `A group's id has 1 to ${groupNameMax} characters.`);
    const configs = new Map(this.given(groupId));
    for (const [name, value] of values) {
      const rule = Object.hasOwn(this.#rules, name) ? this.#rules[name] : undefined;
      if (!rule) throw new KafkaError(ErrorCode.INVALID_CONFIG, `Unknown group config name: ${name}`);
      if (value === null) configs.delete(name);
      else {
        checkValue(name, value, rule);
        configs.set(name, value.trim());
      }
    }
    for (const name of configs.keys()) this.#checkBounds(name, Number(configs.get(name)));
    for (const kind of ['consumer', 'share'] as const) this.#checkTimes(kind, configs);
    const refusal = this.#attributes.refusalOf(protocol, attributeOf(groupId), textsOf(configs));
    if (refusal) throw refusal;
    return configs;
  }

  #checkBounds(name: string, value: number): void {
    const bounds = this.#rules[name]?.bounds;
    if (!bounds || (value >= bounds.min && value <= bounds.max)) return;
    const problem = `${name} must be in the range ${bounds.min} to ${bounds.max} inclusive.`;
    throw new KafkaError(ErrorCode.INVALID_CONFIG, problem);
  }

  #checkTimes(kind: 'consumer' | 'share', configs: ReadonlyMap<string, string>): void {
    const { heartbeatMs, sessionMs } = this.#times(kind, configs);
    if (heartbeatMs < sessionMs) return;
    const problem = `${kind}.heartbeat.interval.ms must be less than ${kind}.session.timeout.ms.`;
    throw new KafkaError(ErrorCode.INVALID_CONFIG, problem);
  }

  /** All configs of a group in the form of DescribeConfigs. */
  shown(groupId: string): ShownConfig[] {
    const given = this.given(groupId);
    return Object.entries(this.#rules).map(([name, { default: preset, type, brokerName }]) => {
      const value = given.get(name);
      const synonyms = brokerSynonyms(brokerName, preset);
      if (value !== undefined) synonyms.unshift({ name, value, source: ConfigSource.group });
      const { source } = synonyms[0]!;
      return { name, value: value ?? preset, type, source, readOnly: false, synonyms };
    });
  }

  of(groupId: string): ShareGroupConfig {
    const given = this.given(groupId);
    const valueOf = (name: string): string => this.#valueOf(name, given);
    const deadLetter = valueOf('errors.deadletterqueue.topic.name');
    return {
      start: this.#start(valueOf('share.auto.offset.reset')),
      lockMs: Number(valueOf('share.record.lock.duration.ms')),
      deliveriesMax: Number(valueOf('share.delivery.count.limit')),
      recordLocksMax: Number(valueOf('share.partition.max.record.locks')),
      deadLetter: deadLetter === '' ? undefined : deadLetter === 'none' ? '' : deadLetter,
      mayRenew: valueOf('share.renew.acknowledge.enable').toLowerCase() === 'true',
    };
  }

  /** The heartbeat and session times of a KIP-848 group or a share group. */
  times(kind: 'consumer' | 'share', groupId: string): MemberTimes {
    return this.#times(kind, this.given(groupId));
  }

  #times(kind: 'consumer' | 'share', given: ReadonlyMap<string, string>): MemberTimes {
    return {
      heartbeatMs: Number(this.#valueOf(`${kind}.heartbeat.interval.ms`, given)),
      sessionMs: Number(this.#valueOf(`${kind}.session.timeout.ms`, given)),
    };
  }

  /** The value of a config. A value outside of the broker's current bounds counts as the nearest bound. */
  #valueOf(name: string, given: ReadonlyMap<string, string>): string {
    const { default: preset, bounds } = this.#rules[name]!;
    const value = given.get(name) ?? preset;
    return bounds ? String(Math.min(Math.max(Number(value), bounds.min), bounds.max)) : value;
  }

  #start(reset: string): GroupStart {
    if (reset === 'earliest') return { kind: 'all' };
    if (reset === 'latest') return { kind: 'new' };
    return { kind: 'time', timestampMs: this.#nowMs() - (durationMs(reset) ?? 0) };
  }
}

/** The sources of the default of a group config: the broker's configuration, then Kafka's default. */
function brokerSynonyms(name: string, value: string): ConfigSynonym[] {
  const rules: { readonly [name: string]: { readonly default: number } } = kafkaSettingRules;
  const preset = String(rules[name]?.default ?? value);
  const fallback: ConfigSynonym = { name, value: preset, source: ConfigSource.default };
  return preset === value ? [fallback] : [{ name, value, source: ConfigSource.staticBroker }, fallback];
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
