import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';
import { type TemporaryDirectory, makeTemporaryDirectory } from './temporary-directory.ts';

/**
 * The broker under test: our own server, or, with PILLARBOX_ORACLE=/path/to/nats-server, nats-server itself.
 * The interop tests are written against the latter, so that they assert the real behaviour of NATS.
 */
export type ServerKind = 'pillarbox' | 'nats-server';

export const oraclePath: string | undefined = process.env['PILLARBOX_ORACLE'] || undefined;
/**
 * A nats-server to compare with, for tests that ask both: the oracle, or the one that `.ci/peers` brought.
 */
export const comparedPath: string | undefined = oraclePath ?? (process.env['NATS_SERVER'] || undefined);
export const serverKind: ServerKind = oraclePath === undefined ? 'pillarbox' : 'nats-server';

/** The same said to both kinds of server. */
export interface ServerConfiguration {
  /** TOML. */
  readonly pillarbox: string;
  /** Beside the JetStream part. */
  readonly natsServer: string;
}

export interface StartServerOptions {
  /** The server to start where a test compares both; by default the one that `PILLARBOX_ORACLE` chooses. */
  readonly kind?: ServerKind;
  /** A directory the caller keeps; a temporary one by default, removed on dispose. */
  readonly dataDirectory?: string;
  /** The configuration file of each kind of server, where they need one. */
  readonly configuration?: ServerConfiguration;
  /** More command line arguments for `pillarbox serve`; the oracle does not get them. */
  readonly args?: readonly string[];
}

/** A test server is a broker in a process of its own, listening on loopback on free ports. */
export interface TestServer extends AsyncDisposable {
  readonly kind: ServerKind;
  readonly pid: number;
  readonly natsPort: number;
  /** Not there with the oracle. */
  readonly kafkaPort: number;
  readonly amqpPort: number;
  readonly amqpAdminPort: number;
  readonly sqsPort: number;
  /** Undefined with the oracle. */
  readonly adminPort: number | undefined;
  /** `127.0.0.1:port`, as NATS clients take it. */
  readonly natsAddress: string;
  readonly dataDirectory: string;
  /** The output of the process so far. */
  output(): string;
  /** Writes another configuration file and sends SIGHUP. */
  reload(configuration: ServerConfiguration): Promise<void>;
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL: a crash of the process (not of the machine: the page cache stays). */
  kill(): Promise<void>;
  /** Stops a running process and starts again on the same data and the same ports. */
  restart(): Promise<void>;
}

interface Ports {
  readonly pid: number;
  readonly nats: number;
  readonly kafka?: number;
  readonly amqp?: number;
  readonly amqpAdmin?: number;
  readonly sqs?: number;
  readonly admin: number | undefined;
}

interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** Reads the ports once they are known; throws or returns undefined before. */
  readonly readPorts: (pid: number) => Promise<Ports | undefined>;
}

// dist*/test/support/server.js -> dist*/src/cli/main.js, for any name of the output folder.
const mainPath = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/**
 * A server that starts late fails the `before` hook, and with it every test of the suite: only one that never
 * will should.
 */
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const OUTPUT_CHARACTERS_MAX = 64 * 1024;

async function launchPillarbox(
  workDirectory: string,
  dataDirectory: string,
  ports: Ports | undefined,
  extra: readonly string[],
): Promise<Launch> {
  if (!existsSync(mainPath))
    throw new Error(`there is no server to test at ${mainPath}: build first (npm run build)`);
  const portsFile = join(workDirectory, 'ports.json');
  await rm(portsFile, { force: true });
  const args = [mainPath, 'serve', '--data', dataDirectory, '--host', '127.0.0.1'];
  args.push('--nats-port', String(ports?.nats ?? 0), '--admin-port', String(ports?.admin ?? 0));
  args.push('--kafka-port', String(ports?.kafka ?? 0), '--amqp-port', String(ports?.amqp ?? 0));
  args.push('--amqp-admin-port', String(ports?.amqpAdmin ?? 0), '--sqs-port', String(ports?.sqs ?? 0));
  args.push('--ports-file', portsFile, ...extra);
  return {
    command: process.execPath,
    args,
    readPorts: async () => JSON.parse(await readFile(portsFile, 'utf8')) as Ports,
  };
}

const natsConfigurationName = 'nats-server.conf';

async function configure(
  workDirectory: string,
  dataDirectory: string,
  { pillarbox, natsServer }: ServerConfiguration,
): Promise<void> {
  // sync_interval: always, because tests that kill the process ask for acknowledged messages.
  const jetStream = `jetstream { store_dir: ${JSON.stringify(dataDirectory)}, sync_interval: always }\n`;
  await writeFile(join(workDirectory, natsConfigurationName), jetStream + natsServer);
  if (pillarbox !== '') await writeFile(join(workDirectory, 'pillarbox.config.toml'), pillarbox);
}

async function launchOracle(
  command: string,
  workDirectory: string,
  ports: Ports | undefined,
): Promise<Launch> {
  const args = [
    '-c',
    join(workDirectory, natsConfigurationName),
    '-a',
    '127.0.0.1',
    '-p',
    String(ports?.nats ?? -1),
    '--ports_file_dir',
    workDirectory,
  ];
  return {
    command,
    args,
    readPorts: async (pid) => {
      const text = await readFile(join(workDirectory, `nats-server_${pid}.ports`), 'utf8');
      const [address] = (JSON.parse(text) as { nats: string[] }).nats;
      return address === undefined
        ? undefined
        : { pid, nats: Number(new URL(address).port), admin: undefined };
    },
  };
}

/** Without the variables that configure the developer's own broker or make node a test runner. */
function serverEnvironment(): NodeJS.ProcessEnv {
  const isForServer = ([name]: [string, unknown]): boolean => !/^(PILLARBOX_|NODE_TEST)/.test(name);
  return Object.fromEntries(Object.entries(process.env).filter(isForServer));
}

/** The running processes. A test process that ends early must not leave its servers behind. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));

class ServerProcess implements TestServer {
  readonly kind: ServerKind;
  readonly dataDirectory: string;
  readonly #work: TemporaryDirectory;
  readonly #args: readonly string[];
  #configuration: ServerConfiguration;
  #child: ChildProcess | undefined;
  #exited: Promise<number | null> = Promise.resolve(null);
  #ports: Ports | undefined;
  #output = '';

  constructor(work: TemporaryDirectory, options: StartServerOptions) {
    this.#work = work;
    this.kind = options.kind ?? serverKind;
    this.#args = options.args ?? [];
    this.#configuration = options.configuration ?? { pillarbox: '', natsServer: '' };
    this.dataDirectory = options.dataDirectory ?? join(work.path, 'data');
  }

  get pid(): number {
    return this.#started().pid;
  }

  get natsPort(): number {
    return this.#started().nats;
  }

  get kafkaPort(): number {
    const { kafka } = this.#started();
    if (kafka === undefined) throw new Error('this server does not speak Kafka');
    return kafka;
  }

  get amqpPort(): number {
    const { amqp } = this.#started();
    if (amqp === undefined) throw new Error('this server does not speak AMQP');
    return amqp;
  }

  get amqpAdminPort(): number {
    const { amqpAdmin } = this.#started();
    if (amqpAdmin === undefined) throw new Error('this server has no management API');
    return amqpAdmin;
  }

  get sqsPort(): number {
    const { sqs } = this.#started();
    if (sqs === undefined) throw new Error('this server does not speak SQS');
    return sqs;
  }

  get adminPort(): number | undefined {
    return this.#started().admin;
  }

  get natsAddress(): string {
    return `127.0.0.1:${this.natsPort}`;
  }

  output(): string {
    return this.#output;
  }

  async start(): Promise<void> {
    await mkdir(this.dataDirectory, { recursive: true });
    await configure(this.#work.path, this.dataDirectory, this.#configuration);
    const launch =
      this.kind === 'pillarbox'
        ? await launchPillarbox(this.#work.path, this.dataDirectory, this.#ports, this.#args)
        : await launchOracle(comparedPath ?? 'nats-server', this.#work.path, this.#ports);
    const child = spawn(launch.command, launch.args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: serverEnvironment(),
      // A configuration file in the folder the tests run in is none of theirs.
      cwd: this.#work.path,
    });
    const append = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-OUTPUT_CHARACTERS_MAX);
    };
    child.stdout.on('data', append);
    child.stderr.on('data', append);
    let ended: string | undefined;
    this.#child = child;
    running.add(child);
    this.#exited = new Promise((resolve) => {
      const end = (how: string, code: number | null): void => {
        ended = how;
        running.delete(child);
        resolve(code);
      };
      child.once('error', (error) => end(error.message, null));
      child.once('exit', (code, signal) => end(signal ?? `exit code ${code}`, code));
    });
    const pid = child.pid ?? 0;
    const result = await eventually(async () => ended ?? (await launch.readPorts(pid)), {
      timeoutMs: START_TIMEOUT_MS,
      message: 'the server to listen',
    }).catch((error: unknown) => String(error));
    if (typeof result === 'string') {
      await this.kill();
      throw new Error(`the server did not start: ${result}\n${this.#output}`);
    }
    this.#ports = { ...result, pid };
  }

  async reload(configuration: ServerConfiguration): Promise<void> {
    this.#configuration = configuration;
    await configure(this.#work.path, this.dataDirectory, configuration);
    process.kill(this.pid, 'SIGHUP');
  }

  async stop(): Promise<number | null> {
    const killTimer = setTimeout(() => this.#child?.kill('SIGKILL'), STOP_TIMEOUT_MS);
    this.#child?.kill('SIGTERM');
    const code = await this.#exited;
    clearTimeout(killTimer);
    this.#child = undefined;
    return code;
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#exited;
    this.#child = undefined;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#work[Symbol.asyncDispose]();
  }

  #started(): Ports {
    if (this.#ports === undefined) throw new Error('the test server was never started');
    return this.#ports;
  }
}

export async function startServer(options: StartServerOptions = {}): Promise<TestServer> {
  const server = new ServerProcess(await makeTemporaryDirectory(), options);
  try {
    await server.start();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

/**
 * One server for all tests of the surrounding suite or file: started before the first, stopped after the
 * last.
 */
export function useServer(options: StartServerOptions = {}): () => TestServer {
  let server: TestServer | undefined;
  before(async () => {
    server = await startServer(options);
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
  });
  return () => {
    if (server === undefined) throw new Error('useServer(): the server is there inside tests only');
    return server;
  };
}
