import { createReadStream, createWriteStream } from 'node:fs';
import { truncate } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { once } from 'node:events';
import type { Command } from 'commander';
import type { MessageJson } from '../../admin-api/index.ts';
import { type ClientOptions, type CommandContext, addClientOptions, contextOf } from '../command.ts';
import { CliError, exitCode } from '../exit-code.ts';
import { formatBytes, formatMessages } from '../format.ts';
import { timeOption, wholeNumberOption } from '../options.ts';
import { linesOf } from '../transfer.ts';
import { shownText } from '../../util/shown-text.ts';

/** The admin HTTP shows no more of a value. A page of an export has about as many bytes. */
const valueBytesMax = 8 * 2 ** 20;

interface ExportOptions extends ClientOptions {
  readonly out?: string;
  readonly resume?: boolean;
  readonly offset?: string;
  readonly since?: string;
  readonly key?: string;
}

/** `pillarbox export TOPIC`: its messages as JSON lines. It reads without a group; no reader is affected. */
export function configure(command: Command): void {
  addClientOptions(
    command
      .argument('<topic>', 'the topic')
      .option('--out <file>', 'write to a file, which only you can read, instead of stdout')
      .option('--resume', 'go on after the last message of the file')
      .option('--offset <offset>', 'begin at an offset')
      .option('--since <time>', 'begin at a time such as 2026-01-31T12:00:00Z, or 1h for an hour ago')
      .option('--key <pattern>', 'only messages whose key (subject) matches, such as "orders.*.new"'),
  ).action(async (topic: string, options: ExportOptions) => {
    const context = contextOf(options);
    if (options.resume === true && options.out === undefined)
      throw new CliError(exitCode.usage, '--resume goes on with a file: name it with --out.');
    const cursor = options.resume === true ? await cursorAfter(context, topic, options.out!) : undefined;
    const out =
      options.out === undefined
        ? process.stdout
        : createWriteStream(options.out, { flags: options.resume === true ? 'a' : 'wx', mode: 0o600 });
    const opened = options.out === undefined ? undefined : once(out, 'open');
    await opened?.catch((error: NodeJS.ErrnoException) => {
      const remedy =
        error.code === 'EEXIST' ? 'go on with it by --resume, or name another' : 'check its path';
      throw new CliError(
        exitCode.cannotCreate,
        `The file ${options.out} cannot be written (${error.code}): ${remedy}.`,
        error,
      );
    });
    const count = await exportTo(out, context, topic, options, cursor);
    if (options.out === undefined) return;
    out.end();
    await once(out, 'finish');
    context.terminal.err(shownText(`Exported ${formatMessages(count)} of topic ${topic} to ${options.out}.`));
  });
}

async function exportTo(
  out: Writable,
  { client }: CommandContext,
  topic: string,
  options: ExportOptions,
  resumed: string | undefined,
): Promise<number> {
  const offset = wholeNumberOption('--offset', options.offset);
  const time = timeOption('--since', options.since);
  let start: { readonly [name: string]: string | number | undefined } =
    resumed !== undefined ? { cursor: resumed } : offset !== undefined ? { offset } : { time };
  for (let count = 0; ;) {
    const query = { ...start, key: options.key, limit: 1000, valueBytes: valueBytesMax };
    const page = await client.ask('GET /api/v1/topics/:topic/messages', { topic }, { query });
    for (const message of page.messages) {
      const isTaken = out.write(`${JSON.stringify(exported(message))}\n`);
      if (!isTaken) await once(out, 'drain');
    }
    count += page.messages.length;
    if (page.atEnd) return count;
    start = { cursor: page.cursor };
  }
}

function exported(message: MessageJson): object {
  const { partition, offset, timestampMs, key, keyEncoding, headers, value, encoding } = message;
  if (message.truncated)
    throw new CliError(
      exitCode.failure,
      `The message at offset ${offset} of partition ${partition} has ${formatBytes(message.valueBytes)}; the admin HTTP shows ${formatBytes(valueBytesMax)} of a message at most. Export around it with --offset ${offset + 1}.`,
    );
  return { partition, offset, timestampMs, key, keyEncoding, headers, value, encoding };
}

/** Where the file ends, by partition. A last line that was not written to its end is cut off. */
async function cursorAfter({ client }: CommandContext, topic: string, file: string): Promise<string> {
  const { partitionList } = await client.ask('GET /api/v1/topics/:topic', { topic });
  const next = partitionList.map(() => 0);
  let bytes = 0;
  for await (const { text, isWhole, bytes: length } of linesOf(createReadStream(file))) {
    if (!isWhole) {
      await truncate(file, bytes);
      break;
    }
    bytes += length;
    const { partition, offset } = JSON.parse(text) as { partition: number; offset: number };
    next[partition] = offset + 1;
  }
  return next.join('.');
}
