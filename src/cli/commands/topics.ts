import type { Command } from 'commander';
import type { GroupJson, TopicDetailsJson, TopicJson } from '../../admin-api/index.ts';
import {
  type ClientOptions,
  addClientOptions,
  confirm,
  contextOf,
  say,
  print,
  printList,
} from '../command.ts';
import { CliError, exitCode } from '../exit-code.ts';
import { formatBytes, formatCount, formatDuration, formatMessages, formatRate } from '../format.ts';
import { wholeNumberOption, withoutNull, withoutUndefined } from '../options.ts';
import { renderPairs, renderTable } from '../table.ts';
import { type TopicSettingOptions, addTopicSettings, topicSettings } from '../topic-settings.ts';
import { groupTable } from './groups.ts';

interface CreateOptions extends ClientOptions, TopicSettingOptions {
  readonly durability?: string;
}

/** `pillarbox topics …`. */
export function configure(command: Command): void {
  addClientOptions(command.command('list', { isDefault: true }).description('all topics')).action(
    async (options: ClientOptions) => {
      const context = contextOf(options);
      const { topics } = await context.client.ask('GET /api/v1/topics', {});
      printList(context, topics, () =>
        topics.length === 0
          ? 'There is no topic yet: pillarbox topics create orders --subjects "orders.>"'
          : topicTable(topics, context.terminal.style.bold),
      );
    },
  );

  addClientOptions(
    command.command('show <topic>').description('one topic with its partitions and groups'),
  ).action(async (name: string, options: ClientOptions) => {
    const context = contextOf(options);
    const topic = await context.client.ask('GET /api/v1/topics/:topic', { topic: name });
    print(context, topic, () => topicDetails(topic, context.terminal.style.bold));
  });

  addClientOptions(
    addTopicSettings(command.command('create <topic>').description('create a topic')).option(
      '--durability <kind>',
      'disk or memory (default: disk)',
    ),
  ).action(async (name: string, options: CreateOptions) => {
    const context = contextOf(options);
    const { durability } = options;
    const body = withoutNull(withoutUndefined({ name, ...topicSettings(options), durability }));
    const topic = await context.client.ask('POST /api/v1/topics', {}, { body });
    say(context, topic, () => `Created topic ${name}.`);
  });

  addClientOptions(
    addTopicSettings(
      command
        .command('update <topic>')
        .description('change settings of a topic; those that are not given stay, and "none" takes one away'),
    ).option('--no-subjects', 'it captures no subjects any more'),
  ).action(async (name: string, options: ClientOptions & TopicSettingOptions) => {
    const context = contextOf(options);
    const body = topicSettings(options);
    if (Object.keys(body).length === 0)
      throw new CliError(exitCode.usage, 'Say what to change: --max-bytes, --retention, or another setting.');
    const topic = await context.client.ask('PATCH /api/v1/topics/:topic', { topic: name }, { body });
    say(context, topic, () => `Changed topic ${name}.`);
  });

  addClientOptions(
    command
      .command('delete <topic>')
      .description('delete a topic with its messages and groups')
      .option('--yes', 'do not ask'),
  ).action(async (name: string, options: ClientOptions & { yes?: boolean }) => {
    const context = contextOf(options);
    const topic = await context.client.ask('GET /api/v1/topics/:topic', { topic: name });
    const question = `Delete topic ${name} with ${formatMessages(topic.messages)} and ${topic.groups} groups?`;
    if (!(await confirm(context.terminal, question, options.yes === true)))
      throw new CliError(exitCode.failure, `Topic ${name} was not deleted.`);
    const result = await context.client.ask('DELETE /api/v1/topics/:topic', { topic: name });
    say(context, result, () => `Deleted topic ${name}.`);
  });

  addClientOptions(
    command
      .command('purge <topic>')
      .description('delete messages of a topic')
      .option('--key <pattern>', 'only those whose key (subject) matches')
      .option('--before <offset>', 'only those before the offset')
      .option('--keep <count>', 'all but the newest')
      .option('--yes', 'do not ask'),
  ).action(
    async (
      name: string,
      options: ClientOptions & { key?: string; before?: string; keep?: string; yes?: boolean },
    ) => {
      const context = contextOf(options);
      if (!(await confirm(context.terminal, `Delete messages of topic ${name}?`, options.yes === true)))
        throw new CliError(exitCode.failure, `Topic ${name} was not purged.`);
      const body = withoutUndefined({
        key: options.key,
        before: wholeNumberOption('--before', options.before),
        keep: wholeNumberOption('--keep', options.keep),
      });
      const result = await context.client.ask('POST /api/v1/topics/:topic/purge', { topic: name }, { body });
      say(context, result, () => `Purged ${formatMessages(result.purged)} of topic ${name}.`);
    },
  );
}

export function topicTable(
  topics: readonly TopicJson[],
  title: (text: string) => string,
  columnsMax?: number,
): string {
  const rows = topics.map((topic) => [
    topic.name,
    formatCount(topic.messages),
    formatBytes(topic.bytes),
    formatRate(topic.inPerSecond),
    formatRate(topic.outPerSecond),
    formatDuration(topic.oldestAgeMs ?? undefined),
    formatDuration(topic.timeToFullMs ?? undefined),
    String(topic.groups),
    topic.retention,
  ]);
  return renderTable(
    [
      { title: 'TOPIC' },
      { title: 'MESSAGES', align: 'right' },
      { title: 'SIZE', align: 'right' },
      { title: 'IN/S', align: 'right' },
      { title: 'OUT/S', align: 'right' },
      { title: 'OLDEST', align: 'right' },
      { title: 'FULL IN', align: 'right' },
      { title: 'GROUPS', align: 'right' },
      { title: 'RETENTION' },
    ],
    rows,
    { title, ...(columnsMax === undefined ? {} : { columnsMax }) },
  );
}

function topicDetails(topic: TopicDetailsJson, title: (text: string) => string): string {
  const limits = (
    ['messagesMax', 'bytesMax', 'ageMsMax', 'messagesPerKeyMax', 'messageBytesMax', 'groupsMax'] as const
  )
    .filter((name) => topic.config[name] !== undefined)
    .map((name) => `${name} ${String(topic.config[name])}`);
  const pairs = renderPairs([
    ['topic', topic.name],
    ['subjects', topic.subjects.join(' ') || '(by name only)'],
    ['durability', topic.durability],
    ['retention', topic.retention],
    ['limits', limits.join(', ') || 'none'],
    ['rate', rateText(topic)],
    ['created', new Date(topic.createdMs).toISOString()],
    ['messages', `${formatCount(topic.messages)} (${formatBytes(topic.bytes)})`],
    ...(topic.messagesByPriority ? [['by priority', priorityText(topic.messagesByPriority)] as const] : []),
    ['oldest', formatDuration(topic.oldestAgeMs ?? undefined)],
    ['left since the start', leftText(topic)],
    ['with a time to live', formatCount(topic.expiring)],
    ['in, out', `${formatRate(topic.inPerSecond)}/s, ${formatRate(topic.outPerSecond)}/s`],
  ]);
  const partitions = renderTable(
    [
      { title: 'PARTITION', align: 'right' },
      { title: 'FIRST', align: 'right' },
      { title: 'NEXT', align: 'right' },
      { title: 'MESSAGES', align: 'right' },
      { title: 'SIZE', align: 'right' },
    ],
    topic.partitionList.map((partition) => [
      String(partition.index),
      formatCount(partition.firstOffset),
      formatCount(partition.nextOffset),
      formatCount(partition.messages),
      formatBytes(partition.bytes),
    ]),
    { title },
  );
  const groups: readonly GroupJson[] = topic.groupList;
  return [pairs, partitions, ...(groups.length > 0 ? [groupTable(groups, title)] : [])].join('\n\n');
}

/** The counts of the priorities that have messages, the highest first. */
function priorityText(counts: readonly number[]): string {
  const used = counts.map((count, priority) => [priority, count] as const).filter(([, count]) => count > 0);
  return used.length === 0
    ? 'no messages'
    : used
        .reverse()
        .map(([priority, count]) => `${priority}: ${formatCount(count)}`)
        .join(', ');
}

function rateText({ config, overRate }: TopicDetailsJson): string {
  if (config.publishRate === undefined) return 'unlimited';
  const { perSecond, burst } = config.publishRate;
  const beyond = config.overRate === 'wait' ? `${overRate.waited} waited` : `${overRate.refused} refused`;
  return `${perSecond} a second, ${burst} at once; ${beyond} since the start`;
}

/**
 * Messages that left the topic without an answer of a group, by cause, and how many of them became dead
 * letters.
 */
function leftText({ left, deadLettered, deadLettersLost }: TopicJson): string {
  const causes = `overflow ${left.overflow}, expired ${left.expired}, removed ${left.removed}`;
  const lost = deadLettersLost > 0 ? `, ${deadLettersLost} dead letters lost` : '';
  return `${causes}; ${deadLettered} became dead letters${lost}`;
}
