import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const cliPath = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const startTimeoutMs = 20_000;

/**
 * A broker in a process of its own, on loopback, with its data in `<dir>/data`. It can be killed and started
 * again on the same data.
 */
export class BrokerProcess {
  readonly #dir: string;
  readonly #natsServer: string | undefined;
  #child: ChildProcess | undefined;
  #port = 0;

  constructor(dir: string, natsServer: string | undefined) {
    this.#dir = dir;
    this.#natsServer = natsServer;
  }

  /** The port for NATS clients; the same after a restart. */
  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    const [command, args] = this.#natsServer
      ? await this.#natsServerCommand(this.#natsServer)
      : this.#command();
    await rm(join(this.#dir, 'ports.json'), { force: true });
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    let output = '';
    child.stderr?.on('data', (chunk: Buffer) => (output = `${output}${chunk.toString()}`.slice(-4_000)));
    for (const deadline = Date.now() + startTimeoutMs; Date.now() < deadline; await sleep(10)) {
      if (child.exitCode !== null)
        throw new Error(`The broker ended with exit code ${child.exitCode}:\n${output}`);
      const port = await this.#readPort(child.pid ?? 0).catch(() => undefined);
      if (port === undefined) continue;
      this.#port = port;
      return;
    }
    child.kill('SIGKILL');
    throw new Error(`The broker did not listen within ${startTimeoutMs} ms:\n${output}`);
  }

  /** SIGKILL: nothing is flushed, and clients are not told. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  killNow(): void {
    this.#child?.kill('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  #command(): [command: string, args: string[]] {
    const ports = [
      '--nats-port',
      String(this.#port),
      '--kafka-port',
      'off',
      '--amqp-port',
      'off',
      '--sqs-port',
      'off',
      '--admin-port',
      '0',
      '--ports-file',
      join(this.#dir, 'ports.json'),
    ];
    return [
      process.execPath,
      [cliPath, 'serve', '--data', join(this.#dir, 'data'), '--host', '127.0.0.1', ...ports],
    ];
  }

  async #natsServerCommand(command: string): Promise<[command: string, args: string[]]> {
    const config = join(this.#dir, 'nats-server.conf');
    // Synced before each ack, as in our broker; otherwise the comparison would be unfair.
    await writeFile(
      config,
      `jetstream { store_dir: ${JSON.stringify(join(this.#dir, 'data'))}, sync_interval: always }\n`,
    );
    return [
      command,
      ['-c', config, '-a', '127.0.0.1', '-p', String(this.#port || -1), '--ports_file_dir', this.#dir],
    ];
  }

  async #readPort(pid: number): Promise<number | undefined> {
    if (!this.#natsServer) {
      const ports = JSON.parse(await readFile(join(this.#dir, 'ports.json'), 'utf8')) as { nats: number };
      return ports.nats;
    }
    const text = await readFile(join(this.#dir, `nats-server_${pid}.ports`), 'utf8');
    const [address] = (JSON.parse(text) as { nats: string[] }).nats;
    return address === undefined ? undefined : Number(new URL(address).port);
  }
}
