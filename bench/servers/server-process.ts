import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from '../load/clock.ts';
import type { KafkaLogin } from '../load/job.ts';
import { NatsSocket } from '../load/nats-socket.ts';
import type { Scratch } from '../scratch.ts';
import { cpuSecondsOf, memoryOf, type Memory } from './process-usage.ts';

const readyMsMax = 120_000;
const stopMsMax = 30_000;
const errorTailBytes = 1000;

async function answersPing(port: number): Promise<void> {
  (await NatsSocket.connect(port, () => {})).end();
}

/** How to start a server and find its port. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** Variables added to those of the bench. */
  readonly environment?: { readonly [name: string]: string };
  /** The port once the server has published it; undefined until then. */
  readPort(): number | undefined;
  /** The port for Kafka clients, once the other one is known; absent if the server does not speak Kafka. */
  readKafkaPort?(): number | undefined;
  /** The login of Kafka clients; absent if they need none. */
  readonly kafkaLogin?: KafkaLogin | undefined;
  /** The port for AMQP clients. */
  readAmqpPort?(): number | undefined;
  /** The port for SQS clients. */
  readSqsPort?(): number | undefined;
  /** Resolves when it serves; by default when it answers a PING of NATS. */
  ready?(port: number): Promise<void>;
}

/** A server process is one running server. */
export class ServerProcess {
  readonly port: number;
  readonly kafkaPort: number | undefined;
  readonly kafkaLogin: KafkaLogin | undefined;
  readonly amqpPort: number | undefined;
  readonly sqsPort: number | undefined;
  /** From the spawn until the first PING was answered. */
  readonly readyMs: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number, readyMs: number, launch: Launch) {
    this.kafkaPort = launch.readKafkaPort?.();
    this.kafkaLogin = launch.kafkaLogin;
    this.amqpPort = launch.readAmqpPort?.();
    this.sqsPort = launch.readSqsPort?.();
    this.#child = child;
    this.port = port;
    this.readyMs = readyMs;
  }

  static async start(launch: Launch, scratch: Scratch): Promise<ServerProcess> {
    const startMs = nowMs();
    const child = spawn(launch.command, launch.args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...launch.environment },
    });
    scratch.addProcess(child);
    let said = '';
    let ended = '';
    child.stderr.on('data', (bytes: Buffer) => (said = (said + bytes.toString()).slice(-errorTailBytes)));
    child.once('error', (error) => (ended = error.message));
    child.once('exit', (code, signal) => (ended = `it ended with ${signal ?? code}`));
    let port = launch.readPort();
    while (port === undefined) {
      const late = nowMs() - startMs > readyMsMax ? `it was not ready after ${readyMsMax / 1e3} s` : ended;
      if (late !== '') {
        child.kill('SIGKILL');
        throw new Error(`cannot start ${launch.command} ${launch.args.join(' ')}: ${late}\n${said}`);
      }
      await delay(1);
      port = launch.readPort();
    }
    await (launch.ready?.(port) ?? answersPing(port));
    const readyMs = nowMs() - startMs;
    return new ServerProcess(child, port, readyMs, launch);
  }

  get memory(): Memory {
    return memoryOf(this.#child.pid ?? 0);
  }

  get cpuSeconds(): number {
    return cpuSecondsOf(this.#child.pid ?? 0);
  }

  /** Asks the server to end and waits; kills it if it does not end. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** Ends the server as a crash of the process would. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopMsMax);
    this.#child.kill(signal);
    await ended;
    clearTimeout(timer);
  }
}
