import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Scratch } from '../scratch.ts';
import type { Contender } from './contender.ts';
import { bytesBelow } from './data-directory.ts';
import { ServerProcess } from './server-process.ts';

/** How to run the broker; `profileDirectory` makes it write a processor profile when it ends. */
export interface PillarboxOptions {
  /** `before` is another build, measured in the same run. */
  readonly name?: 'pillarbox' | 'before';
  readonly cliPath: string;
  readonly version: string;
  readonly profileDirectory?: string | undefined;
}

/** The broker of this project, as its users start it. */
export class Pillarbox implements Contender {
  readonly name: 'pillarbox' | 'before';
  readonly version: string;
  readonly #options: PillarboxOptions;

  constructor(options: PillarboxOptions) {
    this.#options = options;
    this.name = options.name ?? 'pillarbox';
    this.version = `${this.name} ${options.version}`;
  }

  start(directory: string, scratch: Scratch): Promise<ServerProcess> {
    const { cliPath, profileDirectory } = this.#options;
    const portsFile = join(directory, 'ports.json');
    rmSync(portsFile, { force: true });
    const profile =
      profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`];
    const serve = ['serve', '--data', join(directory, 'data'), '--ports-file', portsFile];
    const ports = ['--host', '127.0.0.1', '--nats-port', '0', '--kafka-port', '0', '--admin-port', '0'];
    return ServerProcess.start(
      {
        command: process.execPath,
        args: [...profile, cliPath, ...serve, ...ports],
        readPort: () => readPorts(portsFile)?.nats,
        readKafkaPort: () => readPorts(portsFile)?.kafka,
      },
      scratch,
    );
  }

  recoverableBytes(directory: string): number {
    return bytesBelow(join(directory, 'data'), (path) => path.includes('journal'));
  }
}

/** `{"pid":…,"nats":…,"kafka":…,"admin":…}`, which may be half written at the moment it is read. */
function readPorts(portsFile: string): { nats?: number; kafka?: number } | undefined {
  try {
    return JSON.parse(readFileSync(portsFile, 'utf8')) as { nats?: number; kafka?: number };
  } catch {
    return undefined;
  }
}
