import { ErrorCode } from '../../wire/kafka/index.ts';
import { KafkaError } from './errors.ts';

/** Kafka's config types (`ConfigResource`, DescribeConfigs 3+). */
export const ConfigType = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
} as const;
export type ConfigType = (typeof ConfigType)[keyof typeof ConfigType];

/** Where a config's value comes from (`ConfigSource`). */
export const ConfigSource = {
  topic: 1,
  broker: 2,
  defaultBroker: 3,
  staticBroker: 4,
  default: 5,
  group: 8,
} as const;
export type ConfigSource = (typeof ConfigSource)[keyof typeof ConfigSource];

/** A config in the form of DescribeConfigs and CreateTopics. Its first synonym is the one that applies. */
export interface ShownConfig {
  readonly name: string;
  /** Null if the config is not set and has no default. */
  readonly value: string | null;
  readonly type: ConfigType;
  readonly source: ConfigSource;
  readonly readOnly: boolean;
  readonly synonyms: readonly ConfigSynonym[];
}

export interface ConfigSynonym {
  readonly name: string;
  readonly value: string;
  readonly source: ConfigSource;
}

/** The type, default and check of a config. */
export interface ConfigRule {
  readonly type: ConfigType;
  /** The value of a config that is not set. */
  readonly default: string;
  /**
   * The reason why a value is refused, in Kafka's words as they follow the value and the name; undefined if
   * it is valid.
   */
  readonly problem: (text: string) => string | undefined;
}

const longMax = 2n ** 63n - 1n;
const intMax = 2n ** 31n - 1n;

/** A rule for a whole number in a range. */
export function integer(
  type: typeof ConfigType.int | typeof ConfigType.long,
  preset: string,
  min?: number,
  max?: number,
): ConfigRule {
  const typeMax = type === ConfigType.int ? intMax : longMax;
  const problem = (text: string): string | undefined => {
    const number = /^\s*[-+]?\d{1,30}\s*$/.test(text) ? BigInt(text) : undefined;
    if (number === undefined || number > typeMax || number < -typeMax - 1n)
      return `Not a number of type ${type === ConfigType.int ? 'INT' : 'LONG'}`;
    if (min !== undefined && number < BigInt(min)) return `Value must be at least ${min}`;
    if (max !== undefined && number > BigInt(max)) return `Value must be no more than ${max}`;
    return undefined;
  };
  return { type, default: preset, problem };
}

/** A rule for a number from 0 to 1. */
export function ratio(preset: string): ConfigRule {
  const problem = (text: string): string | undefined => {
    const number = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isNaN(number)) return 'Not a number of type DOUBLE';
    if (number < 0) return 'Value must be at least 0';
    return number > 1 ? 'Value must be no more than 1' : undefined;
  };
  return { type: ConfigType.double, default: preset, problem };
}

export function flag(preset: 'true' | 'false'): ConfigRule {
  const problem = (text: string): string | undefined =>
    /^\s*(true|false)\s*$/i.test(text) ? undefined : 'Expected value to be either true or false';
  return { type: ConfigType.boolean, default: preset, problem };
}

export function oneOf(values: readonly string[], preset: string): ConfigRule {
  const problem = (text: string): string | undefined =>
    values.includes(text.trim()) ? undefined : `String must be one of: ${values.join(', ')}`;
  return { type: ConfigType.string, default: preset, problem };
}

/** A rule for a list of these values, possibly empty. */
export function listOf(values: readonly string[], preset: string): ConfigRule {
  const problem = (text: string): string | undefined =>
    partsOf(text).every((part) => values.includes(part))
      ? undefined
      : `String must be one of: ${values.join(', ')}`;
  return { type: ConfigType.list, default: preset, problem };
}

/** The parts of a list, without the blanks around them. */
export function partsOf(text: string): string[] {
  const parts = text.split(',').map((part) => part.trim());
  return parts.length === 1 && parts[0] === '' ? [] : parts;
}

/** Throws a KafkaError INVALID_CONFIG. */
export function checkValue(name: string, text: string, { problem, type }: ConfigRule): void {
  const found = problem(text);
  if (found === undefined) return;
  const shown = (type === ConfigType.list && name.endsWith('replicas') ? `[${text}]` : text).slice(0, 200);
  throw new KafkaError(
    ErrorCode.INVALID_CONFIG,
    `Invalid value ${shown} for configuration ${name}: ${found}`,
  );
}
