import type { Command } from 'commander';
import type { MessageJson, MessagesJson } from '../../admin-api/index.ts';
import { type ClientOptions, type CommandContext, addClientOptions, contextOf } from '../command.ts';
import { formatBytes } from '../format.ts';
import { Patience } from '../patience.ts';
import { timeOption, wholeNumberOption } from '../options.ts';
import { shownJson, shownText } from '../../util/shown-text.ts';

/** How long one request waits for messages before the next one is sent. */
const waitMs = 20_000;

type Query = { readonly [name: string]: string | number | undefined };

interface TailOptions extends ClientOptions {
  readonly last: string;
  readonly offset?: string;
  readonly since?: string;
  readonly key?: string;
  readonly partition?: string;
  readonly limit?: string;
  readonly follow: boolean;
}

/** `pillarbox tail orders`: reads without a group; no other reader is affected. */
export function configure(command: Command): void {
  addClientOptions(
    command
      .argument('<topic>', 'the topic')
      .option('--last <count>', 'begin with so many messages that are there already', '10')
      .option('--offset <offset>', 'begin at an offset')
      .option('--since <time>', 'begin at a time such as 2026-01-31T12:00:00Z, or 1h for an hour ago')
      .option('--key <pattern>', 'only messages whose key (subject) matches, such as "orders.*.new"')
      .option('--partition <index>', 'only this partition')
      .option('--limit <count>', 'end after so many messages')
      .option('--no-follow', 'end when there is nothing more'),
  ).action(async (topic: string, options: TailOptions) => {
    const context = contextOf(options);
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    await tail(context, topic, options, stop.signal).catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
  });
}

async function tail(
  context: CommandContext,
  topic: string,
  options: TailOptions,
  signal: AbortSignal,
): Promise<void> {
  const limit = wholeNumberOption('--limit', options.limit) ?? Infinity;
  const filter = { key: options.key, partition: wholeNumberOption('--partition', options.partition) };
  const offset = wholeNumberOption('--offset', options.offset);
  const time = timeOption('--since', options.since);
  let start: Query =
    offset !== undefined
      ? { offset }
      : time !== undefined
        ? { time }
        : { last: wholeNumberOption('--last', options.last) };
  let shown = 0;
  const { err } = context.terminal;
  const patience = new Patience(
    {
      away: (reason) => err(shownText(`${reason} Waiting for it; Ctrl-C ends.`)),
      back: () => err('The broker is back.'),
    },
    signal,
  );
  const ask = async (query: Query): Promise<MessagesJson> =>
    context.client.ask('GET /api/v1/topics/:topic/messages', { topic }, { query, signal });
  while (shown < limit) {
    const query = {
      ...filter,
      ...start,
      limit: Math.min(limit - shown, 500),
    };
    const page = await (options.follow
      ? patience.ask(async (isAway) => ask({ ...query, waitMs: isAway ? 0 : waitMs }))
      : ask(query));
    for (const message of page.messages)
      context.terminal.out(context.json ? shownJson(message) : messageLine(message, context));
    shown += page.messages.length;
    if (page.atEnd && !options.follow) return;
    start = { cursor: page.cursor };
  }
}

/** `0/17  2026-01-31T12:00:00.000Z  orders.new  {"id":1}`. */
function messageLine(message: MessageJson, { terminal }: CommandContext): string {
  const { style } = terminal;
  const value =
    message.encoding === 'base64'
      ? style.dim(`(${formatBytes(message.valueBytes)} of binary)`)
      : shownText(typeof message.value === 'string' ? message.value : JSON.stringify(message.value));
  const headers = message.headers.map(({ name, value }) => `${shownText(name)}=${shownText(value ?? '')}`);
  return [
    style.dim(`${message.partition}/${message.offset}`),
    style.dim(message.time),
    style.bold(shownText(message.key ?? '-')),
    ...(headers.length > 0 ? [style.dim(`[${headers.join(' ')}]`)] : []),
    message.truncated ? `${value} … (${formatBytes(message.valueBytes)})` : value,
  ].join('  ');
}
