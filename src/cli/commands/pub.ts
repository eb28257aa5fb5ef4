import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { shownJson, shownText } from '../../util/shown-text.ts';
import { type AdminClient, RefusedError } from '../admin-client.ts';
import type { PublishedJson, PublishJson, PublishResultsJson, UniqueKeyJson } from '../../admin-api/index.ts';
import { type ClientOptions, type CommandContext, addClientOptions, contextOf } from '../command.ts';
import { CliError, exitCode } from '../exit-code.ts';
import { formatMessages, parseDuration } from '../format.ts';
import { headerOption, option, wholeNumberOption, withoutUndefined } from '../options.ts';
import { ProgressBar } from '../progress-bar.ts';

/** Limits of one request, well below those of the broker. */
const batchMessagesMax = 1000;
const batchCharactersMax = 1 << 20;

interface PubOptions extends ClientOptions {
  readonly key?: string;
  readonly header?: readonly string[];
  readonly count?: string;
  readonly dedupeId?: string;
  readonly delay?: string;
  readonly ttl?: string;
  readonly priority?: string;
  readonly uniqueKey?: string;
  readonly uniqueMode?: string;
  readonly uniqueWindow?: string;
}

/** `pillarbox pub orders.new hello`, or `… | pillarbox pub orders.new` for one message per line. */
export function configure(command: Command): void {
  addClientOptions(
    command
      .argument('<to>', 'a topic, or a subject such as orders.new')
      .argument('[value]', 'the message; without it every line of stdin is one')
      .option('--key <key>', 'key of the message, when publishing to a topic')
      .option('--header <name=value...>', 'headers')
      .option('--count <count>', 'publish it so many times', '1')
      .option('--dedupe-id <id>', 'publish once, however often this is run')
      .option('--delay <time>', 'deliver after a time such as 30s; needs a topic')
      .option('--ttl <time>', 'expire after a time such as 1h; needs a topic')
      .option('--priority <level>', 'higher is delivered first; needs a topic with priorities')
      .option('--unique-key <key>', 'at most one message of this key waits; needs a topic')
      .option('--unique-mode <mode>', 'ignore (the default), replace, debounce or throttle')
      .option('--unique-window <time>', 'for throttle and debounce, a time such as 10s'),
  ).action(async (to: string, value: string | undefined, options: PubOptions) => {
    const context = contextOf(options);
    const count = wholeNumberOption('--count', options.count) ?? 1;
    const fields = withoutUndefined({
      key: options.key,
      headers: options.header?.map((text) => headerOption('--header', text)),
      dedupeId: options.dedupeId,
      delayMs: option('--delay', options.delay, parseDuration, 'a time such as 30s'),
      ttlMs: option('--ttl', options.ttl, parseDuration, 'a time such as 1h'),
      priority: wholeNumberOption('--priority', options.priority),
      unique: uniqueOf(options),
    });
    const publish = await publisherTo(context.client, to);
    using progress = new ProgressBar('publishing', value === undefined ? undefined : count, process.stderr);
    const values = value === undefined ? linesOf(process.stdin) : repeat(value, count);
    let published = 0;
    for await (const batch of batchesOf(values)) {
      const messages = batch.map((value) => ({ ...fields, value }));
      const { results } = await publish({ messages });
      progress.hide();
      reportResults(context, to, results, published === 0 && value !== undefined && count === 1);
      published += results.length;
      progress.update(published);
    }
    progress.hide();
    if (!context.json && !(value !== undefined && count === 1))
      context.terminal.out(shownText(`Published ${formatMessages(published)} to ${to}.`));
  });
}

/** The name of a topic means that topic; any other name is a subject, which a topic may capture. */
async function publisherTo(
  client: AdminClient,
  to: string,
): Promise<(body: PublishJson) => Promise<PublishResultsJson>> {
  try {
    await client.ask('GET /api/v1/topics/:topic', { topic: to });
    return (body) => client.ask('POST /api/v1/topics/:topic/messages', { topic: to }, { body });
  } catch (error) {
    // A user who may not see a topic of that name may still publish to the subject.
    if (error instanceof RefusedError && ['topic-not-found', 'not-permitted'].includes(error.code))
      return (body) => client.ask('POST /api/v1/subjects/:subject/messages', { subject: to }, { body });
    throw error;
  }
}

function reportResults(
  context: CommandContext,
  to: string,
  results: readonly PublishedJson[],
  inWords: boolean,
): void {
  const [first] = results;
  if (first?.topic === null && first.receivers === 0)
    throw new CliError(
      exitCode.notFound,
      `Nobody got the message: no topic captures the subject "${to}" and nobody subscribes to it. ` +
        `To keep such messages: pillarbox topics create NAME --subjects "${to}".`,
    );
  if (context.json) for (const result of results) context.terminal.out(shownJson(result));
  else if (inWords && first) context.terminal.out(shownText(describeResult(to, first)));
}

function describeResult(
  to: string,
  { topic, partition, offset, delayedId, duplicate, outcome, receivers }: PublishedJson,
): string {
  if (topic === null) return `Published to ${to}: ${receivers} live subscribers, not stored.`;
  const id = delayedId === undefined ? '' : `, delayed message ${delayedId}`;
  const at = offset === null ? `no offset before its time${id}` : `offset ${offset}`;
  const place = `topic ${topic}, partition ${partition}, ${at}`;
  if (outcome === 'ignored') return `Ignored, because an earlier message has its unique key: ${place}.`;
  if (outcome === 'replaced') return `Stored on disk in the place of an earlier message: ${place}.`;
  return duplicate ? `Already stored: ${place}.` : `Stored on disk: ${place}.`;
}

function uniqueOf({ uniqueKey: key, uniqueMode, uniqueWindow }: PubOptions): UniqueKeyJson | undefined {
  const windowMs = option('--unique-window', uniqueWindow, parseDuration, 'a time such as 10s');
  if (key !== undefined) {
    const mode = (uniqueMode ?? 'ignore') as UniqueKeyJson['mode']; // the broker checks it
    return { key, mode, ...(windowMs === undefined ? {} : { windowMs }) };
  }
  if ((uniqueMode ?? uniqueWindow) === undefined) return undefined;
  throw new CliError(exitCode.usage, '--unique-mode and --unique-window need --unique-key.');
}

function* repeat(value: string, count: number): Generator<string> {
  for (let done = 0; done < count; done++) yield value;
}

function linesOf(input: NodeJS.ReadStream): AsyncIterable<string> {
  if (input.isTTY) process.stderr.write('One message a line; end with Ctrl-D.\n');
  return createInterface({ input, crlfDelay: Infinity });
}

/** Cuts the input into batches. A batch is sent when it is full or the input ends. */
async function* batchesOf(values: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string[]> {
  let batch: string[] = [];
  let characters = 0;
  for await (const value of values) {
    batch.push(value);
    characters += value.length;
    if (batch.length >= batchMessagesMax || characters >= batchCharactersMax) {
      yield batch;
      batch = [];
      characters = 0;
    }
  }
  if (batch.length > 0) yield batch;
}
