import type { Topic, TopicConfig } from '../../broker/index.ts';
import { ErrorCode } from '../../wire/kafka/index.ts';
import { KafkaError } from './errors.ts';

/** Kafka's config types (`ConfigResource`, DescribeConfigs 3+). */
export const ConfigType = { boolean: 1, string: 2, int: 3, long: 5, double: 6, list: 7 } as const;
export type ConfigType = (typeof ConfigType)[keyof typeof ConfigType];

/** Settings as Kafka clients write them: name to text. */
export type ConfigTexts = { readonly [name: string]: string };

/** What a topic's configuration is made of for Kafka clients. */
interface Setting {
  readonly type: ConfigType;
  /** What applies when nobody has said anything. */
  readonly default: string;
  readonly accepts: (text: string) => boolean;
}

const unlimited = '-1';
/** What the log takes at most. */
const batchBytesMax = String(64 * 1024 * 1024);
const integer = /^-?\d{1,19}$/;

function number(type: ConfigType, preset: string, min = 0): Setting {
  return { type, default: preset, accepts: (text) => integer.test(text) && Number(text) >= min };
}

function oneOf(type: ConfigType, values: readonly string[]): Setting {
  return { type, default: values[0]!, accepts: (text) => values.includes(text) };
}

const anyText: Setting['accepts'] = () => true;

/** What works here as in Kafka: each is a field of the topic's configuration. */
const working: { readonly [name: string]: Setting } = {
  'cleanup.policy': {
    type: ConfigType.list,
    default: 'delete',
    accepts: (text) => policyOf(text) !== undefined,
  },
  'retention.ms': number(ConfigType.long, unlimited, -1),
  'retention.bytes': number(ConfigType.long, unlimited, -1),
  'max.message.bytes': number(ConfigType.int, batchBytesMax),
};

/**
 * What Kafka knows and has nothing to do here, or is always as the default says. It is kept and shown, so that tools that write a
 * configuration find it again.
 */
const kept: { readonly [name: string]: Setting } = {
  'compression.type': {
    type: ConfigType.string,
    default: 'producer',
    accepts: (text) => ['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'].includes(text),
  },
  'compression.gzip.level': number(ConfigType.int, '-1', -1),
  'compression.lz4.level': number(ConfigType.int, '9', 1),
  'compression.zstd.level': number(ConfigType.int, '3', -131_072),
  'delete.retention.ms': number(ConfigType.long, '86400000'),
  'file.delete.delay.ms': number(ConfigType.long, '60000'),
  'flush.messages': number(ConfigType.long, '1', 1),
  'flush.ms': number(ConfigType.long, '0'),
  'index.interval.bytes': number(ConfigType.int, '4096'),
  'max.compaction.lag.ms': number(ConfigType.long, '9223372036854775807', 1),
  'message.timestamp.after.max.ms': number(ConfigType.long, '9223372036854775807'),
  'message.timestamp.before.max.ms': number(ConfigType.long, '9223372036854775807'),
  'message.timestamp.type': oneOf(ConfigType.string, ['CreateTime']),
  'min.cleanable.dirty.ratio': { type: ConfigType.double, default: '0.5', accepts: anyText },
  'min.compaction.lag.ms': number(ConfigType.long, '0'),
  'min.insync.replicas': number(ConfigType.int, '1', 1),
  preallocate: oneOf(ConfigType.boolean, ['false', 'true']),
  'remote.storage.enable': oneOf(ConfigType.boolean, ['false']),
  'segment.bytes': number(ConfigType.int, String(64 * 1024 * 1024), 1),
  'segment.index.bytes': number(ConfigType.int, '10485760', 4),
  'segment.jitter.ms': number(ConfigType.long, '0'),
  'segment.ms': number(ConfigType.long, '604800000', 1),
  'unclean.leader.election.enable': oneOf(ConfigType.boolean, ['false', 'true']),
  'message.format.version': { type: ConfigType.string, default: '3.0-IV1', accepts: anyText },
  'message.downconversion.enable': oneOf(ConfigType.boolean, ['false', 'true']),
  'local.retention.bytes': number(ConfigType.long, '-2', -2),
  'local.retention.ms': number(ConfigType.long, '-2', -2),
  'leader.replication.throttled.replicas': { type: ConfigType.list, default: '', accepts: anyText },
  'follower.replication.throttled.replicas': { type: ConfigType.list, default: '', accepts: anyText },
};

const settings: { readonly [name: string]: Setting } = { ...working, ...kept };

/** Settings that are lists: values can be added and taken away. */
export function isListConfig(name: string): boolean {
  return Object.hasOwn(settings, name) && settings[name]!.type === ConfigType.list;
}

/** One setting of a topic as Kafka clients see it. */
export interface ShownConfig {
  readonly name: string;
  readonly value: string;
  readonly default: string;
  readonly type: ConfigType;
}

/** The topic's member of `attributes`: what was said in Kafka's words and has no field of its own. */
interface KafkaAttributes {
  readonly configs?: ConfigTexts;
}

/** What a topic was told by Kafka clients, and what the broker's own words for it are in Kafka's. */
export function configTextsOf({ config }: Topic): ConfigTexts {
  const texts: { [name: string]: string } = { ...attributesOf(config).configs };
  const { compaction, ageMsMax, bytesMax, messageBytesMax } = config;
  if (!compaction && policyOf(texts['cleanup.policy'] ?? 'delete') !== 'delete')
    delete texts['cleanup.policy'];
  if (compaction)
    texts['cleanup.policy'] ??=
      ageMsMax === undefined && bytesMax === undefined ? 'compact' : 'compact,delete';
  // What applies is what the fields say; a text alone is a limit that waits for another cleanup policy.
  if (policyOf(texts['cleanup.policy'] ?? 'delete') !== 'compact') {
    setOrDelete(texts, 'retention.ms', ageMsMax);
    setOrDelete(texts, 'retention.bytes', bytesMax);
  }
  setOrDelete(texts, 'max.message.bytes', messageBytesMax);
  return texts;
}

function setOrDelete(texts: { [name: string]: string }, name: string, value: number | undefined): void {
  if (value === undefined) delete texts[name];
  else texts[name] = String(value);
}

/** All settings of a topic, those nobody has spoken of included. */
export function shownConfigs(topic: Topic): ShownConfig[] {
  const texts = configTextsOf(topic);
  return Object.entries(settings).map(([name, { type, default: preset }]) => ({
    name,
    value: texts[name] ?? preset,
    default: preset,
    type,
  }));
}

/** The settings of no topic in particular: what a new one gets. */
export function defaultConfigs(): ShownConfig[] {
  return Object.entries(settings).map(([name, { type, default: preset }]) => ({
    name,
    value: preset,
    default: preset,
    type,
  }));
}

/** What a topic's configuration becomes when these, and nothing else, are its settings in Kafka's words. Throws a KafkaError INVALID_CONFIG. */
export function fieldsOf(texts: ConfigTexts, current?: TopicConfig): Partial<TopicConfig> {
  for (const [name, text] of Object.entries(texts)) check(name, text);
  const policy = policyOf(texts['cleanup.policy'] ?? 'delete')!;
  const trims = policy !== 'compact';
  return {
    compaction: policy !== 'delete',
    ...limit('ageMsMax', trims ? texts['retention.ms'] : undefined),
    ...limit('bytesMax', trims ? texts['retention.bytes'] : undefined),
    ...limit('messageBytesMax', texts['max.message.bytes']),
    attributes: { ...current?.attributes, kafka: { configs: { ...texts } } satisfies KafkaAttributes },
  };
}

/** The same configuration with other settings in Kafka's words. */
export function withConfigs(current: TopicConfig, texts: ConfigTexts): TopicConfig {
  const { ageMsMax: _age, bytesMax: _bytes, messageBytesMax: _message, ...rest } = current;
  return { ...rest, ...fieldsOf(texts, current) };
}

function check(name: string, text: string): void {
  if (!Object.hasOwn(settings, name))
    throw new KafkaError(ErrorCode.INVALID_CONFIG, `Unknown topic config name: ${name}`);
  if (!settings[name]!.accepts(text))
    throw new KafkaError(ErrorCode.INVALID_CONFIG, `Invalid value ${text} for configuration ${name}`);
}

function limit(
  field: 'ageMsMax' | 'bytesMax' | 'messageBytesMax',
  text: string | undefined,
): Partial<TopicConfig> {
  const value = Number(text ?? unlimited);
  return value < 0 ? {} : { [field]: Math.max(1, Math.min(value, Number.MAX_SAFE_INTEGER)) };
}

function policyOf(text: string): 'delete' | 'compact' | 'both' | undefined {
  const parts = new Set(
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  );
  for (const part of parts) if (part !== 'delete' && part !== 'compact') return undefined;
  if (parts.size === 2) return 'both';
  return parts.has('compact') ? 'compact' : parts.has('delete') ? 'delete' : undefined;
}

function attributesOf({ attributes }: TopicConfig): KafkaAttributes {
  const own = attributes['kafka'];
  return typeof own === 'object' && own !== null ? own : {};
}
