import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scratch } from '../scratch.ts';
import type { Contender } from './contender.ts';
import { bytesBelow } from './data-directory.ts';
import { ServerProcess } from './server-process.ts';

/** Which nats-server to run; `synced` makes it sync every message before its ack. */
export interface NatsServerOptions {
  readonly path: string;
  readonly version: string;
  readonly synced: boolean;
}

/** The reference server, on a free port, with default settings or with `sync_interval: always`. */
export class NatsServer implements Contender {
  readonly name: 'nats-server' | 'nats-server, synced';
  readonly version: string;
  readonly #options: NatsServerOptions;

  constructor(options: NatsServerOptions) {
    this.#options = options;
    this.name = options.synced ? 'nats-server, synced' : 'nats-server';
    this.version = `nats-server ${options.version}${options.synced ? ', sync_interval: always' : ''}`;
  }

  start(directory: string, scratch: Scratch): Promise<ServerProcess> {
    const portsDirectory = join(directory, 'ports');
    rmSync(portsDirectory, { recursive: true, force: true });
    mkdirSync(portsDirectory, { recursive: true });
    const configPath = join(directory, 'nats.conf');
    writeFileSync(configPath, this.#config(join(directory, 'data'), portsDirectory));
    return ServerProcess.start(
      {
        command: this.#options.path,
        args: ['--config', configPath],
        readPort: () => readPort(portsDirectory),
      },
      scratch,
    );
  }

  recoverableBytes(directory: string): number {
    return bytesBelow(join(directory, 'data'));
  }

  #config(storeDirectory: string, portsDirectory: string): string {
    const sync = this.#options.synced ? '\n  sync_interval: always' : '';
    return `host: "127.0.0.1"
port: -1
ports_file_dir: ${JSON.stringify(portsDirectory)}
jetstream {
  store_dir: ${JSON.stringify(storeDirectory)}${sync}
}
`;
  }
}

/** The server names the file after itself and its process id: `{"nats":["nats://127.0.0.1:4222"],…}`. */
function readPort(portsDirectory: string): number | undefined {
  try {
    const file = readdirSync(portsDirectory).find((name) => name.endsWith('.ports'));
    if (file === undefined) return undefined;
    const ports = JSON.parse(readFileSync(join(portsDirectory, file), 'utf8')) as { nats?: string[] };
    const url = ports.nats?.[0];
    return url === undefined ? undefined : Number(new URL(url).port);
  } catch {
    return undefined;
  }
}
