import type { Command } from 'commander';
import type { DelayedMessageJson } from '../../admin-api/index.ts';
import { shownText } from '../../util/shown-text.ts';
import {
  type ClientOptions,
  type CommandContext,
  addClientOptions,
  confirm,
  contextOf,
  say,
  print,
  printList,
} from '../command.ts';
import { CliError, exitCode } from '../exit-code.ts';
import { formatBytes, formatDuration, formatMessages, parseDuration } from '../format.ts';
import { option, timeOption, wholeNumberOption, withoutUndefined } from '../options.ts';
import { renderPairs, renderTable } from '../table.ts';

/** Messages asked for by one request. */
const pageMessages = 500;

interface SelectionOptions extends ClientOptions {
  readonly key?: string;
}

interface MoveOptions extends SelectionOptions {
  readonly delay?: string;
  readonly at?: string;
}

/** `pillarbox delayed …`: messages that wait for their time. */
export function configure(command: Command): void {
  addClientOptions(
    command
      .command('list <topic>', { isDefault: true })
      .description('delayed messages of a topic, in the order in which they were published')
      .option('--key <pattern>', 'only keys that match a subject pattern')
      .option('--limit <count>', 'most messages shown', '50'),
  ).action(async (topic: string, options: ClientOptions & { key?: string; limit: string }) => {
    const context = contextOf(options);
    const messages = await list(context, topic, options.key, wholeNumberOption('--limit', options.limit)!);
    printList(context, messages, () =>
      messages.length === 0 ? `Topic ${shownText(topic)} has no delayed message.` : table(messages, context),
    );
  });

  addClientOptions(command.command('show <topic> <id>').description('one delayed message in full')).action(
    async (topic: string, id: string, options: ClientOptions) => {
      const context = contextOf(options);
      const at = String(wholeNumberOption('The id', id));
      const message = await context.client.ask('GET /api/v1/topics/:topic/delayed/:id', { topic, id: at });
      print(context, message, () => details(message));
    },
  );

  addClientOptions(
    command
      .command('move <topic> [ids...]')
      .description('move delayed messages to another time')
      .option('--key <pattern>', 'all whose keys match a subject pattern')
      .option('--delay <time>', 'a time from now such as 30m')
      .option('--at <time>', 'a time such as 2026-01-31T12:00:00Z'),
  ).action(async (topic: string, ids: readonly string[], options: MoveOptions) => {
    const context = contextOf(options);
    const body = withoutUndefined({
      ...selection(ids, options),
      delayMs: option('--delay', options.delay, parseDuration, 'a time such as 30m'),
      deliverAtMs: timeOption('--at', options.at),
    });
    const result = await context.client.ask('POST /api/v1/topics/:topic/delayed/move', { topic }, { body });
    say(context, result, () => `Moved ${formatMessages(result.count)} of topic ${topic}.`);
  });

  addClientOptions(
    command
      .command('cancel <topic> [ids...]')
      .description('remove delayed messages for good')
      .option('--key <pattern>', 'all whose keys match a subject pattern')
      .option('--yes', 'do not ask'),
  ).action(async (topic: string, ids: readonly string[], options: SelectionOptions & { yes?: boolean }) => {
    const context = contextOf(options);
    const body = selection(ids, options);
    const which = options.key === undefined ? `${ids.length} delayed` : `the delayed ${options.key}`;
    if (!(await confirm(context.terminal, `Cancel ${which} of topic ${topic}?`, options.yes === true)))
      throw new CliError(exitCode.failure, `Nothing of topic ${topic} was cancelled.`);
    const result = await context.client.ask('POST /api/v1/topics/:topic/delayed/cancel', { topic }, { body });
    say(context, result, () => `Cancelled ${formatMessages(result.count)} of topic ${topic}.`);
  });

  addClientOptions(
    command
      .command('publish <topic> [ids...]')
      .description('publish delayed messages now')
      .option('--key <pattern>', 'all whose keys match a subject pattern'),
  ).action(async (topic: string, ids: readonly string[], options: SelectionOptions) => {
    const context = contextOf(options);
    const body = selection(ids, options);
    const result = await context.client.ask(
      'POST /api/v1/topics/:topic/delayed/publish',
      { topic },
      { body },
    );
    say(context, result, () => `Published ${formatMessages(result.count)} of topic ${topic}.`);
  });
}

async function list(
  { client }: CommandContext,
  topic: string,
  key: string | undefined,
  limit: number,
): Promise<DelayedMessageJson[]> {
  const messages: DelayedMessageJson[] = [];
  let after: number | undefined;
  while (messages.length < limit) {
    const count = Math.min(limit - messages.length, pageMessages);
    const page = await client.ask(
      'GET /api/v1/topics/:topic/delayed',
      { topic },
      {
        query: {
          limit: count,
          ...(key === undefined ? {} : { key }),
          ...(after === undefined ? {} : { after }),
        },
      },
    );
    messages.push(...page.messages);
    if (page.next === null) break;
    after = page.next;
  }
  return messages;
}

function selection(ids: readonly string[], { key }: SelectionOptions): object {
  if ((ids.length === 0) === (key === undefined))
    throw new CliError(exitCode.usage, 'Give the ids of delayed messages, or --key.');
  return key === undefined ? { ids: ids.map((id) => wholeNumberOption('An id', id)) } : { key };
}

function table(messages: readonly DelayedMessageJson[], { terminal }: CommandContext): string {
  return renderTable(
    [
      { title: 'ID', align: 'right' },
      { title: 'DUE' },
      { title: 'IN', align: 'right' },
      { title: 'SIZE', align: 'right' },
      { title: 'KEY' },
      { title: 'VALUE' },
    ],
    messages.map((message) => [
      String(message.id),
      message.dueTime,
      formatDuration(Math.max(0, message.dueMs - Date.now())),
      formatBytes(message.valueBytes),
      message.key ?? '',
      valueText(message.value),
    ]),
    { title: terminal.style.bold, ...(terminal.outIsTty ? { columnsMax: terminal.columns } : {}) },
  );
}

function details(message: DelayedMessageJson): string {
  return renderPairs([
    ['delayed message', `${message.id} of ${message.topic}, partition ${message.partition}`],
    ['due', message.dueTime],
    ['published', new Date(message.timestampMs).toISOString()],
    ['key', message.key ?? ''],
    ...message.headers.map(({ name, value }) => [`  ${name}`, value ?? ''] as const),
    ['value', `${valueText(message.value)}${message.truncated ? ` … (${message.valueBytes} bytes)` : ''}`],
  ]);
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value);
}
