import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Scratch } from '../scratch.ts';
import type { Contender } from './contender.ts';
import { bytesBelow } from './data-directory.ts';
import { freePorts } from './kafka.ts';
import { ServerProcess } from './server-process.ts';
import { answersSqs } from './sqs-queues.ts';

/** Which fauxqs to run. */
export interface FauxqsOptions {
  /** The folder of its package. */
  readonly path: string;
  /** A Node that has SQLite: 22.5 or newer. */
  readonly node: string;
  /** Whether it keeps its messages in SQLite, which syncs each write before its answer. */
  readonly hasSqlite: boolean;
}

/** fauxqs, an emulator of SQS on Node, without its log of requests. */
export class Fauxqs implements Contender {
  readonly name: 'fauxqs' | 'fauxqs, SQLite';
  readonly version: string;
  readonly #options: FauxqsOptions;

  constructor(options: FauxqsOptions) {
    this.#options = options;
    this.name = options.hasSqlite ? 'fauxqs, SQLite' : 'fauxqs';
    this.version = `fauxqs ${versionOf(options.path)}, ${options.hasSqlite ? 'SQLite' : 'in memory'}`;
  }

  async start(directory: string, scratch: Scratch): Promise<ServerProcess> {
    const [port] = await freePorts(1);
    const { path, node, hasSqlite } = this.#options;
    const dataDir = join(directory, 'data');
    if (hasSqlite) mkdirSync(dataDir, { recursive: true });
    // Its command cannot turn the log off.
    const options = { port, host: '127.0.0.1', logger: false, ...(hasSqlite ? { dataDir } : {}) };
    const module = pathToFileURL(join(path, 'dist', 'app.js')).href;
    const script = `import { startFauxqs } from ${JSON.stringify(module)}; await startFauxqs(${JSON.stringify(options)});`;
    return ServerProcess.start(
      {
        command: node,
        args: ['--input-type=module', '--eval', script],
        readPort: () => port,
        readSqsPort: () => port,
        ready: answersSqs,
      },
      scratch,
    );
  }

  recoverableBytes(directory: string): number {
    return bytesBelow(join(directory, 'data'));
  }
}

function versionOf(path: string): string {
  return (JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as { version: string }).version;
}
