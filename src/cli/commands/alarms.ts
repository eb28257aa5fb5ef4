import { type Command, Option } from 'commander';
import type { AlarmJson } from '../../admin-api/index.ts';
import { type ClientOptions, addClientOptions, contextOf, printList } from '../command.ts';
import { exitCode } from '../exit-code.ts';
import { formatDuration } from '../format.ts';
import { setExitCode } from '../program.ts';
import { shownText } from '../../util/shown-text.ts';

interface AlarmsOptions extends ClientOptions {
  readonly topic?: string;
  readonly level?: string;
  readonly check?: boolean;
}

/** `pillarbox alarms`: what is wrong, since when, and what to do. */
export function configure(command: Command): void {
  addClientOptions(
    command
      .option('--topic <topic>', 'only those of a topic')
      .addOption(new Option('--level <level>', 'only those of a level').choices(['warning', 'critical']))
      .option('--check', `exit with ${exitCode.notFound} if a critical alarm fires`),
  ).action(async ({ topic, level, check, ...options }: AlarmsOptions) => {
    const context = contextOf(options);
    const query = {
      ...(topic === undefined ? {} : { topic }),
      ...(level === undefined ? {} : { level }),
    };
    const { alarms, omitted } = await context.client.ask('GET /api/v1/alarms', {}, { query });
    const { bold } = context.terminal.style;
    printList(context, alarms, () =>
      alarms.length === 0 ? 'Nothing is wrong.' : alarms.map((alarm) => alarmText(alarm, bold)).join('\n\n'),
    );
    if (omitted > 0) context.terminal.err(`${omitted} more alarms are not listed: see alarms-max.`);
    const isCritical = alarms.some(({ level, state }) => level === 'critical' && state === 'firing');
    if (check && isCritical) setExitCode(exitCode.notFound);
  });
}

/** The head of an alarm, its reason and its remedy, one a line. */
function alarmText(alarm: AlarmJson, bold: (text: string) => string): string {
  const { level, state, rule, topic, group, since, reason, remedy } = alarm;
  const of = [topic, group].filter((name) => name !== null).join(' / ');
  const age = formatDuration(Math.max(0, Date.now() - Date.parse(since)));
  const head = [level, rule, ...(of === '' ? [] : [of]), `${state === 'pending' ? 'pending' : 'for'} ${age}`];
  return [bold(shownText(head.join('  '))), `  ${shownText(reason)}`, `  → ${shownText(remedy)}`].join('\n');
}
