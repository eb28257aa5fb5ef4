import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child, type End, scriptPath } from './child.ts';
import { freePortFlags } from '../support/ports.ts';

/**
 * `serve` is the program as it is installed; `small` is the same broker with files so small that everything
 * happens often.
 */
export type BrokerKind = 'serve' | 'small';

export interface BrokerSettings {
  readonly kind: BrokerKind;
  readonly dataDirectory: string;
  /** For the ports file. */
  readonly workDirectory: string;
  /** More arguments for `serve`. */
  readonly args?: readonly string[];
  /** A prefix of `node` on the command line: strace and its arguments. */
  readonly wrapper?: readonly string[];
  /** With `serve`: the program as it is shipped, in few files. */
  readonly isBundled?: boolean;
  readonly nodeArgs?: readonly string[];
}

/** The ports file. */
interface Ports {
  readonly pid: number;
  readonly nats: number;
  readonly admin?: number;
  readonly kafka?: number;
  readonly amqp?: number;
  readonly amqpAdmin?: number;
  readonly sqs?: number;
}

/** The ports of a broker whose clients come again after a restart. */
export type ClientPorts = Pick<BrokerProcess, 'port' | 'amqpPort' | 'sqsPort'>;

const startTimeoutMs = 30_000;
const lookEveryMs = 5;
const portTriesMax = 60;
const portWaitMs = 250;

/**
 * A broker in a process of its own that can be ended at any moment, also before it listens, and started again
 * on the same ports of NATS, AMQP and SQS.
 */
export class BrokerProcess {
  readonly #settings: BrokerSettings;
  #child: Child | undefined;
  #port = 0;
  #adminPort: number | undefined;
  #kafkaPort: number | undefined;
  #amqpPort = 0;
  #amqpAdminPort: number | undefined;
  #sqsPort = 0;
  #pid = 0;
  /** How long the last start took, until it listened. */
  startMs = 0;

  /** The ports are those of a broker before it, whose clients come again. */
  constructor(settings: BrokerSettings, ports?: ClientPorts) {
    this.#settings = settings;
    this.#port = ports?.port ?? 0;
    this.#amqpPort = ports?.amqpPort ?? 0;
    this.#sqsPort = ports?.sqsPort ?? 0;
  }

  get port(): number {
    return this.#port;
  }

  get adminPort(): number | undefined {
    return this.#adminPort;
  }

  get kafkaPort(): number | undefined {
    return this.#kafkaPort;
  }

  get amqpPort(): number {
    return this.#amqpPort;
  }

  get amqpAdminPort(): number | undefined {
    return this.#amqpAdminPort;
  }

  get sqsPort(): number {
    return this.#sqsPort;
  }

  /** The broker's own, also where it was started through a wrapper. */
  get pid(): number {
    return this.#pid;
  }

  get output(): string {
    return this.#child?.output ?? '';
  }

  get end(): End | undefined {
    return this.#child?.end;
  }

  get ended(): Promise<End> {
    return this.#child?.ended ?? Promise.resolve(0);
  }

  /** Starts the process and does not wait for it. */
  async spawn(): Promise<void> {
    const { kind, dataDirectory, workDirectory, args = [], wrapper = [], nodeArgs = [] } = this.#settings;
    const portsFile = join(workDirectory, 'ports.json');
    await rm(portsFile, { force: true });
    const [port, amqpPort, sqsPort] = [this.#port, this.#amqpPort, this.#sqsPort].map(String) as [
      string,
      string,
      string,
    ];
    const script = [
      scriptPath(this.#settings.isBundled ? '../../bundle/cli/main.js' : '../../src/cli/main.js'),
      'serve',
      '--data',
      dataDirectory,
      '--host',
      '127.0.0.1',
    ];
    const ports = [...freePortFlags, '--nats-port', port, '--amqp-port', amqpPort, '--sqs-port', sqsPort];
    ports.push('--ports-file', portsFile);
    const command =
      kind === 'serve'
        ? script.concat(ports, args)
        : [scriptPath('./small-broker.js'), dataDirectory, port, amqpPort, sqsPort, portsFile];
    const [program = process.execPath, ...rest] = [...wrapper, process.execPath, ...nodeArgs, ...command];
    this.#child = new Child(program, rest, { cwd: workDirectory });
  }

  async start(): Promise<void> {
    for (let triesLeft = portTriesMax; ; triesLeft--) {
      const begin = performance.now();
      await this.spawn();
      try {
        await this.listening();
        this.startMs = performance.now() - begin;
        return;
      } catch (error) {
        // The system may have lent a port of the last run to a connection of another program meanwhile.
        if (!/EADDRINUSE|is in use by another program/.test(this.output) || triesLeft === 0) throw error;
        await sleep(portWaitMs);
      }
    }
  }

  async listening(): Promise<void> {
    const portsFile = join(this.#settings.workDirectory, 'ports.json');
    // Counted in looks, not by the clock: on a machine that was suspended no time has passed for the broker
    // either.
    for (let looks = startTimeoutMs / lookEveryMs; looks > 0; looks--) {
      await sleep(lookEveryMs);
      if (this.end !== undefined) throw new Error(`the broker did not start: ${this.end}\n${this.output}`);
      const text = await readFile(portsFile, 'utf8').catch(() => '');
      if (text === '') continue;
      const ports = JSON.parse(text) as Ports;
      this.#port = ports.nats;
      this.#adminPort = ports.admin;
      this.#kafkaPort = ports.kafka;
      this.#amqpPort = ports.amqp ?? 0;
      this.#amqpAdminPort = ports.amqpAdmin;
      this.#sqsPort = ports.sqs ?? 0;
      this.#pid = ports.pid;
      return;
    }
    await this.kill();
    throw new Error(`the broker did not listen within ${startTimeoutMs} ms\n${this.output}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.process.kill(signal);
  }

  /** SIGKILL: a crash of the process. The system keeps its writes. */
  async kill(): Promise<void> {
    await this.#child?.kill();
  }

  /** SIGTERM, and how that ended. */
  async stop(): Promise<End> {
    this.signal('SIGTERM');
    return this.ended;
  }
}
