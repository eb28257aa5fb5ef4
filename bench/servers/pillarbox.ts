import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import type { Scratch } from '../scratch.ts';
import type { Contender, Environment } from './contender.ts';
import { bytesBelow } from './data-directory.ts';
import { ServerProcess } from './server-process.ts';

/** How to run the broker; `profileDirectory` makes it write a processor profile when it ends. */
export interface PillarboxOptions {
  /**
   * `before` is another build, measured in the same run; `users` has users and permissions; `configured` has
   * a configuration file.
   */
  readonly name?: 'pillarbox' | 'before' | 'users' | 'configured';
  readonly cliPath: string;
  readonly version: string;
  readonly profileDirectory?: string | undefined;
  /** The configuration file of `configured`. */
  readonly configurationPath?: string;
  /** Whether somebody has the first page of the dashboard open. */
  readonly hasDashboard?: boolean;
}

/** The broker of this project, as its users start it. */
export class Pillarbox implements Contender {
  readonly name: 'pillarbox' | 'before' | 'users' | 'configured';
  readonly version: string;
  readonly #options: PillarboxOptions;

  constructor(options: PillarboxOptions) {
    this.#options = options;
    this.name = options.name ?? 'pillarbox';
    this.version = `${this.name} ${options.version}`;
  }

  async start(directory: string, scratch: Scratch, environment: Environment = {}): Promise<ServerProcess> {
    const { cliPath, profileDirectory, configurationPath } = this.#options;
    const portsFile = join(directory, 'ports.json');
    rmSync(portsFile, { force: true });
    const profile =
      profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`];
    const serve = ['serve', '--data', join(directory, 'data'), '--ports-file', portsFile];
    const hasUsers = this.name === 'users';
    const configuration = hasUsers ? writeUsers(directory) : configurationPath;
    const config = configuration === undefined ? [] : ['--config', configuration];
    const ports = ['--host', '127.0.0.1', '--nats-port', '0', '--kafka-port', '0', '--admin-port', '0'];
    const started = await ServerProcess.start(
      {
        command: process.execPath,
        args: [...profile, cliPath, ...serve, ...ports, ...config],
        // By the environment, because an older build does not know the flags.
        environment: {
          PILLARBOX_AMQP_PORT: '0',
          PILLARBOX_AMQP_ADMIN_PORT: 'off',
          PILLARBOX_SQS_PORT: '0',
          ...environment,
        },
        readPort: () => readPorts(portsFile)?.nats,
        readKafkaPort: () => readPorts(portsFile)?.kafka,
        kafkaLogin: hasUsers ? kafkaLogin : undefined,
        readAmqpPort: () => readPorts(portsFile)?.amqp,
        readSqsPort: () => readPorts(portsFile)?.sqs,
      },
      scratch,
    );
    if (this.#options.hasDashboard === true) openDashboard(readPorts(portsFile)?.admin);
    return started;
  }

  recoverableBytes(directory: string): number {
    return bytesBelow(join(directory, 'data'), (path) => path.includes('journal'));
  }
}

interface Ports {
  readonly nats?: number;
  readonly kafka?: number;
  readonly amqp?: number;
  readonly sqs?: number;
  readonly admin?: number;
}

/** Reads what the first page of the dashboard reads, until the server ends. */
function openDashboard(port: number | undefined): void {
  if (port === undefined) throw new Error('the server has no admin port, and so no dashboard');
  const watched = ['/api/v1/overview', '/api/v1/topic-rows?sort=backlog&limit=10'];
  const query = watched.map((route) => `watch=${encodeURIComponent(route)}`).join('&');
  get({ host: '127.0.0.1', port, path: `/api/v1/changes?${query}`, agent: false }, (response) => {
    if (response.statusCode !== 200) throw new Error(`the stream of changes: ${response.statusCode}`);
    response.resume();
    response.on('error', () => {});
  }).on('error', () => {});
}

/**
 * `{"pid":…,"nats":…,"kafka":…,"amqp":…,"sqs":…,"admin":…}`, which may be half written at the moment it is
 * read.
 */
function readPorts(portsFile: string): Ports | undefined {
  try {
    return JSON.parse(readFileSync(portsFile, 'utf8')) as Ports;
  } catch {
    return undefined;
  }
}

/**
 * What clients of the load may do, by topic and by subject, with something denied of each, so that every
 * publish and every delivery is held against it. Clients of NATS bring no credentials, those of Kafka log in.
 */
const kafkaLogin = { user: 'bench', password: 'bench of kafka' };
const users = [
  {
    name: kafkaLogin.user,
    password: kafkaLogin.password,
    protocols: ['nats', 'kafka'],
    permissions: {
      publish: { allow: ['*'], deny: ['secret-*'] },
      consume: { allow: ['*'], deny: ['secret-*'] },
      manage: ['*'],
    },
    nats: {
      publish: { allow: ['$JS.>', '_INBOX.>', '>'], deny: ['secret.>'] },
      subscribe: { allow: ['_INBOX.>', '>'], deny: ['secret.>'] },
    },
  },
];

/** Returns the path of a configuration file. */
function writeUsers(directory: string): string {
  const path = join(directory, 'users.json');
  writeFileSync(path, JSON.stringify({ 'nats-no-auth-user': 'bench', users }));
  return path;
}
