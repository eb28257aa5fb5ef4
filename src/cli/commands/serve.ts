import { relative } from 'node:path';
import { isatty } from 'node:tty';
import type { Command } from 'commander';
import { CliError, exitCode, exitCodeOfServerError } from '../exit-code.ts';
import { formatDuration } from '../format.ts';
import { raiseInliningLimits } from '../inlining.ts';
import { packageVersion } from '../program.ts';
import { outliveReader } from '../reader.ts';
import { addSettingOptions } from '../settings.ts';
import { wantsColour } from '../terminal.ts';

/** The addresses of a listening server, for the banner. */
interface Listening {
  readonly doors: readonly Door[];
  readonly adminUrl: string;
  /** Absent: it speaks http. */
  readonly adminTlsCert: string | undefined;
  readonly dataDirectory: string;
  readonly startMs: number;
}

/** A listening protocol: its title, its address with a remark, and a command to try it with. */
interface Door {
  readonly title: string;
  readonly address: string;
  readonly remark: string | undefined;
  readonly example: string | undefined;
}

/** `pillarbox serve`: assembles the parts of a broker. Its flags are the server's table of settings. */
export async function configure(command: Command): Promise<void> {
  await configureServer(command, 'disk');
}

/** The same for a server that keeps its data elsewhere. */
export async function configureServer(command: Command, storage: 'disk' | 'memory'): Promise<void> {
  const { createLog, doorsOf, loadConfiguration, startServer } = await import('../../server/index.ts');
  const flagsOf = await addSettingOptions(command);
  command.option('--no-color', 'no colours (as NO_COLOR does)');
  command.addHelpText(
    'after',
    '\nSIGTERM and SIGINT stop the broker in order; a second one stops it at once. SIGHUP reads users and certificates anew.',
  );

  command.action(async (options: { readonly [name: string]: string | boolean | undefined }) => {
    const sources = { flags: flagsOf(options), environment: process.env, directory: process.cwd() };
    const configuration = await loadConfiguration(sources);
    const { settings, file, warnings } = configuration;
    if (storage === 'memory') await checkPrivate(settings);
    const log = createLog({
      level: settings.logLevel,
      pretty: isatty(2),
      colour: wantsColour(isatty(2), process.env, options['color'] === false),
      write: (line) => void process.stderr.write(line),
    });
    outliveReader();
    // A bug: the state of the broker is unknown, so no further message may be acknowledged.
    process.on('uncaughtException', (error) => {
      log.last('an error that nothing handles: the broker stops, and acknowledges nothing more', error);
      process.exit(exitCode.storageFailed);
    });
    for (const warning of warnings) log.warn(warning);
    raiseInliningLimits();
    const starting = startServer({
      ...settings,
      log,
      version: packageVersion(),
      storage,
      configuration,
    });
    const end = async (code: number): Promise<void> => {
      await log.flush();
      process.exit(code);
    };
    let isStopping = false;
    const stop = (signal: 'SIGINT' | 'SIGTERM'): void => {
      if (isStopping) process.exit(signal === 'SIGINT' ? exitCode.interrupted : exitCode.terminated);
      isStopping = true;
      log.info('stopping: new work is refused, clients may finish', { signal });
      starting
        .then((server) => server.close())
        .then(
          () => {
            log.info('stopped');
            return end(exitCode.ok);
          },
          (error: unknown) => {
            log.fatal('the stop failed', { error });
            return end(exitCodeOf(error));
          },
        );
    };
    // Installed before the broker can be seen to run: the start writes the ports file.
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    const server = await starting;
    process.on('SIGHUP', () => {
      server.renewTls().then(
        () => log.info('certificates and keys were read anew'),
        (error: unknown) => log.error('certificates and keys stay as they were', { error }),
      );
      loadConfiguration(sources)
        .then(({ settings }) => server.renewUsers(settings))
        .then(
          () => log.info('users were read anew'),
          (error: unknown) => log.error('users stay as they were', { error }),
        );
    });
    const { host, adminHost } = settings;
    const { ports } = server;
    const dataDirectory = storage === 'memory' ? 'in memory, gone at the end' : server.dataDirectory;
    const startMs = Math.round(performance.now());
    const doors = doorsOf(settings).map((door): Door => {
      const endpoint = `${urlHost(host)}:${ports[door.name]}`;
      const { title, remark } = door;
      return { title, address: door.addressOf(endpoint), remark, example: door.exampleOf(endpoint) };
    });
    const scheme = settings.adminTlsCert === undefined ? 'http' : 'https';
    const adminUrl = `${scheme}://${urlHost(adminHost)}:${ports.admin}`;
    process.stdout.write(
      banner({ doors, adminUrl, adminTlsCert: settings.adminTlsCert, dataDirectory, startMs }, selfCommand()),
    );
    // On a terminal the banner has said so already.
    if (!isatty(2))
      log.info('the broker is ready', {
        version: packageVersion(),
        host,
        adminHost,
        ports,
        dataDirectory,
        startMs,
      });
    if (file !== undefined) log.info('settings were read from a configuration file', { file });
    // Resolves only if a write or sync failed, which the log has reported; a normal stop ends the process
    // itself.
    await end(exitCodeOf(await server.failed));
  });
}

/** A broker to develop with is for this machine only. */
async function checkPrivate(settings: { readonly host: string; readonly adminHost: string }): Promise<void> {
  const { isLoopback } = await import('../../server/index.ts');
  for (const host of [settings.host, settings.adminHost])
    if (!(await isLoopback(host)))
      throw new CliError(
        exitCode.usage,
        `A broker for development listens on this machine only, not on ${host}; "pillarbox serve" listens elsewhere.`,
      );
}

function exitCodeOf(error: unknown): number {
  const { code } = error as { code?: unknown };
  return (typeof code === 'string' ? exitCodeOfServerError[code] : undefined) ?? exitCode.failure;
}

function banner({ doors, adminUrl, adminTlsCert, dataDirectory, startMs }: Listening, self: string): string {
  const trust =
    adminTlsCert === undefined ? '' : `\n  export PILLARBOX_CA=${adminTlsCert}  # or its authority's`;
  const isDefault = adminUrl === 'http://127.0.0.1:8222';
  const width = Math.max(...doors.map(({ title }) => title.length), 'Admin'.length) + 1;
  const lines = doors
    .map(({ title, address, remark }) => {
      const note = remark === undefined ? '' : `  (${remark})`;
      return `  ${title.padEnd(width)} ${address}${note}\n`;
    })
    .join('');
  const examples = doors.map(({ example }) => (example === undefined ? '' : `or ${example}\n`)).join('');
  return `Pillarbox ${packageVersion()} is ready after ${formatDuration(startMs)}.

${lines}  ${'Admin'.padEnd(width)} ${adminUrl}  (/healthz, /metrics, /api/v1/)
  ${'Data'.padEnd(width)} ${dataDirectory}

Try it from another terminal:
${isDefault ? '' : `\n  export PILLARBOX_URL=${adminUrl}`}${trust}
  ${self} topics create orders --subjects 'orders.>'
  ${self} pub orders.new 'hello'
  ${self} tail orders

${examples}Stop with Ctrl-C.
`;
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

/** The command with which the user can start this program again. */
function selfCommand(): string {
  const script = process.argv[1] ?? 'pillarbox';
  if (process.env['npm_command'] === 'exec') return 'npx pillarbox';
  return script.endsWith('.js') ? `node ${relative(process.cwd(), script)}` : 'pillarbox';
}
