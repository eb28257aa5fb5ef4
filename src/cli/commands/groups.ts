import type { Command } from 'commander';
import type { ConsumerJson, GroupDetailsJson, GroupJson } from '../../admin-api/index.ts';
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
import { formatCount, formatDuration, formatMessages, formatRate, parseDuration } from '../format.ts';
import { type GroupSettingOptions, addGroupSettings, groupSettings } from '../group-settings.ts';
import { option, timeOption, wholeNumberOption, withoutNull, withoutUndefined } from '../options.ts';
import { renderPairs, renderTable } from '../table.ts';

interface ResetOptions extends ClientOptions {
  readonly to?: string;
  readonly toOffset?: string;
  readonly toTime?: string;
  readonly yes?: boolean;
}

interface CreateOptions extends ClientOptions, GroupSettingOptions {
  readonly start?: string;
  readonly startOffset?: string;
  readonly startTime?: string;
  readonly ordering?: string;
  readonly ack?: string;
}

/** `pillarbox groups …`. A group is named by its topic and its own name. */
export function configure(command: Command): void {
  addClientOptions(
    command
      .command('list', { isDefault: true })
      .description('all groups, or those of one topic')
      .argument('[topic]'),
  ).action(async (topic: string | undefined, options: ClientOptions) => {
    const context = contextOf(options);
    const { client } = context;
    const { groups } =
      topic === undefined
        ? await client.ask('GET /api/v1/groups', {})
        : await client.ask('GET /api/v1/topics/:topic/groups', { topic });
    printList(context, groups, () =>
      groups.length === 0
        ? 'There is no group yet; a client makes one when it begins to consume.'
        : groupTable(groups, context.terminal.style.bold),
    );
  });

  addClientOptions(command.command('show <topic> <group>').description('one group')).action(
    async (topic: string, name: string, options: ClientOptions) => {
      const context = contextOf(options);
      const group = await context.client.ask('GET /api/v1/topics/:topic/groups/:group', {
        topic,
        group: name,
      });
      print(context, group, () => groupDetails(group, context.terminal.style.bold));
    },
  );

  addClientOptions(
    command
      .command('pause <topic> <group>')
      .description('deliver nothing until resumed')
      .option('--for <time>', 'resume by itself after a time such as 30m'),
  ).action(async (topic: string, name: string, options: ClientOptions & { for?: string }) => {
    const context = contextOf(options);
    const forMs = option('--for', options.for, parseDuration, 'a time such as 30m');
    const body = withoutUndefined({ forMs });
    const group = await context.client.ask(
      'POST /api/v1/topics/:topic/groups/:group/pause',
      { topic, group: name },
      { body },
    );
    const until = forMs === undefined ? '' : ` for ${formatDuration(forMs)}`;
    say(context, group, () => `Paused group ${name} of topic ${topic}${until}.`);
  });

  addClientOptions(command.command('resume <topic> <group>').description('deliver again')).action(
    async (topic: string, name: string, options: ClientOptions) => {
      const context = contextOf(options);
      const group = await context.client.ask('POST /api/v1/topics/:topic/groups/:group/resume', {
        topic,
        group: name,
      });
      say(context, group, () => `Resumed group ${name} of topic ${topic}.`);
    },
  );

  addClientOptions(
    command
      .command('release <topic> <group>')
      .description('let the next consumer of a group with a single active one take over'),
  ).action(async (topic: string, name: string, options: ClientOptions) => {
    const context = contextOf(options);
    const group = await context.client.ask('POST /api/v1/topics/:topic/groups/:group/release-active', {
      topic,
      group: name,
    });
    const { active } = group;
    const next =
      active === null ? 'none yet' : (active.member ?? active.label ?? 'a consumer without a name');
    say(context, group, () => `The active consumer of group ${name} of topic ${topic} is now ${next}.`);
  });

  addClientOptions(
    addGroupSettings(
      command
        .command('create <topic> <group>')
        .description('create a group; clients make their own, too')
        .option('--start <place>', 'all, new (the end), last or last-per-key (default: all)')
        .option('--start-offset <offset>', 'start at an offset')
        .option('--start-time <time>', 'start at a time such as 2026-01-31T12:00:00Z, or 1h for an hour ago')
        .option('--ordering <kind>', 'none, or key: one message of each key at a time (default: none)')
        .option('--ack <policy>', 'explicit, all or none (default: explicit)'),
    ),
  ).action(async (topic: string, name: string, options: CreateOptions) => {
    const context = contextOf(options);
    const { ordering, ack } = options;
    const start = groupStart(options);
    const body = withoutNull(withoutUndefined({ name, start, ordering, ack, ...groupSettings(options) }));
    const group = await context.client.ask('POST /api/v1/topics/:topic/groups', { topic }, { body });
    say(context, group, () => `Created group ${name} of topic ${topic}.`);
  });

  addClientOptions(
    addGroupSettings(
      command
        .command('update <topic> <group>')
        .description(
          'change settings of a group while it is in use; those that are not given stay, and "none" takes one away',
        ),
    ),
  ).action(async (topic: string, name: string, options: ClientOptions & GroupSettingOptions) => {
    const context = contextOf(options);
    const body = groupSettings(options);
    if (Object.keys(body).length === 0)
      throw new CliError(exitCode.usage, 'Say what to change: --rate, --concurrency, or another setting.');
    const group = await context.client.ask(
      'PATCH /api/v1/topics/:topic/groups/:group',
      { topic, group: name },
      { body },
    );
    say(context, group, () => `Changed group ${name} of topic ${topic}.`);
  });

  addClientOptions(
    command
      .command('reset <topic> <group>')
      .description('move a group to another place of its topic')
      .option('--to <place>', 'all (the start), new (the end) or last (the newest message)')
      .option('--to-offset <offset>', 'an offset')
      .option('--to-time <time>', 'a time such as 2026-01-31T12:00:00Z, or 1h for an hour ago')
      .option('--yes', 'do not ask'),
  ).action(async (topic: string, name: string, options: ResetOptions) => {
    const context = contextOf(options);
    const start = resetStart(options);
    const question = `Move group ${name} of topic ${topic}? Messages may be delivered again or passed over.`;
    if (!(await confirm(context.terminal, question, options.yes === true)))
      throw new CliError(exitCode.failure, `Group ${name} was not moved.`);
    const group = await context.client.ask(
      'POST /api/v1/topics/:topic/groups/:group/reset',
      { topic, group: name },
      { body: { start } },
    );
    say(
      context,
      group,
      () => `Moved group ${name} of topic ${topic}; ${formatMessages(group.lag)} lie before it.`,
    );
  });

  addClientOptions(
    command.command('delete <topic> <group>').description('delete a group').option('--yes', 'do not ask'),
  ).action(async (topic: string, name: string, options: ClientOptions & { yes?: boolean }) => {
    const context = contextOf(options);
    const question = `Delete group ${name} of topic ${topic}? Its position is lost.`;
    if (!(await confirm(context.terminal, question, options.yes === true)))
      throw new CliError(exitCode.failure, `Group ${name} was not deleted.`);
    const result = await context.client.ask('DELETE /api/v1/topics/:topic/groups/:group', {
      topic,
      group: name,
    });
    say(context, result, () => `Deleted group ${name} of topic ${topic}.`);
  });
}

function groupStart({ start, startOffset, startTime }: CreateOptions): object | undefined {
  if ([start, startOffset, startTime].filter((given) => given !== undefined).length > 1)
    throw new CliError(exitCode.usage, 'Give one of --start, --start-offset and --start-time.');
  if (startOffset !== undefined)
    return { kind: 'offset', offset: wholeNumberOption('--start-offset', startOffset) };
  if (startTime !== undefined) return { kind: 'time', timestampMs: timeOption('--start-time', startTime) };
  return start === undefined ? undefined : { kind: start };
}

function resetStart(options: ResetOptions): object {
  const { to, toOffset, toTime } = options;
  if ([to, toOffset, toTime].filter((given) => given !== undefined).length !== 1)
    throw new CliError(exitCode.usage, 'Say where to: one of --to all|new|last, --to-offset or --to-time.');
  if (toOffset !== undefined) return { kind: 'offset', offset: wholeNumberOption('--to-offset', toOffset) };
  if (toTime !== undefined) return { kind: 'time', timestampMs: timeOption('--to-time', toTime) };
  if (to !== 'all' && to !== 'new' && to !== 'last')
    throw new CliError(exitCode.usage, `--to must be all, new or last, not "${to}".`);
  return { kind: to };
}

export function groupTable(
  groups: readonly GroupJson[],
  title: (text: string) => string,
  columnsMax?: number,
): string {
  const rows = groups.map((group) => [
    group.topic,
    group.name + (group.paused ? ' (paused)' : group.heldUntilMs === null ? '' : ' (held)'),
    String(group.consumers),
    formatCount(group.lag),
    formatCount(group.inFlight),
    formatCount(group.redelivered),
    formatRate(group.outPerSecond),
    formatDuration(group.oldestAgeMs ?? undefined),
    formatDuration(group.timeToEmptyMs ?? undefined),
  ]);
  return renderTable(
    [
      { title: 'TOPIC' },
      { title: 'GROUP' },
      { title: 'CONSUMERS', align: 'right' },
      { title: 'LAG', align: 'right' },
      { title: 'IN FLIGHT', align: 'right' },
      { title: 'REDELIVERED', align: 'right' },
      { title: 'OUT/S', align: 'right' },
      { title: 'OLDEST', align: 'right' },
      { title: 'EMPTY IN', align: 'right' },
    ],
    rows,
    { title, ...(columnsMax === undefined ? {} : { columnsMax }) },
  );
}

function groupDetails(group: GroupDetailsJson, title: (text: string) => string): string {
  const { consumerList, ...rest } = group;
  const pairs = renderPairs(Object.entries(rest).map(([name, value]) => [name, shown(value)] as const));
  return consumerList.length === 0 ? pairs : `${pairs}\n\n${consumerTable(consumerList, title)}`;
}

export function consumerTable(consumers: readonly ConsumerJson[], title: (text: string) => string): string {
  return renderTable(
    [
      { title: 'CONSUMER' },
      { title: 'CONNECTION', align: 'right' },
      { title: 'PRIORITY', align: 'right' },
      { title: 'GETS' },
      { title: 'HOLDS', align: 'right' },
      { title: 'FOR', align: 'right' },
      { title: 'TAKES', align: 'right' },
    ],
    consumers.map((consumer) => {
      const { label, member, connection, priority, held, heldSinceMs, credit } = consumer;
      return [
        (label ?? '-') + (member === null || member === label ? '' : ` (${member})`),
        connection === null ? '-' : String(connection),
        String(priority),
        partOf(consumer),
        formatCount(held),
        formatDuration(heldSinceMs === null ? undefined : Date.now() - heldSinceMs),
        credit === null ? 'any' : formatCount(credit),
      ];
    }),
    { title },
  );
}

/** What the consumer gets of its group. */
function partOf({ active, exclusive }: ConsumerJson): string {
  if (exclusive) return 'all, exclusive';
  return active ? 'messages' : 'none, waits';
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
