import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { GroupJson, ServerJson, TopicJson } from '../../admin-api/index.ts';
import { type ClientOptions, type CommandContext, addClientOptions, contextOf } from '../command.ts';
import { formatBytes, formatCount, formatDuration, parseDuration } from '../format.ts';
import { option } from '../options.ts';
import { Patience } from '../patience.ts';
import { shownJson, shownText } from '../../util/shown-text.ts';
import { groupTable } from './groups.ts';
import { topicTable } from './topics.ts';

interface TopOptions extends ClientOptions {
  readonly once?: boolean;
  readonly interval: string;
}

interface Snapshot {
  readonly server: ServerJson;
  readonly topics: readonly TopicJson[];
  readonly groups: readonly GroupJson[];
}

const enterScreen = '\u001B[?1049h\u001B[?25l';
const leaveScreen = '\u001B[?25h\u001B[?1049l';

/** `pillarbox top`: the busiest topics and the groups with the largest lag, redrawn once a second. */
export function configure(command: Command): void {
  addClientOptions(
    command
      .option('--once', 'print once and end')
      .option('--interval <time>', 'time between two drawings', '1s'),
  ).action(async (options: TopOptions) => {
    const context = contextOf(options);
    const intervalMs = option('--interval', options.interval, parseDuration, 'a time such as 2s') ?? 1000;
    const { terminal } = context;
    if (options.once || (!terminal.outIsTty && !context.json)) return show(context, await read(context));
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    process.once('SIGTERM', () => stop.abort());
    if (!context.json) process.stdout.write(enterScreen);
    let last: Snapshot | undefined;
    const patience = new Patience(
      {
        // The last snapshot stays on the screen.
        away: (reason) =>
          context.json || !last ? terminal.err(shownText(reason)) : redraw(context, last, true),
        back: () => context.json && terminal.err('The broker is back.'),
      },
      stop.signal,
    );
    try {
      while (!stop.signal.aborted) {
        const snapshot = await patience.ask(async () => read(context));
        last = snapshot;
        if (context.json) show(context, snapshot);
        else redraw(context, snapshot);
        await sleep(Math.max(100, intervalMs), undefined, { signal: stop.signal });
      }
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    } finally {
      if (!context.json) process.stdout.write(leaveScreen);
    }
  });
}

async function read({ client }: CommandContext): Promise<Snapshot> {
  const [server, { topics }, { groups }] = await Promise.all([
    client.ask('GET /api/v1/server', {}),
    client.ask('GET /api/v1/topics', {}),
    client.ask('GET /api/v1/groups', {}),
  ]);
  return { server, topics, groups };
}

function show(context: CommandContext, snapshot: Snapshot): void {
  context.terminal.out(context.json ? shownJson(snapshot) : render(context, snapshot, Infinity));
}

/** Draws over the previous lines without clearing them, so that nothing flickers. */
function redraw(context: CommandContext, snapshot: Snapshot, isGone: boolean = false): void {
  const rows = process.stdout.rows || 40;
  const lines = render(context, snapshot, rows, isGone)
    .split('\n')
    .slice(0, rows - 1);
  process.stdout.write(`\u001B[H${lines.map((line) => `${line}\u001B[K\n`).join('')}\u001B[J`);
}

function render(
  { client, terminal }: CommandContext,
  { server, topics, groups }: Snapshot,
  rows: number,
  isGone: boolean = false,
): string {
  const columnsMax = terminal.outIsTty ? process.stdout.columns || terminal.columns : undefined;
  const shown = share(rows - linesBesideRows, topics.length, groups.length);
  const busiest = [...topics].sort((a, b) => b.inPerSecond + b.outPerSecond - a.inPerSecond - a.outPerSecond);
  const laggards = [...groups].sort((a, b) => b.lag + b.inFlight - a.lag - a.inFlight);
  const { health } = server;
  const alarms = [
    ...(health.ready ? [] : ['not ready']),
    ...(health.diskFull ? ['disk full'] : []),
    ...(health.memoryFull ? ['memory full'] : []),
    ...(health.damage.length > 0 ? [`${health.damage.length} damaged places`] : []),
  ];
  const state = alarms.length === 0 ? terminal.style.good('healthy') : terminal.style.bad(alarms.join(', '));
  const { diskTimeToFullMs } = server.stats;
  const disk = diskTimeToFullMs === undefined ? '' : `  disk full in ${formatDuration(diskTimeToFullMs)}`;
  const heading = isGone
    ? `${terminal.style.bad(shownText(`No answer from ${client.url}: trying again. This is what was last seen.`))}\n`
    : '';
  const parts = [
    heading +
      `Pillarbox ${server.version} at ${client.url}  up ${formatDuration(server.uptimeMs)}  ${state}  ` +
      `${formatCount(server.connections)} connections  ${formatBytes(server.memory.rssBytes)} memory${disk}`,
    topics.length === 0
      ? 'no topics'
      : topicTable(busiest.slice(0, shown.topics), terminal.style.bold, columnsMax) +
        hidden(topics.length - shown.topics, 'topic', terminal.style.dim),
    groups.length === 0
      ? 'no groups'
      : groupTable(laggards.slice(0, shown.groups), terminal.style.bold, columnsMax) +
        hidden(groups.length - shown.groups, 'group', terminal.style.dim),
  ];
  return parts.join('\n\n');
}

/**
 * Lines besides the rows: the heading, a line for a lost broker, titles, counts of hidden rows, blank lines,
 * and the last line, which stays empty.
 */
const linesBesideRows = 10;

/**
 * The number of rows for each table: half, plus rows that the other does not need. At least one each, so that
 * every table shows something.
 */
export function share(rows: number, topics: number, groups: number): { topics: number; groups: number } {
  const room = Math.max(2, rows);
  const shownTopics = Math.min(topics, Math.max(Math.floor(room / 2), room - groups));
  return { topics: shownTopics, groups: Math.min(groups, room - shownTopics) };
}

/** A line with the number of rows that do not fit. */
function hidden(count: number, noun: string, dim: (text: string) => string): string {
  if (count <= 0) return '';
  const what = `${formatCount(count)} more ${noun}${count === 1 ? '' : 's'}`;
  return `\n${dim(`… ${what}: a taller window shows more, "pillarbox ${noun}s" shows all`)}`;
}
