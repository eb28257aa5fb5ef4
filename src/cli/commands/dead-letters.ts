import type { Command } from 'commander';
import type { DeadLetterJson, RedrivenJson } from '../../admin-api/index.ts';
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
import { formatBytes, formatCount, formatDuration, formatMessages } from '../format.ts';
import { wholeNumberOption, withoutUndefined } from '../options.ts';
import { setExitCode } from '../program.ts';
import { ProgressBar } from '../progress-bar.ts';
import { shownText } from '../../util/shown-text.ts';
import { renderPairs, renderTable } from '../table.ts';

/**
 * Messages put back by one request: few enough for the progress bar to move and for Ctrl-C to take effect.
 */
const redriveChunkMessages = 1000;

interface RedriveOptions extends ClientOptions {
  readonly limit?: string;
  readonly offset?: readonly string[];
  readonly to?: string;
}

/**
 * `pillarbox dead-letters …`. A dead-letter topic is a plain topic; these commands read the headers with the
 * cause.
 */
export function configure(command: Command): void {
  addClientOptions(
    command
      .command('list', { isDefault: true })
      .description('dead-letter topics, or the messages of one with their cause')
      .argument('[topic]')
      .option('--limit <count>', 'most messages shown', '50'),
  ).action(async (topic: string | undefined, options: ClientOptions & { limit: string }) => {
    const context = contextOf(options);
    if (topic === undefined) return listTopics(context);
    const { messages } = await context.client.ask(
      'GET /api/v1/dead-letters/:topic',
      { topic },
      { query: { limit: wholeNumberOption('--limit', options.limit) } },
    );
    printList(context, messages, () =>
      messages.length === 0 ? `Topic ${topic} holds no dead letter.` : deadLetterTable(messages, context),
    );
  });

  addClientOptions(
    command
      .command('show <topic> <offset>')
      .description('one dead letter in full')
      .option('--partition <index>', 'partition of the dead-letter topic', '0'),
  ).action(async (topic: string, offset: string, options: ClientOptions & { partition: string }) => {
    const context = contextOf(options);
    const at = String(wholeNumberOption('The offset', offset));
    const letter = await context.client.ask(
      'GET /api/v1/dead-letters/:topic/:offset',
      { topic, offset: at },
      { query: { partition: wholeNumberOption('--partition', options.partition) } },
    );
    print(context, letter, () => deadLetterDetails(letter));
  });

  addClientOptions(
    command
      .command('redrive <topic>')
      .description('put dead letters back where they came from')
      .option('--limit <count>', 'most messages put back')
      .option('--offset <offset...>', 'only these')
      .option('--to <topic>', 'another topic than the one they came from'),
  ).action(async (topic: string, options: RedriveOptions) => {
    const context = contextOf(options);
    const { redriven, stayed } = await redrive(context, topic, options);
    print(context, { topic, redriven, stayed }, () =>
      [
        `Put back ${formatMessages(redriven)} of topic ${shownText(topic)}.`,
        ...stayed.map(({ count, message }) => `${formatMessages(count)} stayed: ${shownText(message)}`),
      ].join('\n'),
    );
    if (stayed.length > 0) setExitCode(exitCode.failure);
  });

  addClientOptions(
    command
      .command('purge <topic>')
      .description('delete all dead letters of a topic')
      .option('--yes', 'do not ask'),
  ).action(async (topic: string, options: ClientOptions & { yes?: boolean }) => {
    const context = contextOf(options);
    if (!(await confirm(context.terminal, `Delete all messages of topic ${topic}?`, options.yes === true)))
      throw new CliError(exitCode.failure, `Topic ${topic} was not purged.`);
    const result = await context.client.ask('POST /api/v1/dead-letters/:topic/purge', { topic });
    say(context, result, () => `Purged ${formatMessages(result.purged)} of topic ${shownText(topic)}.`);
  });
}

async function redrive(
  context: CommandContext,
  topic: string,
  options: RedriveOptions,
): Promise<Omit<RedrivenJson, 'left'>> {
  const send = (body: object): Promise<RedrivenJson> =>
    context.client.ask('POST /api/v1/dead-letters/:topic/redrive', { topic }, { body });
  if (options.offset !== undefined) {
    const offsets = options.offset.map((offset) => wholeNumberOption('--offset', offset));
    const body = withoutUndefined({ offsets, to: options.to });
    return send(body);
  }
  const { topics } = await context.client.ask('GET /api/v1/dead-letters', {});
  const waiting = topics.find((other) => other.topic === topic)?.messages ?? 0;
  // A message that fails again after redrive comes back to this topic. Without a limit, only the messages
  // there now are redriven.
  const limit = wholeNumberOption('--limit', options.limit) ?? Math.max(waiting, 1);
  using progress = new ProgressBar('redriving', Math.min(limit, waiting), process.stderr);
  let redriven = 0;
  let stayed: RedrivenJson['stayed'] = [];
  while (redriven < limit) {
    const chunk = Math.min(redriveChunkMessages, limit - redriven);
    const body = withoutUndefined({ limit: chunk, to: options.to });
    const answer = await send(body);
    stayed = answer.stayed; // includes the messages that stayed before, which were tried again
    redriven += answer.redriven;
    progress.update(redriven);
    if (answer.redriven < chunk) break;
  }
  return { redriven, stayed };
}

async function listTopics(context: CommandContext): Promise<void> {
  const { topics } = await context.client.ask('GET /api/v1/dead-letters', {});
  printList(context, topics, () =>
    topics.length === 0
      ? 'There is no dead-letter topic; one comes into being with its first message.'
      : renderTable(
          [
            { title: 'DEAD-LETTER TOPIC' },
            { title: 'MESSAGES', align: 'right' },
            { title: 'SIZE', align: 'right' },
            { title: 'OLDEST', align: 'right' },
            { title: 'OF' },
          ],
          topics.map((topic) => [
            topic.topic,
            formatCount(topic.messages),
            formatBytes(topic.bytes),
            formatDuration(topic.oldestAgeMs ?? undefined),
            topic.groups.map(({ topic, group }) => (group === '' ? topic : `${topic}/${group}`)).join(' '),
          ]),
          { title: context.terminal.style.bold },
        ),
  );
}

function deadLetterTable(letters: readonly DeadLetterJson[], { terminal }: CommandContext): string {
  return renderTable(
    [
      { title: 'OFFSET', align: 'right' },
      { title: 'WHEN' },
      { title: 'FROM' },
      { title: 'TRIES', align: 'right' },
      { title: 'CAUSE' },
      { title: 'KEY' },
      { title: 'VALUE' },
    ],
    letters.map((letter) => [
      String(letter.offset),
      letter.deadLetteredTime ?? letter.time,
      `${letter.origin.topic ?? '?'}/${letter.origin.group || '-'}@${letter.origin.offset ?? '?'}`,
      String(letter.deliveries ?? '?'),
      letter.cause ?? '?',
      letter.key ?? '',
      valueText(letter.value),
    ]),
    { title: terminal.style.bold, ...(terminal.outIsTty ? { columnsMax: terminal.columns } : {}) },
  );
}

function deadLetterDetails(letter: DeadLetterJson): string {
  const { origin } = letter;
  return renderPairs([
    ['dead letter', `${letter.topic}, partition ${letter.partition}, offset ${letter.offset}`],
    ['from', `${origin.topic ?? '?'}, partition ${origin.partition ?? '?'}, offset ${origin.offset ?? '?'}`],
    ['group', origin.group || 'none: it left its topic by itself'],
    ['cause', letter.cause ?? '?'],
    ['deliveries', String(letter.deliveries ?? '?')],
    ['when', letter.deadLetteredTime ?? letter.time],
    ['key', letter.key ?? ''],
    ...letter.headers.map(({ name, value }) => [`  ${name}`, value ?? ''] as const),
    ['value', `${valueText(letter.value)}${letter.truncated ? ` … (${letter.valueBytes} bytes)` : ''}`],
  ]);
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value);
}
