import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import type { HeaderJson } from '../../admin-api/index.ts';
import { type ClientOptions, addClientOptions, contextOf, say } from '../command.ts';
import { CliError, exitCode } from '../exit-code.ts';
import { formatCount, formatMessages } from '../format.ts';
import { wholeNumberOption } from '../options.ts';
import { linesOf } from '../transfer.ts';

/** A request carries so many messages, and about as many bytes. */
const messagesMax = 1000;
const bytesMax = 2 * 2 ** 20;

interface ImportOptions extends ClientOptions {
  readonly topic: string;
  readonly skip?: string;
  readonly keepPartitions?: boolean;
}

/** A line of an export; all of it but the value may be absent. */
interface ImportedLine {
  readonly partition?: number;
  readonly key?: string | null;
  readonly keyEncoding?: string | null;
  readonly headers?: readonly HeaderJson[];
  readonly value?: unknown;
  readonly encoding?: string | null;
}

/** `pillarbox import FILE --topic NAME`: publishes the JSON lines of an export, in their order. */
export function configure(command: Command): void {
  addClientOptions(
    command
      .argument('<file>', 'JSON lines of an export; - for stdin')
      .requiredOption('--topic <topic>', 'the topic to publish to')
      .option('--skip <lines>', 'lines that were imported before', '0')
      .option('--keep-partitions', 'publish to the partitions of the export (default: by key)'),
  ).action(async (file: string, options: ImportOptions) => {
    const context = contextOf(options);
    const skip = wholeNumberOption('--skip', options.skip) ?? 0;
    const { topic } = options;
    const params = { topic };
    const input = file === '-' ? process.stdin : createReadStream(file);
    let done = skip;
    let known = 0;
    let lines = 0;
    let batch: object[] = [];
    let bytes = 0;
    const send = async (): Promise<void> => {
      if (batch.length === 0) return;
      const body = { messages: batch };
      const { results } = await context.client.ask('POST /api/v1/topics/:topic/messages', params, { body });
      known += results.filter(({ duplicate }) => duplicate).length;
      done += batch.length;
      batch = [];
      bytes = 0;
    };
    try {
      for await (const line of linesOf(input as AsyncIterable<Buffer>)) {
        lines++;
        if (lines <= skip) continue;
        batch.push(messageOf(line.text, lines, options.keepPartitions === true));
        bytes += line.bytes;
        if (batch.length >= messagesMax || bytes >= bytesMax) await send();
      }
      await send();
    } catch (error) {
      throw refused(error, file, done);
    }
    const again = known === 0 ? '' : ` ${formatCount(known)} of them were there already.`;
    say(
      context,
      { imported: done - skip, duplicates: known, lines },
      () => `Imported ${formatMessages(done - skip)} into topic ${topic}.${again}`,
    );
  });
}

function messageOf(text: string, line: number, keepsPartition: boolean): object {
  let given: ImportedLine;
  try {
    given = JSON.parse(text) as ImportedLine;
  } catch (error) {
    throw new CliError(exitCode.failure, `Line ${line} is not JSON: it may have been cut.`, error);
  }
  const { partition, key = null, keyEncoding, headers = [], value = null, encoding } = given;
  if (keyEncoding === 'base64' || headers.some((header) => header.encoding === 'base64'))
    throw new CliError(
      exitCode.failure,
      `Line ${line} has a key or header that is no text; the admin HTTP cannot publish it.`,
    );
  return {
    value,
    ...(typeof encoding === 'string' ? { encoding } : {}),
    ...(key === null ? {} : { key }),
    headers: headers.map(({ name, value }) => ({ name, value: value ?? '' })),
    ...(keepsPartition && partition !== undefined ? { partition } : {}),
    // The same line is not published twice, as far back as the topic remembers ids.
    dedupeId: `import:${createHash('sha256').update(text).digest('base64url')}`,
  };
}

/** The error, with how to go on. */
function refused(error: unknown, file: string, done: number): CliError {
  const { message, code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR')
    return new CliError(exitCode.usage, `The file ${file} cannot be read (${code}).`, error);
  const exit = error instanceof CliError ? error.exitCode : exitCode.failure;
  return new CliError(
    exit,
    `${message} ${formatCount(done)} lines were imported: go on with --skip ${done}.`,
    error,
  );
}
