import {
  budgetLimits,
  budgetNames,
  budgetTable,
  type BudgetLimits,
  type BudgetName,
} from '../broker/index.ts';
import { memoryForObjectsBytes } from '../util/index.ts';

/**
 * A setting is one knob of the server. It has one name in three places: the flag `--nats-port`, the environment variable
 * `PILLARBOX_NATS_PORT` and the key `nats-port` of the configuration file.
 */
export interface Setting<T> {
  readonly name: string;
  /** How the value is written in `--help`; absent for a switch. */
  readonly placeholder?: string;
  /** Undefined means: not set. */
  readonly default: T;
  readonly help: string;
  /** What a value must be, as it reads after "must be". */
  readonly expected: string;
  /** Shown as `***` wherever settings are shown. */
  readonly secret?: boolean;
  /** From a flag or a variable (always text) or a file (text, number or boolean); undefined when it does not fit. */
  readonly parse: (value: unknown) => NonNullable<T> | undefined;
  /** Whether code may give the value as it is; absent: when parsing leaves it as it is. */
  readonly accepts?: (value: unknown) => boolean;
}

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Limits of what there may be at once, as the broker's table of budgets has them: `topicsMax`, …; undefined: sized to the memory there is. */
export type BudgetSettings = { readonly [K in BudgetName as `${K}Max`]: number | undefined };

/** All that `serve` can be told. */
export interface Settings extends BudgetSettings {
  readonly data: string;
  readonly host: string;
  readonly natsPort: number;
  readonly natsUser: string | undefined;
  readonly natsPassword: string | undefined;
  readonly natsToken: string | undefined;
  readonly maxPayloadBytes: number;
  readonly kafkaPort: number | 'off';
  readonly kafkaAdvertise: string | undefined;
  readonly kafkaUser: string | undefined;
  readonly kafkaPassword: string | undefined;
  readonly kafkaTlsCert: string | undefined;
  readonly kafkaTlsKey: string | undefined;
  readonly kafkaAutoCreate: boolean;
  readonly kafkaPartitions: number;
  readonly kafkaConfig: string | undefined;
  readonly kafkaRecreateDelayMs: number;
  readonly kafkaProduceBytesMax: number;
  readonly kafkaCommandBytesMax: number;
  readonly kafkaElementsMax: number;
  readonly connectionsMax: number | undefined;
  readonly loginDelayMsMax: number;
  readonly diskFreeBytesMin: number | undefined;
  readonly journalBytesMax: number | undefined;
  readonly memoryBytesMax: number | undefined;
  readonly heapBytesMax: number | undefined;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly adminToken: string | undefined;
  readonly portsFile: string | undefined;
  readonly insecure: boolean;
  readonly logLevel: LogLevel;
  readonly stopGraceMs: number;
}

type Rest<T> = Pick<Setting<T>, 'name' | 'default' | 'help'> &
  Partial<Pick<Setting<T>, 'placeholder' | 'secret'>>;

function text<T extends string | undefined>(rest: Rest<T>): Setting<T> {
  return {
    placeholder: 'TEXT',
    expected: 'a text that is not empty',
    parse: (value) => (typeof value === 'string' && value !== '' ? (value as NonNullable<T>) : undefined),
    ...rest,
  };
}

function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

function port(rest: Rest<number>): Setting<number> {
  return {
    placeholder: 'PORT',
    expected: 'a port number from 0 (any free one) to 65535',
    parse: (value) => {
      const number = wholeNumber(value);
      return number !== undefined && number <= 65_535 ? number : undefined;
    },
    ...rest,
  };
}

/** A protocol that can be left out. */
function portOrOff(rest: Rest<number | 'off'>): Setting<number | 'off'> {
  const { parse } = port({ ...rest, default: 0 });
  return {
    placeholder: 'PORT',
    expected: 'a port number from 0 (any free one) to 65535, or off',
    parse: (value) => (value === 'off' || value === false ? 'off' : parse(value)),
    ...rest,
  };
}

/** `broker.example.com:9092`, `[::1]:9092`. */
function endpoint(rest: Rest<string | undefined>): Setting<string | undefined> {
  return {
    placeholder: 'HOST:PORT',
    expected: 'a host and a port, such as broker.example.com:9092',
    parse: (value) => {
      const [, , digits] = /^(\[[0-9a-f:.]+\]|[^\s:[\]]+):(\d{1,5})$/i.exec(String(value)) ?? [];
      const number = Number(digits ?? Number.NaN);
      return number >= 1 && number <= 65_535 ? String(value) : undefined;
    },
    ...rest,
  };
}

function count<T extends number | undefined>(max: number, rest: Rest<T>): Setting<T> {
  return {
    placeholder: 'NUMBER',
    expected: `a whole number from 1 to ${max}`,
    parse: (value) => {
      const number = wholeNumber(value);
      return number !== undefined && number >= 1 && number <= max ? (number as NonNullable<T>) : undefined;
    },
    ...rest,
  };
}

const sizeUnits: { readonly [unit: string]: number } = {
  '': 1,
  b: 1,
  kb: 1e3,
  kib: 2 ** 10,
  mb: 1e6,
  mib: 2 ** 20,
  gb: 1e9,
  gib: 2 ** 30,
};

/** `1048576`, `"512 KiB"`, `"1MiB"`, `"8MB"`. */
function size<T extends number | undefined>(bytesMin: number, bytesMax: number, rest: Rest<T>): Setting<T> {
  return {
    placeholder: 'BYTES',
    expected: `a size from ${bytesMin} bytes to ${bytesMax / 2 ** 20} MiB, such as 65536, 512KiB or 8MiB`,
    parse: (value) => {
      const [, digits, unit] = /^(\d{1,12})\s*([a-z]*)$/i.exec(String(value)) ?? [];
      const factor = sizeUnits[(unit ?? '').toLowerCase()];
      const bytes = factor === undefined ? Number.NaN : Number(digits) * factor;
      return bytes >= bytesMin && bytes <= bytesMax ? (bytes as NonNullable<T>) : undefined;
    },
    ...rest,
  };
}

const durationUnits: { readonly [unit: string]: number } = { ms: 1, s: 1e3, m: 6e4 };

/** `10s`, `500ms`, `1m`. */
function duration(msMax: number, rest: Rest<number>): Setting<number> {
  return {
    placeholder: 'TIME',
    expected: `a time of at most ${msMax / 1e3} s, such as 500ms, 10s or 1m`,
    accepts: (ms) => typeof ms === 'number' && ms >= 0 && ms <= msMax,
    parse: (value) => {
      const [, digits, unit] = /^(\d{1,9})\s*(ms|s|m)$/.exec(String(value)) ?? [];
      const ms = Number(digits) * (durationUnits[unit ?? ''] ?? Number.NaN);
      return ms <= msMax ? ms : undefined;
    },
    ...rest,
  };
}

function toggle(rest: Rest<boolean>): Setting<boolean> {
  return {
    expected: 'true or false',
    parse: (value) =>
      value === true || value === 'true' || value === '1'
        ? true
        : value === false || value === 'false' || value === '0'
          ? false
          : undefined,
    ...rest,
  };
}

/** A switch that is on by default, so that it needs a value. */
function choiceOfBoolean(rest: Rest<boolean>): Setting<boolean> {
  return { ...toggle(rest), placeholder: 'true|false' };
}

function choice<T extends string>(choices: readonly T[], rest: Rest<T>): Setting<T> {
  return {
    placeholder: 'NAME',
    expected: `one of ${choices.join(', ')}`,
    parse: (value) => choices.find((choice) => choice === value),
    ...rest,
  };
}

/** The one table of settings: flags, variables, file keys, `--help` and docs/configuration.md follow it. */
export const settingTable: { readonly [K in keyof Settings]: Setting<Settings[K]> } = {
  data: text({ name: 'data', placeholder: 'DIR', default: './data', help: 'where messages are kept' }),
  host: text({
    name: 'host',
    placeholder: 'HOST',
    default: '127.0.0.1',
    help: 'address the protocols listen on',
  }),
  natsPort: port({ name: 'nats-port', default: 4222, help: 'port for NATS clients' }),
  natsUser: text<string | undefined>({
    name: 'nats-user',
    default: undefined,
    help: 'user name NATS clients must give',
  }),
  natsPassword: text<string | undefined>({
    name: 'nats-password',
    default: undefined,
    secret: true,
    help: 'password NATS clients must give (better set by environment: a flag shows in ps)',
  }),
  natsToken: text<string | undefined>({
    name: 'nats-token',
    default: undefined,
    secret: true,
    help: 'token NATS clients must give, instead of user and password',
  }),
  maxPayloadBytes: size(1, 64 * 2 ** 20, {
    name: 'max-payload',
    default: 2 ** 20,
    help: 'largest message accepted from NATS clients',
  }),
  kafkaPort: portOrOff({ name: 'kafka-port', default: 9092, help: 'port for Kafka clients, or off' }),
  kafkaAdvertise: endpoint({
    name: 'kafka-advertise',
    default: undefined,
    help: 'address Kafka clients are told to connect to (default: the one each came by)',
  }),
  kafkaUser: text<string | undefined>({
    name: 'kafka-user',
    default: undefined,
    help: 'user name Kafka clients must give, by SASL PLAIN or SCRAM (default: the one for NATS)',
  }),
  kafkaPassword: text<string | undefined>({
    name: 'kafka-password',
    default: undefined,
    secret: true,
    help: 'password Kafka clients must give (better set by environment: a flag shows in ps)',
  }),
  kafkaTlsCert: text<string | undefined>({
    name: 'kafka-tls-cert',
    placeholder: 'FILE',
    default: undefined,
    help: 'certificate (PEM): Kafka clients must use TLS',
  }),
  kafkaTlsKey: text<string | undefined>({
    name: 'kafka-tls-key',
    placeholder: 'FILE',
    default: undefined,
    help: 'private key (PEM) of that certificate',
  }),
  kafkaAutoCreate: choiceOfBoolean({
    name: 'kafka-auto-create',
    default: true,
    help: 'whether a topic comes into being when a Kafka client asks for it',
  }),
  kafkaConfig: text<string | undefined>({
    name: 'kafka-config',
    placeholder: 'NAME=VALUE,…',
    default: undefined,
    help: 'broker configs by Kafka’s names, such as node.id and the bounds of groups (docs/configuration.md)',
  }),
  kafkaRecreateDelayMs: duration(3_600_000, {
    name: 'kafka-recreate-delay',
    default: 5000,
    help: 'for how long a deleted topic is not made again by a Kafka client that asks for it',
  }),
  kafkaPartitions: count(10_000, {
    name: 'kafka-partitions',
    default: 1,
    help: 'partitions of topics that Kafka clients create without saying how many',
  }),
  kafkaProduceBytesMax: size(64 * 2 ** 10, 2 ** 30, {
    name: 'kafka-produce-max',
    default: 100 * 2 ** 20,
    help: 'largest produce request of Kafka clients',
  }),
  kafkaCommandBytesMax: size(64 * 2 ** 10, 2 ** 30, {
    name: 'kafka-command-max',
    default: 4 * 2 ** 20,
    help: 'largest request of Kafka clients that is no produce request',
  }),
  kafkaElementsMax: count(10_000_000, {
    name: 'kafka-elements-max',
    default: 100_000,
    help: 'array elements (topics, partitions, groups, …) in one request of Kafka clients',
  }),
  connectionsMax: count<number | undefined>(1_000_000, {
    name: 'connections-max',
    default: undefined,
    help: 'connections of all protocols together (default: what the limit of open files leaves, 65536 at most)',
  }),
  loginDelayMsMax: duration(3_600_000, {
    name: 'login-delay-max',
    default: 10_000,
    help: 'longest time between two looks at passwords from one address, after several wrong ones; 0s: no delay',
  }),
  diskFreeBytesMin: size<number | undefined>(0, 2 ** 40, {
    name: 'disk-free-min',
    default: undefined,
    help: 'publishes are refused while the disk has less free (default: 256MiB, or an eighth of the disk if that is less)',
  }),
  journalBytesMax: size<number | undefined>(4 * 2 ** 20, 2 ** 36, {
    name: 'journal-max',
    default: undefined,
    help: 'about how much of the disk the journal takes (default: a sixteenth of the disk, 16MiB to 320MiB)',
  }),
  memoryBytesMax: size<number | undefined>(64 * 2 ** 20, 2 ** 40, {
    name: 'memory-max',
    default: undefined,
    help: 'publishes, and all that grows, are refused while the process uses more (default: three quarters of the machine or container)',
  }),
  heapBytesMax: size<number | undefined>(16 * 2 ** 20, 2 ** 40, {
    name: 'heap-max',
    default: undefined,
    help: "the same for the JavaScript heap (default: 85 % of V8's limit, --max-old-space-size)",
  }),
  ...budgetSettings(),
  adminHost: text({
    name: 'admin-host',
    placeholder: 'HOST',
    default: '127.0.0.1',
    help: 'address of the admin HTTP',
  }),
  adminPort: port({ name: 'admin-port', default: 8222, help: 'port of the admin HTTP' }),
  adminToken: text<string | undefined>({
    name: 'admin-token',
    default: undefined,
    secret: true,
    help: 'bearer token admin requests must carry',
  }),
  portsFile: text<string | undefined>({
    name: 'ports-file',
    placeholder: 'FILE',
    default: undefined,
    help: 'file that gets {"pid":…,"nats":…,"kafka":…,"admin":…} once all listen',
  }),
  insecure: toggle({
    name: 'insecure',
    default: false,
    help: 'allow a public address without authentication',
  }),
  logLevel: choice(logLevels, {
    name: 'log-level',
    placeholder: 'LEVEL',
    default: 'info',
    help: `least important messages to log: ${logLevels.join(', ')}`,
  }),
  stopGraceMs: duration(3_600_000, {
    name: 'stop-grace',
    default: 2000,
    help: 'how long clients may take to leave at a stop',
  }),
};

/** One setting per budget of the broker. */
function budgetSettings(): { readonly [K in keyof BudgetSettings]: Setting<number | undefined> } {
  const settings = budgetNames.map((budget) => {
    const { setting: name, help } = budgetTable[budget];
    const rest = { name, default: undefined, help: `${help} (default: sized to memory)` };
    return [`${budget}Max`, count<number | undefined>(1e9, rest)];
  });
  return Object.fromEntries(settings) as {
    readonly [K in keyof BudgetSettings]: Setting<number | undefined>;
  };
}

/** The limits that were set, for the broker. */
export function givenBudgets(settings: BudgetSettings): Partial<BudgetLimits> {
  const given: { [K in BudgetName]?: number } = {};
  for (const name of budgetNames) {
    const limit = settings[`${name}Max`];
    if (limit !== undefined) given[name] = limit;
  }
  return given;
}

/** The limits in force on this machine with these settings. */
export function limitsInForce(settings: BudgetSettings): BudgetLimits {
  return budgetLimits(memoryForObjectsBytes(), givenBudgets(settings));
}

/** The variable of a setting: `PILLARBOX_NATS_PORT` for `nats-port`. */
export function environmentName(setting: { readonly name: string }): string {
  return `PILLARBOX_${setting.name.toUpperCase().replaceAll('-', '_')}`;
}
