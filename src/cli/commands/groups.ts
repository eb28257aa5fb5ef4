import type { Command } from 'commander';
import type { ConsumerJson, GroupDetailsJson, GroupJson } from '../../admin-api/index.ts';
import {
  type ClientOptions,
  addClientOptions,
  confirm,
  contextOf,
  refuseUnknownSubcommand,
  say,
  print,
  printList,
} from '../command.ts';
import { CliError, exitCode } from '../exit-code.ts';
import { formatCount, formatDuration, formatMessages, formatRate, parseDuration } from '../format.ts';
import { option, rateOption, timeOption, wholeNumberOption, withoutUndefined } from '../options.ts';
import { renderPairs, renderTable } from '../table.ts';

interface ResetOptions extends ClientOptions {
  readonly to?: string;
  readonly toOffset?: string;
  readonly toTime?: string;
  readonly yes?: boolean;
}

interface UpdateOptions extends ClientOptions {
  readonly rate?: string;
  readonly burst?: string;
  readonly concurrency?: string;
  readonly maxInFlight?: string;
  readonly keyRunMax?: string;
  readonly keysPerConsumerMax?: string;
  readonly keyConcurrency?: string;
  readonly keyRate?: string;
  readonly keyBurst?: string;
  readonly heldMax?: string;
}

/** `pillarbox groups …`. A group is named by its topic and its own name. */
export function configure(command: Command): void {
  refuseUnknownSubcommand(command);
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
    command
      .command('update <topic> <group>')
      .description('change limits of a group while it is in use; "none" takes one away')
      .option('--rate <count>', 'most deliveries a second, such as 100/s')
      .option('--burst <count>', 'of these, how many at once (default: those of a second)')
      .option('--concurrency <count>', 'most messages in flight, over all consumers and partitions')
      .option('--max-in-flight <count>', 'most messages in flight per partition')
      .option('--key-run-max <count>', 'most messages of one key with one consumer, in order')
      .option('--keys-per-consumer-max <count>', 'most keys that one consumer has at once')
      .option('--key-concurrency <count>', 'most messages of one key in flight; above 1 without an order')
      .option('--key-rate <count>', 'most deliveries of each key a second')
      .option('--key-burst <count>', 'of these, how many at once (default: those of a second)')
      .option('--held-max <count>', 'most messages held behind their keys, per partition'),
  ).action(async (topic: string, name: string, options: UpdateOptions) => {
    const context = contextOf(options);
    const body = limitsOf(options);
    if (Object.keys(body).length === 0)
      throw new CliError(exitCode.usage, 'Say what to change: --rate, --concurrency, or another limit.');
    const group = await context.client.ask(
      'POST /api/v1/topics/:topic/groups/:group/limits',
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

function limitsOf(options: UpdateOptions): object {
  const count = (flag: string, value: string | undefined): number | null | undefined =>
    value === 'none' ? null : wholeNumberOption(flag, value);
  return withoutUndefined({
    rate: rateOption('--rate', options.rate, '--burst', options.burst),
    concurrency: count('--concurrency', options.concurrency),
    maxInFlight: count('--max-in-flight', options.maxInFlight),
    keyRunMax: count('--key-run-max', options.keyRunMax),
    keysPerConsumerMax: count('--keys-per-consumer-max', options.keysPerConsumerMax),
    keyConcurrency: count('--key-concurrency', options.keyConcurrency),
    keyRate: rateOption('--key-rate', options.keyRate, '--key-burst', options.keyBurst),
    heldMax: count('--held-max', options.heldMax),
  });
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

function consumerTable(consumers: readonly ConsumerJson[], title: (text: string) => string): string {
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
