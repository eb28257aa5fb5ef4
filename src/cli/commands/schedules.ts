import type { Command } from 'commander';
import type { ScheduleJson } from '../../admin-api/index.ts';
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
import { formatCount, formatDuration, parseDuration } from '../format.ts';
import { headerOption, option, timeOption, wholeNumberOption, withoutUndefined } from '../options.ts';
import { renderPairs, renderTable } from '../table.ts';

interface DefineOptions extends ClientOptions {
  readonly cron?: string;
  readonly timeZone?: string;
  readonly every?: string;
  readonly at?: string;
  readonly start?: string;
  readonly end?: string;
  readonly count?: string;
  readonly jitter?: string;
  readonly missed?: string;
  readonly whenEnded?: string;
  readonly ttl?: string;
  readonly priority?: string;
  readonly key?: string;
  readonly header?: readonly string[];
}

/** `pillarbox schedules …`. A schedule is named by its own name, which is unique in the broker. */
export function configure(command: Command): void {
  addClientOptions(
    command
      .command('list', { isDefault: true })
      .description('all schedules, or those of one topic')
      .argument('[topic]'),
  ).action(async (topic: string | undefined, options: ClientOptions) => {
    const context = contextOf(options);
    const query = topic === undefined ? {} : { topic };
    const { schedules } = await context.client.ask('GET /api/v1/schedules', {}, { query });
    printList(context, schedules, () =>
      schedules.length === 0 ? 'There is no schedule.' : table(schedules, context.terminal.style.bold),
    );
  });

  addClientOptions(command.command('show <schedule>').description('one schedule')).action(
    async (schedule: string, options: ClientOptions) => {
      const context = contextOf(options);
      const shown = await context.client.ask('GET /api/v1/schedules/:schedule', { schedule });
      print(context, shown, () => details(shown));
    },
  );

  addClientOptions(
    command
      .command('define <schedule> <topic> [value]')
      .description('define a schedule, or change the one of that name')
      .option('--cron <expression>', 'run by a cron expression such as "0 7 * * *"')
      .option('--time-zone <zone>', 'time zone of the expression, such as Europe/Berlin (default: UTC)')
      .option('--every <time>', 'run at an interval such as 15m')
      .option('--at <time>', 'run once, at a time such as 2026-01-31T12:00:00Z')
      .option('--start <time>', 'not before this time')
      .option('--end <time>', 'not after this time')
      .option('--count <count>', 'end after so many runs')
      .option('--jitter <time>', 'be late by a random part of a time such as 30s')
      .option('--missed <policy>', 'what becomes of missed runs: once, all or skip')
      .option('--when-ended <what>', 'keep it in the list, or delete it')
      .option('--ttl <time>', 'each message expires after a time such as 1h')
      .option('--priority <level>', 'priority of the message')
      .option('--key <key>', 'key of the message')
      .option('--header <name=value...>', 'headers of the message'),
  ).action(async (name: string, topic: string, value: string | undefined, options: DefineOptions) => {
    const context = contextOf(options);
    const body = withoutUndefined({
      name,
      topic,
      value,
      key: options.key,
      ttlMs: option('--ttl', options.ttl, parseDuration, 'a time such as 1h'),
      priority: wholeNumberOption('--priority', options.priority),
      headers: options.header?.map((text) => headerOption('--header', text)),
      cron: options.cron,
      timeZone: options.timeZone,
      everyMs: option('--every', options.every, parseDuration, 'a time such as 15m'),
      atMs: timeOption('--at', options.at),
      startMs: timeOption('--start', options.start),
      endMs: timeOption('--end', options.end),
      count: wholeNumberOption('--count', options.count),
      jitterMs: option('--jitter', options.jitter, parseDuration, 'a time such as 30s'),
      missed: options.missed,
      whenEnded: options.whenEnded,
    });
    const schedule = await context.client.ask('POST /api/v1/schedules', {}, { body });
    say(context, schedule, () => `Schedule ${name}: next run ${schedule.nextTime ?? 'never'}.`);
  });

  addClientOptions(command.command('pause <schedule>').description('run no more until resumed')).action(
    async (schedule: string, options: ClientOptions) => {
      const context = contextOf(options);
      const shown = await context.client.ask('POST /api/v1/schedules/:schedule/pause', { schedule });
      say(context, shown, () => `Paused schedule ${schedule}.`);
    },
  );

  addClientOptions(command.command('resume <schedule>').description('run again')).action(
    async (schedule: string, options: ClientOptions) => {
      const context = contextOf(options);
      const shown = await context.client.ask('POST /api/v1/schedules/:schedule/resume', { schedule });
      say(context, shown, () => `Resumed schedule ${schedule}: next run ${shown.nextTime ?? 'never'}.`);
    },
  );

  addClientOptions(
    command.command('run <schedule>').description('publish its message now, besides its times'),
  ).action(async (schedule: string, options: ClientOptions) => {
    const context = contextOf(options);
    const run = await context.client.ask('POST /api/v1/schedules/:schedule/run', { schedule });
    say(
      context,
      run,
      () => `Stored on disk: topic ${run.topic}, partition ${run.partition}, offset ${run.offset}.`,
    );
  });

  addClientOptions(
    command.command('delete <schedule>').description('delete a schedule').option('--yes', 'do not ask'),
  ).action(async (schedule: string, options: ClientOptions & { yes?: boolean }) => {
    const context = contextOf(options);
    if (!(await confirm(context.terminal, `Delete schedule ${schedule}?`, options.yes === true)))
      throw new CliError(exitCode.failure, `Schedule ${schedule} was not deleted.`);
    const result = await context.client.ask('DELETE /api/v1/schedules/:schedule', { schedule });
    say(context, result, () => `Deleted schedule ${schedule}.`);
  });
}

/** `every 15m`, `0 7 * * * (Europe/Berlin)`, `at 2026-…`. */
function timesText({ cron, timeZone, everyMs, atMs }: ScheduleJson): string {
  if (cron !== null) return timeZone === null ? cron : `${cron} (${timeZone})`;
  if (everyMs !== null) return `every ${formatDuration(everyMs)}`;
  return `at ${timeText(atMs)}`;
}

function timeText(ms: number | null): string {
  return ms === null ? '' : new Date(ms).toISOString();
}

function table(schedules: readonly ScheduleJson[], title: (text: string) => string): string {
  return renderTable(
    [
      { title: 'SCHEDULE' },
      { title: 'TOPIC' },
      { title: 'TIMES' },
      { title: 'STATUS' },
      { title: 'NEXT RUN' },
      { title: 'LAST RUN' },
      { title: 'RUNS', align: 'right' },
      { title: 'MISSED', align: 'right' },
    ],
    schedules.map((schedule) => [
      schedule.name,
      schedule.topic,
      timesText(schedule),
      schedule.failure === null ? schedule.status : 'refused',
      schedule.nextTime ?? '-',
      schedule.lastTime ?? '-',
      formatCount(schedule.runs),
      formatCount(schedule.missedRuns),
    ]),
    { title },
  );
}

function details(schedule: ScheduleJson): string {
  const { failure, carrier } = schedule;
  return renderPairs([
    ['schedule', schedule.name],
    ['topic', schedule.topic],
    ['status', schedule.status],
    ['times', timesText(schedule)],
    ['start', timeText(schedule.startMs)],
    ['end', timeText(schedule.endMs)],
    ['count', schedule.count === null ? '' : formatCount(schedule.count)],
    ['jitter', schedule.jitterMs === null ? '' : formatDuration(schedule.jitterMs)],
    ['missed runs', `${formatCount(schedule.missedRuns)} (${schedule.missed})`],
    ['runs', formatCount(schedule.runs)],
    ['next run', schedule.nextTime ?? ''],
    ['last run', schedule.lastTime ?? ''],
    ['refused', failure === null ? '' : `${failure.attempts} times; the last time: ${failure.message}`],
    ['lives with', carrier === null ? '' : `partition ${carrier.partition}, offset ${carrier.offset}`],
    ['key', schedule.key ?? ''],
    ...schedule.headers.map(({ name, value }) => [`  ${name}`, value ?? ''] as const),
    ['value', schedule.value ?? ''],
  ]);
}
