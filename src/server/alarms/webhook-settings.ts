import { tables, type Setting } from '../../protocols/settings.ts';
import { durationOf, known, numberOf, tableOf } from '../setting-values.ts';
import type { AlarmLevel } from './alarm.ts';
import { NamePattern } from './name-pattern.ts';

/** An entry of `alarm-webhooks` in the configuration. See docs/alarms.md. */
export interface WebhookSettings {
  readonly url: string;
  /** Signs the notices; absent: they are not signed. */
  readonly secret?: string;
  /** The least serious level that is told. Default: `warning`, that is all. */
  readonly level?: AlarmLevel;
  /** Topics whose alarms are told, with `*` for any text; absent: all, and those of the server. */
  readonly topic?: string;
  /** How many notices may wait; the oldest are dropped then. Default 1000. */
  readonly queue?: number;
  /** For how long a notice is tried. Default 1h. */
  readonly 'give-up'?: string;
  /** For how long one attempt waits for the answer. Default 10s. */
  readonly timeout?: string;
}

const keys: { readonly [K in keyof WebhookSettings]-?: true } = {
  url: true,
  secret: true,
  level: true,
  topic: true,
  queue: true,
  'give-up': true,
  timeout: true,
};

const webhooksMax = 20;

/** The setting `alarm-webhooks`: tables of the configuration file, or the same as JSON. */
export const webhooksSetting: Setting<readonly WebhookSettings[] | undefined> = tables(webhookOptions, {
  name: 'alarm-webhooks',
  help: 'where changes of alarms are posted; mostly in the configuration file (docs/alarms.md)',
  expected: 'a list of tables with a url each (docs/alarms.md)',
  secret: true,
});

/** A webhook, after its settings were checked. */
export interface WebhookOptions {
  /** The whole address; of http or https. */
  readonly url: string;
  readonly secret: string | undefined;
  readonly level: AlarmLevel;
  readonly topic: NamePattern | undefined;
  readonly queueMax: number;
  readonly giveUpMs: number;
  readonly timeoutMs: number;
}

/** Throws an Error, in one sentence, for a value that does not fit. */
export function webhookOptions(settings: readonly unknown[]): readonly WebhookOptions[] {
  if (settings.length > webhooksMax)
    throw new Error(`"alarm-webhooks" has ${settings.length} entries; ${webhooksMax} are allowed.`);
  return settings.map((value, at) => optionsOf(value, `entry ${at + 1} of "alarm-webhooks"`));
}

function optionsOf(value: unknown, title: string): WebhookOptions {
  const table = tableOf<WebhookSettings>(value, keys, title);
  const { secret } = table;
  if (secret !== undefined && (typeof secret !== 'string' || secret === ''))
    throw new Error(`The "secret" of the ${title} must be a text that is not empty.`);
  const queueMax = table.queue === undefined ? 1000 : numberOf(table.queue, `"queue" of the ${title}`);
  if (!Number.isInteger(queueMax) || queueMax < 1 || queueMax > 100_000)
    throw new Error(`The "queue" of the ${title} must be a whole number from 1 to 100000.`);
  return {
    url: urlOf(table.url, `"url" of the ${title}`),
    secret,
    level:
      table.level === undefined
        ? 'warning'
        : known(table.level, ['warning', 'critical'] as const, `"level" of the ${title}`),
    topic: NamePattern.of(table.topic, `"topic" of the ${title}`),
    queueMax,
    giveUpMs: timeOf(table['give-up'] ?? '1h', `"give-up" of the ${title}`),
    timeoutMs: timeOf(table.timeout ?? '10s', `"timeout" of the ${title}`),
  };
}

function urlOf(value: unknown, what: string): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new Error(`The ${what} must be a URL that begins with http:// or https://.`);
  if (url.username !== '' || url.password !== '')
    throw new Error(`The ${what} must have no user or password: sign the notices with "secret" instead.`);
  return url.href;
}

function timeOf(value: unknown, what: string): number {
  const ms = durationOf(value, what);
  if (ms < 100 || ms > 7 * 86_400_000) throw new Error(`The ${what} must be a time from 100ms to 7d.`);
  return ms;
}
