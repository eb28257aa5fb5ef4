import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { apiPath } from '../admin-client.ts';
import type { GroupJson, ServerJson, TopicJson } from '../admin-types.ts';
import { type ClientOptions, type CommandContext, addClientOptions, contextOf } from '../command.ts';
import { formatBytes, formatCount, formatDuration, parseDuration } from '../format.ts';
import { option } from '../options.ts';
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

/** `pillarbox top`: the busiest topics and the groups that lag most, drawn over once a second. */
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
    try {
      while (!stop.signal.aborted) {
        const snapshot = await read(context);
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
    client.get<ServerJson>(apiPath('server')),
    client.get<{ topics: TopicJson[] }>(apiPath('topics')),
    client.get<{ groups: GroupJson[] }>(apiPath('groups')),
  ]);
  return { server, topics, groups };
}

function show(context: CommandContext, snapshot: Snapshot): void {
  context.terminal.out(context.json ? JSON.stringify(snapshot) : render(context, snapshot, Infinity));
}

/** Draws line over line, so that nothing flickers. */
function redraw(context: CommandContext, snapshot: Snapshot): void {
  const rows = process.stdout.rows || 40;
  const lines = render(context, snapshot, rows)
    .split('\n')
    .slice(0, rows - 1);
  process.stdout.write(`\u001B[H${lines.map((line) => `${line}\u001B[K\n`).join('')}\u001B[J`);
}

function render(
  { client, terminal }: CommandContext,
  { server, topics, groups }: Snapshot,
  rows: number,
): string {
  const columnsMax = terminal.outIsTty ? process.stdout.columns || terminal.columns : undefined;
  const each = Math.max(3, Math.floor((rows - 7) / 2));
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
  const parts = [
    `Pillarbox ${server.version} at ${client.url}  up ${formatDuration(server.uptimeMs)}  ${state}  ` +
      `${formatCount(server.connections)} connections  ${formatBytes(server.memory.rssBytes)} memory`,
    topics.length === 0 ? 'no topics' : topicTable(busiest.slice(0, each), terminal.style.bold, columnsMax),
    groups.length === 0 ? 'no groups' : groupTable(laggards.slice(0, each), terminal.style.bold, columnsMax),
  ];
  return parts.join('\n\n');
}
