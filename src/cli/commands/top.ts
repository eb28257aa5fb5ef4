import type { Command } from 'commander';
import type { GroupDetailsJson, GroupJson, ServerJson, TopicJson } from '../../admin-api/index.ts';
import { type ClientOptions, type CommandContext, addClientOptions, contextOf } from '../command.ts';
import { formatBytes, formatCount, formatDuration, parseDuration } from '../format.ts';
import { option } from '../options.ts';
import { Patience } from '../patience.ts';
import { shownJson, shownText } from '../../util/shown-text.ts';
import { TopView, keysOf } from '../top-view.ts';
import { consumerTable, groupTable } from './groups.ts';
import { topicTable } from './topics.ts';

interface TopOptions extends ClientOptions {
  readonly once?: boolean;
  readonly interval: string;
}

interface Snapshot {
  readonly server: ServerJson;
  readonly topics: readonly TopicJson[];
  readonly groups: readonly GroupJson[];
  /** Groups of the topic that is shown alone, the first ones of them. */
  readonly opened?: readonly GroupDetailsJson[];
}

const enterScreen = '\u001B[?1049h\u001B[?25l';
const leaveScreen = '\u001B[?25h\u001B[?1049l';

/** Groups of one topic whose consumers are shown. */
const openedMax = 10;

/**
 * `pillarbox top`: the busiest topics and the groups with the largest lag, redrawn once a second. Keys sort,
 * filter, pause, and open one topic.
 */
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
    const view = new TopView();
    let last: Snapshot | undefined;
    let isGone = false;
    let isAsked = false;
    let wake = (): void => {};
    stop.signal.addEventListener('abort', () => wake());
    const draw = (): void => {
      if (last && !context.json) redraw(context, last, view, isGone);
    };
    const patience = new Patience(
      {
        // The last snapshot stays on the screen.
        away: (reason) => {
          isGone = true;
          if (context.json || !last) terminal.err(shownText(reason));
          draw();
        },
        back: () => {
          isGone = false;
          if (context.json) terminal.err('The broker is back.');
        },
      },
      stop.signal,
    );
    const leaveKeys = context.json
      ? () => {}
      : watchKeys((key) => {
          const pressed = view.press(key);
          if (pressed === 'quit') stop.abort();
          if (pressed === 'question') {
            isAsked = true;
            wake();
          }
          if (pressed !== 'nothing') draw();
        });
    process.stdout.on('resize', draw);
    try {
      while (!stop.signal.aborted) {
        if (!view.isPaused || isAsked) {
          isAsked = false;
          last = await patience.ask(async () => read(context, view.topic));
          if (context.json) show(context, last);
          else draw();
        }
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.max(100, intervalMs));
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    } finally {
      leaveKeys();
      process.stdout.off('resize', draw);
      if (!context.json) process.stdout.write(leaveScreen);
    }
  });
}

/** Calls back with each key. The result gives the terminal back. */
function watchKeys(pressed: (key: string) => void): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) return () => {};
  const read = (chunk: Buffer): void => keysOf(chunk.toString('utf8')).forEach(pressed);
  stdin.setRawMode(true);
  stdin.on('data', read);
  return () => {
    stdin.off('data', read);
    stdin.setRawMode(false);
    stdin.pause();
  };
}

async function read({ client }: CommandContext, topic?: string): Promise<Snapshot> {
  const [server, { topics }, { groups }] = await Promise.all([
    client.ask('GET /api/v1/server', {}),
    client.ask('GET /api/v1/topics', {}),
    client.ask('GET /api/v1/groups', {}),
  ]);
  if (topic === undefined) return { server, topics, groups };
  const names = groups.filter((group) => group.topic === topic).slice(0, openedMax);
  const details = names.map(({ name }) =>
    client.ask('GET /api/v1/topics/:topic/groups/:group', { topic, group: name }),
  );
  // A group may be gone meanwhile.
  const opened = await Promise.all(details.map((asked) => asked.catch(() => undefined)));
  return { server, topics, groups, opened: opened.filter((group) => group !== undefined) };
}

function show(context: CommandContext, snapshot: Snapshot): void {
  context.terminal.out(
    context.json ? shownJson(snapshot) : render(context, snapshot, { rows: Infinity, view: new TopView() }),
  );
}

/** Draws over the previous lines without clearing them, so that nothing flickers. */
function redraw(context: CommandContext, snapshot: Snapshot, view: TopView, isGone: boolean): void {
  const rows = process.stdout.rows || 40;
  const lines = render(context, snapshot, { rows, view, isGone })
    .split('\n')
    .slice(0, rows - 2);
  const { dim } = context.terminal.style;
  if (process.stdin.isTTY) lines.push(dim(shownText(view.footer).slice(0, process.stdout.columns || 100)));
  process.stdout.write(`\u001B[H${lines.map((line) => `${line}\u001B[K\n`).join('')}\u001B[J`);
}

function render(
  { client, terminal }: CommandContext,
  { server, topics, groups, opened }: Snapshot,
  {
    rows,
    view,
    isGone = false,
  }: { readonly rows: number; readonly view: TopView; readonly isGone?: boolean },
): string {
  const columnsMax = terminal.outIsTty ? process.stdout.columns || terminal.columns : undefined;
  const arranged = view.arrangeTopics(topics);
  const laggards = view.arrangeGroups(groups);
  const shown = share(rows - linesBesideRows, arranged.length, laggards.length);
  // The selected topic is among those that are shown.
  const from = Math.max(0, (view.selectedRow ?? 0) - shown.topics + 1);
  const busiest = arranged.slice(from, from + shown.topics);
  const selected = Number.isFinite(rows) && process.stdin.isTTY ? view.selectedRow : undefined;
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
    arranged.length === 0
      ? 'no topics'
      : marked(
          topicTable(busiest, terminal.style.bold, columnsMax),
          selected === undefined ? undefined : selected - from + 1,
          terminal.style.selected,
        ) + hidden(arranged.length - shown.topics, 'topic', terminal.style.dim),
    laggards.length === 0
      ? 'no groups'
      : groupTable(laggards.slice(0, shown.groups), terminal.style.bold, columnsMax) +
        hidden(laggards.length - shown.groups, 'group', terminal.style.dim),
    ...(view.topic === undefined ? [] : consumers(opened ?? [], terminal.style.bold)),
  ];
  return parts.join('\n\n');
}

/** The consumers of each group that has some. */
function consumers(groups: readonly GroupDetailsJson[], title: (text: string) => string): string[] {
  return groups
    .filter(({ consumerList }) => consumerList.length > 0)
    .map(({ name, consumerList }) => `${shownText(name)}\n${consumerTable(consumerList, title)}`);
}

/** A table with one of its lines marked. */
function marked(table: string, line: number | undefined, mark: (text: string) => string): string {
  return table
    .split('\n')
    .map((text, at) => (at === line ? mark(text) : text))
    .join('\n');
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
