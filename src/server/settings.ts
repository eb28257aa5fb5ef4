import {
  budgetLimits,
  budgetNames,
  budgetTable,
  type BudgetLimits,
  type BudgetName,
} from '../broker/index.ts';
import {
  type CommonSettings,
  type ProtocolSettings,
  type SettingTable,
  choice,
  count,
  duration,
  pemFile,
  port,
  protocolSettings,
  protocolNames,
  size,
  text,
  toggle,
  usersSetting,
} from '../protocols/settings.ts';
import { alarmsSetting, type AlarmSettings } from './alarms/alarm-settings.ts';
import { sheddingSetting, type ShedSettings } from './alarms/shed-settings.ts';
import { webhooksSetting, type WebhookSettings } from './alarms/webhook-settings.ts';
import { schedulesSetting, type ScheduleSettings } from './schedule-settings.ts';
import { tracingSettings, type TracingSettings } from './tracing/tracing-settings.ts';
import { memoryForObjectsBytes } from '../util/index.ts';

export type { Setting } from '../protocols/settings.ts';

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** The limits of the broker's budgets: `topicsMax`, …; undefined: sized to the available memory. */
export type BudgetSettings = { readonly [K in BudgetName as `${K}Max`]: number | undefined };

/** All settings of `serve`: the server's own and those of each protocol. */
export interface Settings extends CommonSettings, ProtocolSettings, BudgetSettings, TracingSettings {
  readonly data: string;
  readonly host: string;
  readonly connectionsMax: number | undefined;
  readonly unreadBytesMax: number | undefined;
  readonly loginDelayMsMax: number;
  readonly diskFreeBytesMin: number | undefined;
  readonly journalBytesMax: number | undefined;
  readonly heartbeatMs: number;
  readonly memoryBytesMax: number | undefined;
  readonly heapBytesMax: number | undefined;
  readonly schedules: readonly ScheduleSettings[] | undefined;
  readonly init: string | undefined;
  readonly alarms: readonly AlarmSettings[] | undefined;
  readonly alarmIntervalMs: number;
  readonly alarmsMax: number;
  readonly alarmWebhooks: readonly WebhookSettings[] | undefined;
  readonly alarmTopic: string | undefined;
  readonly shedding: readonly ShedSettings[] | undefined;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly adminToken: string | undefined;
  readonly metricsToken: string | undefined;
  readonly adminTlsCert: string | undefined;
  readonly adminTlsKey: string | undefined;
  readonly adminTlsCa: string | undefined;
  readonly adminBasePath: string | undefined;
  readonly adminStreamsMax: number;
  readonly historyStepMs: number;
  readonly historyMax: number;
  readonly portsFile: string | undefined;
  readonly insecure: boolean;
  readonly logLevel: LogLevel;
  readonly stopGraceMs: number;
}

/** The one table of settings: flags, variables, file keys, `--help` and docs/configuration.md follow it. */
export const settingTable: SettingTable<Settings> = {
  data: text({ name: 'data', placeholder: 'DIR', default: './data', help: 'where messages are kept' }),
  host: text({
    name: 'host',
    placeholder: 'HOST',
    default: '127.0.0.1',
    help: 'address the protocols listen on',
  }),
  users: usersSetting,
  ...protocolSettings,
  maxPayloadBytes: size(1, 64 * 2 ** 20, {
    name: 'max-payload',
    default: 2 ** 20,
    help: 'largest message accepted, from clients whose protocol has no setting of its own',
  }),
  connectionsMax: count<number | undefined>(1_000_000, {
    name: 'connections-max',
    default: undefined,
    help: 'connections of all protocols together (default: what the limit of open files leaves, 65536 at most)',
  }),
  unreadBytesMax: size<number | undefined>(2 ** 20, 2 ** 40, {
    name: 'unread-max',
    default: undefined,
    help: 'output that waits to be read by clients, all connections together (default: an eighth of the machine or container, 32MiB to 1GiB)',
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
  heartbeatMs: duration(
    60_000,
    {
      name: 'owner-heartbeat',
      default: 1000,
      help: 'how often the broker sees that the data directory is still its own; a start from another machine waits six times as long',
    },
    100,
  ),
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
  schedules: schedulesSetting,
  init: text<string | undefined>({
    name: 'init',
    placeholder: 'FILE',
    default: undefined,
    help: 'file with topics, queues and groups to make at the start, or to change as it says (TOML or JSON)',
  }),
  alarms: alarmsSetting,
  alarmIntervalMs: duration(
    3_600_000,
    { name: 'alarm-interval', default: 5000, help: 'how often all alarms are evaluated' },
    100,
  ),
  alarmsMax: count(100_000, {
    name: 'alarms-max',
    default: 1000,
    help: 'alarms that are kept at once; more are only counted',
  }),
  alarmWebhooks: webhooksSetting,
  alarmTopic: text<string | undefined>({
    name: 'alarm-topic',
    placeholder: 'TOPIC',
    default: undefined,
    help: 'topic that gets a message for each change of an alarm',
  }),
  shedding: sheddingSetting,
  ...tracingSettings,
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
  metricsToken: text<string | undefined>({
    name: 'metrics-token',
    default: undefined,
    secret: true,
    help: 'bearer token that may read /metrics and nothing else',
  }),
  adminTlsCert: pemFile('admin-tls-cert', 'certificate of the admin HTTP, as PEM; with it, it speaks https'),
  adminTlsKey: pemFile('admin-tls-key', 'key of that certificate, as PEM'),
  adminTlsCa: pemFile('admin-tls-ca', 'clients must have a certificate signed by one of these, as PEM'),
  adminBasePath: {
    ...text<string | undefined>({
      name: 'admin-base-path',
      placeholder: 'PATH',
      default: undefined,
      help: 'path in front of the routes of the admin HTTP, for a proxy that does not take it away, such as /pillarbox',
    }),
    expected: 'a path that begins with a slash and ends without one, such as /pillarbox',
    parse: (value) =>
      typeof value === 'string' && /^(\/[\w.~-]+)+$/.test(value) && value.length <= 200 ? value : undefined,
  },
  adminStreamsMax: count(10_000, {
    name: 'admin-streams-max',
    default: 64,
    help: 'streams of changes that dashboards may have open, all together',
  }),
  historyStepMs: duration(
    60_000,
    {
      name: 'history-step',
      default: 10_000,
      help: 'how often rates and backlogs are noted; 360 of these are kept, and 288 means of 30',
    },
    1000,
  ),
  historyMax: count(100_000, {
    name: 'history-max',
    default: 2000,
    help: 'topics and groups whose rates are kept, all together; 8 KiB each',
  }),
  portsFile: text<string | undefined>({
    name: 'ports-file',
    placeholder: 'FILE',
    default: undefined,
    help: `file that gets {"pid":…,${protocolNames.map((name) => `"${name}":…,`).join('')}"admin":…} once all listen`,
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
function budgetSettings(): SettingTable<BudgetSettings> {
  const settings = budgetNames.map((budget) => {
    const { setting: name, help } = budgetTable[budget];
    const rest = { name, default: undefined, help: `${help} (default: sized to memory)` };
    return [`${budget}Max`, count<number | undefined>(1e9, rest)];
  });
  return Object.fromEntries(settings) as SettingTable<BudgetSettings>;
}

/** The limits that are set, for the broker. */
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

/** The variable of a setting: `PILLARBOX_ADMIN_PORT` for `admin-port`. */
export function environmentName(setting: { readonly name: string }): string {
  return `PILLARBOX_${setting.name.toUpperCase().replaceAll('-', '_')}`;
}
