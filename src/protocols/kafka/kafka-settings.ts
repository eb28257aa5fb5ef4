import {
  securitySettingRules,
  type SecuritySettingName,
  type SecuritySettings,
} from './security/settings.ts';

/**
 * A Kafka broker config that can be set here: a whole number, a time in milliseconds unless the name says
 * otherwise.
 */
export interface KafkaSettingRule {
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

/** The broker configs that can be set, by Kafka's names. */
export type KafkaSettingName =
  | 'node.id'
  | 'connections.max.reauth.ms'
  | 'group.consumer.heartbeat.interval.ms'
  | 'group.consumer.max.heartbeat.interval.ms'
  | 'group.consumer.max.session.timeout.ms'
  | 'group.consumer.min.heartbeat.interval.ms'
  | 'group.consumer.min.session.timeout.ms'
  | 'group.consumer.session.timeout.ms'
  | 'group.initial.rebalance.delay.ms'
  | 'group.max.session.timeout.ms'
  | 'group.max.size'
  | 'group.min.session.timeout.ms'
  | 'group.share.delivery.count.limit'
  | 'group.share.heartbeat.interval.ms'
  | 'group.share.max.delivery.count.limit'
  | 'group.share.max.heartbeat.interval.ms'
  | 'group.share.max.partition.max.record.locks'
  | 'group.share.max.record.lock.duration.ms'
  | 'group.share.max.session.timeout.ms'
  | 'group.share.min.delivery.count.limit'
  | 'group.share.min.heartbeat.interval.ms'
  | 'group.share.min.partition.max.record.locks'
  | 'group.share.min.record.lock.duration.ms'
  | 'group.share.min.session.timeout.ms'
  | 'group.share.partition.max.record.locks'
  | 'group.share.record.lock.duration.ms'
  | 'group.share.session.timeout.ms'
  | 'offset.metadata.max.bytes'
  | 'offsets.retention.minutes'
  | 'offsets.topic.num.partitions';

export type KafkaSettings = { readonly [K in KafkaSettingName]: number } & SecuritySettings;

const intMax = 2 ** 31 - 1;
const day = 24 * 60 * 60_000;

const times = (preset: number, min = 1): KafkaSettingRule => ({ default: preset, min, max: intMax });
const counts = (preset: number, max = intMax): KafkaSettingRule => ({ default: preset, min: 1, max });

/**
 * The broker configs of the setting `kafka-config`, by Kafka's names. They have Kafka's defaults, with three
 * exceptions: the node id and the initial delay of a classic group are 0, and a group has at most 5,000
 * members.
 */
export const kafkaSettingRules: { readonly [K in KafkaSettingName]: KafkaSettingRule } = {
  'node.id': { default: 0, min: 0, max: intMax },
  'connections.max.reauth.ms': { default: 0, min: 0, max: Number.MAX_SAFE_INTEGER },
  'group.consumer.heartbeat.interval.ms': times(5000),
  'group.consumer.max.heartbeat.interval.ms': times(15_000),
  'group.consumer.max.session.timeout.ms': times(60_000),
  'group.consumer.min.heartbeat.interval.ms': times(5000),
  'group.consumer.min.session.timeout.ms': times(45_000),
  'group.consumer.session.timeout.ms': times(45_000),
  'group.initial.rebalance.delay.ms': times(0, 0),
  'group.max.session.timeout.ms': times(1_800_000),
  'group.max.size': counts(5000),
  'group.min.session.timeout.ms': times(6000),
  'group.share.delivery.count.limit': counts(5),
  'group.share.heartbeat.interval.ms': times(5000),
  'group.share.max.delivery.count.limit': counts(10),
  'group.share.max.heartbeat.interval.ms': times(15_000),
  'group.share.max.partition.max.record.locks': counts(4000, 100_000),
  'group.share.max.record.lock.duration.ms': times(60_000),
  'group.share.max.session.timeout.ms': times(60_000),
  'group.share.min.delivery.count.limit': counts(2),
  'group.share.min.heartbeat.interval.ms': times(5000),
  'group.share.min.partition.max.record.locks': counts(100, 100_000),
  'group.share.min.record.lock.duration.ms': times(15_000),
  'group.share.min.session.timeout.ms': times(45_000),
  'group.share.partition.max.record.locks': counts(2000, 100_000),
  'group.share.record.lock.duration.ms': times(30_000),
  'group.share.session.timeout.ms': times(45_000),
  'offset.metadata.max.bytes': { default: 4096, min: 0, max: 1024 * 1024 },
  'offsets.retention.minutes': { default: (7 * day) / 60_000, min: 1, max: intMax },
  'offsets.topic.num.partitions': counts(50, 10_000),
};

/** A default, and the minimum and maximum that groups may choose. */
const bounded: readonly (readonly [name: KafkaSettingName, min: KafkaSettingName, max: KafkaSettingName])[] =
  [
    [
      'group.consumer.heartbeat.interval.ms',
      'group.consumer.min.heartbeat.interval.ms',
      'group.consumer.max.heartbeat.interval.ms',
    ],
    [
      'group.consumer.session.timeout.ms',
      'group.consumer.min.session.timeout.ms',
      'group.consumer.max.session.timeout.ms',
    ],
    [
      'group.share.heartbeat.interval.ms',
      'group.share.min.heartbeat.interval.ms',
      'group.share.max.heartbeat.interval.ms',
    ],
    [
      'group.share.session.timeout.ms',
      'group.share.min.session.timeout.ms',
      'group.share.max.session.timeout.ms',
    ],
    [
      'group.share.record.lock.duration.ms',
      'group.share.min.record.lock.duration.ms',
      'group.share.max.record.lock.duration.ms',
    ],
    [
      'group.share.delivery.count.limit',
      'group.share.min.delivery.count.limit',
      'group.share.max.delivery.count.limit',
    ],
    [
      'group.share.partition.max.record.locks',
      'group.share.min.partition.max.record.locks',
      'group.share.max.partition.max.record.locks',
    ],
  ];

/** The defaults, each overridable. */
export function kafkaSettings(partial: Partial<KafkaSettings> = {}): KafkaSettings {
  const settings: { [name: string]: number | string } = {};
  for (const name of Object.keys(kafkaSettingRules) as KafkaSettingName[])
    settings[name] = partial[name] ?? kafkaSettingRules[name].default;
  for (const name of Object.keys(securitySettingRules) as SecuritySettingName[])
    settings[name] = partial[name] ?? securitySettingRules[name].default;
  return settings as unknown as KafkaSettings;
}

/**
 * Parses `NAME=VALUE,…`; a comma within a value is written `\\,`. Throws an Error that names the invalid pair
 * and the reason.
 */
export function parseKafkaSettings(text: string): KafkaSettings {
  const partial: { [name: string]: number | string } = {};
  for (const part of text.split(/(?<!\\),/)) {
    const pair = part.trim().replaceAll('\\,', ',');
    if (pair === '') continue;
    const [, name = '', digits = ''] = /^([^=\s]+)\s*=\s*(.*)$/s.exec(pair) ?? [];
    if (isSecuritySettingName(name)) {
      const problem = securitySettingRules[name].problemOf(digits);
      if (problem !== undefined) throw new Error(`"${pair}" does not fit: ${problem}`);
      partial[name] = digits;
      continue;
    }
    if (!isSettingName(name))
      throw new Error(`"${pair}" names no config that can be set; docs/configuration.md lists them`);
    const { min, max } = kafkaSettingRules[name];
    const value = /^\d{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
    if (!(value >= min && value <= max))
      throw new Error(`"${pair}" is not a whole number from ${min} to ${max}`);
    partial[name] = value;
  }
  const settings = kafkaSettings(partial);
  checkBounds(settings);
  return settings;
}

function isSettingName(name: string): name is KafkaSettingName {
  return Object.hasOwn(kafkaSettingRules, name);
}

function isSecuritySettingName(name: string): name is SecuritySettingName {
  return Object.hasOwn(securitySettingRules, name);
}

function checkBounds(settings: KafkaSettings): void {
  for (const [name, min, max] of bounded)
    if (settings[name] < settings[min] || settings[name] > settings[max])
      throw new Error(
        `${name}=${settings[name]} is not between ${min}=${settings[min]} and ${max}=${settings[max]}`,
      );
  if (settings['group.min.session.timeout.ms'] > settings['group.max.session.timeout.ms'])
    throw new Error('group.min.session.timeout.ms is above group.max.session.timeout.ms');
  for (const kind of ['consumer', 'share'] as const)
    if (settings[`group.${kind}.heartbeat.interval.ms`] >= settings[`group.${kind}.session.timeout.ms`])
      throw new Error(`group.${kind}.heartbeat.interval.ms must be below group.${kind}.session.timeout.ms`);
}
