import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import type { ServerJson } from '../../admin-api/index.ts';
import type { NatsAddress } from '../bench/load-socket.ts';
import {
  type BenchOptions,
  type BenchResult,
  measureConsume,
  measureLive,
  measureStored,
} from '../bench/scenarios.ts';
import { type ClientOptions, addClientOptions, contextOf } from '../command.ts';
import { CliError, exitCode } from '../exit-code.ts';
import { formatBytes, formatCount, parseBytes, parseDuration } from '../format.ts';
import { option, wholeNumberOption } from '../options.ts';
import { ProgressBar } from '../progress-bar.ts';
import { renderTable } from '../table.ts';
import { shownJson } from '../../util/shown-text.ts';

interface BenchCommandOptions extends ClientOptions {
  readonly time: string;
  readonly size: string;
  readonly window: string;
  readonly natsUrl?: string;
}

/**
 * `pillarbox bench`: some seconds of load on a running broker, on a topic of its own that is deleted
 * afterwards.
 */
export function configure(command: Command): void {
  addClientOptions(
    command
      .option('--time <time>', 'how long each part takes', '2s')
      .option('--size <size>', 'bytes of a message', '128')
      .option('--window <count>', 'publishes that may be unacknowledged', '1024')
      .option('--nats-url <url>', 'NATS address with credentials, such as nats://user:password@host:4222'),
  ).action(async (options: BenchCommandOptions) => {
    const context = contextOf(options);
    const { client, terminal } = context;
    const server = await client.ask('GET /api/v1/server', {});
    const topic = `pillarbox-bench-${randomBytes(4).toString('hex')}`;
    const windowMax = Math.max(1, wholeNumberOption('--window', options.window) ?? 1024);
    const ms = option('--time', options.time, parseDuration, 'a time such as 2s') ?? 2000;
    const bytes = option('--size', options.size, parseBytes, 'a size such as 1KiB') ?? 128;
    const remove = (): Promise<unknown> => client.ask('DELETE /api/v1/topics/:topic', { topic });
    const interrupted = (): void => {
      void remove().finally(() => process.exit(exitCode.interrupted));
    };
    await client.ask('POST /api/v1/topics', {}, { body: { name: topic, subjects: [`${topic}.>`] } });
    process.once('SIGINT', interrupted);
    const results: BenchResult[] = [];
    const measure = async (
      label: string,
      run: (bench: BenchOptions) => Promise<BenchResult>,
    ): Promise<BenchResult> => {
      using progress = new ProgressBar(label, ms, process.stderr);
      const measured = await run({
        address: natsAddress(server, options.natsUrl),
        ms,
        bytes,
        window: windowMax,
        storedSubject: `${topic}.message`,
        topic,
        onProgress: (elapsedMs) => progress.update(Math.round(elapsedMs)),
      });
      progress.hide();
      results.push(measured);
      if (context.json) terminal.out(shownJson(measured));
      return measured;
    };
    try {
      await measure('live', measureLive);
      const one = await measure('one at a time', (bench) => measureStored(bench, 1));
      const many =
        windowMax === 1 ? undefined : await measure('stored', (bench) => measureStored(bench, windowMax));
      const stored = one.messages + (many?.messages ?? 0);
      await measure('consume', (bench) => measureConsume(bench, stored));
    } finally {
      process.off('SIGINT', interrupted);
      await remove();
    }
    if (!context.json) terminal.out(render(results, bytes, terminal.style.bold));
    terminal.err(
      'One process makes the load and shares this machine with the broker; npm run bench in a checkout measures in depth.',
    );
  });
}

function natsAddress(server: ServerJson, url: string | undefined): NatsAddress {
  const everywhere = server.host === '0.0.0.0' || server.host === '::';
  if (url === undefined) {
    const port = server.ports['nats'];
    if (port === undefined)
      throw new CliError(
        exitCode.unavailable,
        'The benchmark publishes as a NATS client, and this broker runs with --nats-port off; start it with a NATS port.',
      );
    return { host: everywhere ? '127.0.0.1' : server.host, port };
  }
  if (!URL.canParse(url))
    throw new CliError(exitCode.usage, `--nats-url must be such as nats://127.0.0.1:4222, not "${url}".`);
  const { hostname, port, username, password } = new URL(url);
  const user = decodeURIComponent(username) || undefined;
  const secret = decodeURIComponent(password) || undefined;
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port || 4222),
    // As in NATS clients: a user without a password is a token.
    ...(secret === undefined ? { token: user } : { user, password: secret }),
  };
}

function render(results: readonly BenchResult[], bytes: number, title: (text: string) => string): string {
  const ms = (value: number | undefined): string => (value === undefined ? '' : `${value.toFixed(2)} ms`);
  return renderTable(
    [
      { title: `${bytes} BYTES` },
      { title: 'MESSAGES', align: 'right' },
      { title: 'PER SECOND', align: 'right' },
      { title: 'DATA/S', align: 'right' },
      { title: 'MEDIAN', align: 'right' },
      { title: 'P99', align: 'right' },
    ],
    results.map((result) => [
      result.scenario,
      formatCount(result.messages),
      formatCount(result.perSecond),
      formatBytes(Math.round(result.perSecond * bytes)),
      ms(result.medianMs),
      ms(result.p99Ms),
    ]),
    { title },
  );
}
