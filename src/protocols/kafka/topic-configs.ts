import type { Topic, TopicConfig } from '../../broker/index.ts';
import { ErrorCode } from '../../wire/kafka/index.ts';
import {
  ConfigSource,
  ConfigType,
  checkValue,
  flag,
  integer,
  listOf,
  oneOf,
  partsOf,
  ratio,
  type ConfigRule,
  type ConfigSynonym,
  type ShownConfig,
} from './config-values.ts';
import { KafkaError } from './errors.ts';

/** Configs as Kafka clients write them: name to text. */
export type ConfigTexts = { readonly [name: string]: string };

/**
 * A config of topics. `brokerName`: the name of its default among the broker configs, if it has one there.
 */
interface TopicRule extends ConfigRule {
  readonly brokerName?: string;
}

const { int, long } = ConfigType;
const unlimited = '-1';
/** Largest batch that the log accepts. */
const batchBytesMax = String(64 * 1024 * 1024);
const longMax = '9223372036854775807';

const under = (brokerName: string, rule: ConfigRule): TopicRule => ({ ...rule, brokerName });

const throttled: ConfigRule = {
  type: ConfigType.list,
  default: '',
  problem: (text) =>
    text === '' || text.trim() === '*' || partsOf(text).every((part) => /^\d+:\d+$/.test(part))
      ? undefined
      : "must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
};

const gzipLevel: ConfigRule = {
  ...integer(int, '-1'),
  problem: (text) =>
    /^\s*(-1|[1-9])\s*$/.test(text) ? undefined : 'Value must be between 1 and 9 or equal to -1',
};

/** The configs that work as in Kafka: each is a field of the topic's configuration. */
const working: { readonly [name: string]: TopicRule } = {
  'cleanup.policy': under('log.cleanup.policy', listOf(['compact', 'delete'], 'delete')),
  'retention.ms': under('log.retention.ms', integer(long, unlimited, -1)),
  'retention.bytes': under('log.retention.bytes', integer(long, unlimited)),
  'max.message.bytes': under('message.max.bytes', integer(int, batchBytesMax, 0)),
  'message.timestamp.type': under(
    'log.message.timestamp.type',
    oneOf(['CreateTime', 'LogAppendTime'], 'CreateTime'),
  ),
};

/**
 * The configs that Kafka knows, but that have no effect here, or always behave as their default. They are
 * stored and shown, so that tools find the values they wrote. A default that differs from Kafka's states the
 * behavior here.
 */
const kept: { readonly [name: string]: TopicRule } = {
  'compression.type': under(
    'compression.type',
    oneOf(['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'], 'producer'),
  ),
  'compression.gzip.level': under('compression.gzip.level', gzipLevel),
  'compression.lz4.level': under('compression.lz4.level', integer(int, '9', 1, 17)),
  'compression.zstd.level': under('compression.zstd.level', integer(int, '3', -131_072, 22)),
  'delete.retention.ms': under('log.cleaner.delete.retention.ms', integer(long, '86400000', 0)),
  'errors.deadletterqueue.group.enable': flag('false'),
  'file.delete.delay.ms': under('log.segment.delete.delay.ms', integer(long, '60000', 0)),
  'flush.messages': under('log.flush.interval.messages', integer(long, '1', 1)),
  'flush.ms': integer(long, '0', 0),
  'follower.replication.throttled.replicas': throttled,
  'index.interval.bytes': under('log.index.interval.bytes', integer(int, '4096', 0)),
  'leader.replication.throttled.replicas': throttled,
  'local.retention.bytes': under('log.local.retention.bytes', integer(long, '-2', -2)),
  'local.retention.ms': under('log.local.retention.ms', integer(long, '-2', -2)),
  'max.compaction.lag.ms': under('log.cleaner.max.compaction.lag.ms', integer(long, longMax, 1)),
  'max.decompressed.message.bytes': under('max.decompressed.message.bytes', integer(int, '2147483639', 0)),
  'message.timestamp.after.max.ms': under('log.message.timestamp.after.max.ms', integer(long, longMax, 0)),
  'message.timestamp.before.max.ms': under('log.message.timestamp.before.max.ms', integer(long, longMax, 0)),
  'min.cleanable.dirty.ratio': under('log.cleaner.min.cleanable.ratio', ratio('0.5')),
  'min.compaction.lag.ms': under('log.cleaner.min.compaction.lag.ms', integer(long, '0', 0)),
  'min.insync.replicas': under('min.insync.replicas', integer(int, '1', 1)),
  preallocate: under('log.preallocate', flag('false')),
  'remote.copy.lag.bytes': under('log.remote.copy.lag.bytes', integer(long, '-1', -1)),
  'remote.copy.lag.ms': under('log.remote.copy.lag.ms', integer(long, '0', -1)),
  'remote.log.copy.disable': flag('false'),
  'remote.log.delete.on.disable': flag('false'),
  'remote.storage.enable': flag('false'),
  'segment.bytes': under('log.segment.bytes', integer(int, String(64 * 1024 * 1024), 1024 * 1024)),
  'segment.index.bytes': under('log.index.size.max.bytes', integer(int, '10485760', 4)),
  'segment.jitter.ms': integer(long, '0', 0),
  'segment.ms': integer(long, '604800000', 1),
  'unclean.leader.election.enable': under('unclean.leader.election.enable', flag('false')),
};

/** Configs of Kafka 3 that Kafka 4 refuses, but that older tools write. Shown only if they were set. */
const former: { readonly [name: string]: TopicRule } = {
  'message.format.version': { type: ConfigType.string, default: '3.0-IV1', problem: () => undefined },
  'message.downconversion.enable': flag('false'),
};

const shown: { readonly [name: string]: TopicRule } = { ...working, ...kept };
const rules: { readonly [name: string]: TopicRule } = { ...shown, ...former };

/** The defaults of topics as configs of the broker. */
export function topicDefaults(): ShownConfig[] {
  return Object.values(shown).flatMap(({ brokerName: name, type, default: value }) => {
    if (name === undefined) return [];
    const source = ConfigSource.default;
    return [{ name, value, type, source, readOnly: true, synonyms: [{ name, value, source }] }];
  });
}

/** Undefined if topics have no such config. */
export function topicConfigType(name: string): ConfigType | undefined {
  return Object.hasOwn(rules, name) ? rules[name]!.type : undefined;
}

/** The Kafka part of a topic's `attributes`: the configs that Kafka clients have set. */
interface KafkaAttributes {
  readonly configs?: ConfigTexts;
}

/**
 * The configs of a topic that Kafka clients have set, together with the topic's own fields in Kafka's terms.
 * A stored text is valid as long as it agrees with the field that was made from it.
 */
export function configTextsOf({ config }: Pick<Topic, 'config'>): ConfigTexts {
  const texts: { [name: string]: string } = { ...attributesOf(config).configs };
  const { compaction, ageMsMax, bytesMax, messageBytesMax, timestamps } = config;
  if (isCompacted(texts) !== compaction) delete texts['cleanup.policy'];
  if (compaction)
    texts['cleanup.policy'] ??=
      ageMsMax === undefined && bytesMax === undefined ? 'compact' : 'compact,delete';
  // Without the policy `delete`, a stored limit has no effect until the policy changes.
  if (isTrimmed(texts)) {
    correct(texts, 'retention.ms', ageMsMax);
    correct(texts, 'retention.bytes', bytesMax);
  }
  correct(texts, 'max.message.bytes', messageBytesMax);
  if ((texts['message.timestamp.type'] === 'LogAppendTime') !== (timestamps === 'append')) {
    if (timestamps === 'append') texts['message.timestamp.type'] = 'LogAppendTime';
    else delete texts['message.timestamp.type'];
  }
  return texts;
}

function correct(texts: { [name: string]: string }, name: string, value: number | undefined): void {
  if (limitOf(texts[name]) === value) return;
  if (value === undefined) delete texts[name];
  else texts[name] = String(value);
}

/** All configs of a topic, including those that were not set. */
export function shownConfigs(topic: Pick<Topic, 'config'>): ShownConfig[] {
  const texts = configTextsOf(topic);
  const names = [...Object.keys(shown), ...Object.keys(former).filter((name) => texts[name] !== undefined)];
  return names.map((name) => shownConfig(name, texts[name]));
}

function shownConfig(name: string, text: string | undefined): ShownConfig {
  const { type, default: preset, brokerName } = rules[name]!;
  const synonyms: ConfigSynonym[] = [];
  if (text !== undefined) synonyms.push({ name, value: text, source: ConfigSource.topic });
  if (brokerName !== undefined)
    synonyms.push({ name: brokerName, value: preset, source: ConfigSource.default });
  const source = text === undefined ? ConfigSource.default : ConfigSource.topic;
  return { name, value: text ?? preset, type, source, readOnly: false, synonyms };
}

/** The topic's configuration if exactly these configs are set. Throws a KafkaError INVALID_CONFIG. */
export function fieldsOf(given: ConfigTexts, current?: TopicConfig): Partial<TopicConfig> {
  const texts = Object.fromEntries(Object.entries(given).map(([name, text]) => [name, text.trim()]));
  for (const [name, text] of Object.entries(texts)) check(name, text);
  checkTogether(texts);
  const compaction = isCompacted(texts);
  const trims = isTrimmed(texts);
  const timestamps = texts['message.timestamp.type'] === 'LogAppendTime' ? 'append' : undefined;
  return {
    compaction,
    // Kafka's retention.ms counts from the timestamps of messages.
    ...(current === undefined ? { ageFrom: 'timestamp' as const } : {}),
    // State by key is never turned off, because turning it on again would require a new scan of the topic.
    ...(compaction || current?.keyState ? { keyState: true } : {}),
    ...limit('ageMsMax', trims ? texts['retention.ms'] : undefined),
    ...limit('bytesMax', trims ? texts['retention.bytes'] : undefined),
    ...limit('messageBytesMax', texts['max.message.bytes']),
    ...(timestamps === undefined ? {} : { timestamps }),
    attributes: { ...current?.attributes, kafka: { configs: texts } satisfies KafkaAttributes },
  };
}

/** The same configuration with other Kafka configs. */
export function withConfigs(current: TopicConfig, texts: ConfigTexts): TopicConfig {
  const { ageMsMax: _age, bytesMax: _bytes, messageBytesMax: _message, timestamps: _time, ...rest } = current;
  return { ...rest, ...fieldsOf(texts, current) };
}

function check(name: string, text: string): void {
  if (!Object.hasOwn(rules, name))
    throw new KafkaError(ErrorCode.INVALID_CONFIG, `Unknown topic config name: ${name}`);
  checkValue(name, text, rules[name]!);
}

function checkTogether(texts: ConfigTexts): void {
  const invalid = (problem: string): never => {
    throw new KafkaError(ErrorCode.INVALID_CONFIG, problem);
  };
  if (isTrue(texts['remote.storage.enable']))
    invalid(
      'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.',
    );
  const least = BigInt(texts['min.compaction.lag.ms'] ?? 0);
  const most = BigInt(texts['max.compaction.lag.ms'] ?? longMax);
  if (least > most)
    invalid(
      `conflict topic config setting min.compaction.lag.ms (${least}) > max.compaction.lag.ms (${most})`,
    );
}

const isTrue = (text: string | undefined): boolean => text?.trim().toLowerCase() === 'true';

function limit(
  field: 'ageMsMax' | 'bytesMax' | 'messageBytesMax',
  text: string | undefined,
): Partial<TopicConfig> {
  const value = limitOf(text);
  return value === undefined ? {} : { [field]: value };
}

/**
 * Undefined for no limit. The broker's limits start at 1: a limit of 0 becomes 1, so that the last message
 * stays.
 */
function limitOf(text: string | undefined): number | undefined {
  const value = Number(text ?? unlimited);
  return value < 0 ? undefined : Math.max(1, Math.min(value, Number.MAX_SAFE_INTEGER));
}

function policyOf(texts: ConfigTexts): readonly string[] {
  return partsOf(texts['cleanup.policy'] ?? 'delete');
}

function isCompacted(texts: ConfigTexts): boolean {
  return policyOf(texts).includes('compact');
}

/** Whether limits of age and size apply. Without any policy messages are kept without limit (KIP-1161). */
function isTrimmed(texts: ConfigTexts): boolean {
  return policyOf(texts).includes('delete');
}

function attributesOf({ attributes }: TopicConfig): KafkaAttributes {
  const own = attributes['kafka'];
  return typeof own === 'object' && own !== null ? own : {};
}
