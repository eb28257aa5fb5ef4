import { execFile, type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually, makeTemporaryDirectory, type TemporaryDirectory } from '../support/index.ts';

const execute = promisify(execFile);

/** The running daemons. A test process that ends early must not leave any behind. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** The system user that a database server runs as; databases refuse to run as root. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * An account of the system by name; undefined if this process is not root, and runs what it runs as itself.
 */
export async function accountOf(name: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const number = async (flag: string): Promise<number> => Number((await execute('id', [flag, name])).stdout);
  return { uid: await number('-u'), gid: await number('-g') };
}

/** A directory of a server: its data, and the socket that it listens on. */
export async function makeServerDirectory(account: Account | undefined): Promise<TemporaryDirectory> {
  const directory = await makeTemporaryDirectory('pbx-db-'); // short, because the paths of sockets are
  await chmod(directory.path, 0o755);
  await mkdir(join(directory.path, 'data'));
  if (account)
    for (const path of [directory.path, join(directory.path, 'data')])
      await chown(path, account.uid, account.gid);
  return directory;
}

/** Runs a command to its end, as an account. */
export async function runAs(
  account: Account | undefined,
  command: string,
  args: readonly string[],
): Promise<void> {
  await execute(command, args, { ...account, cwd: '/', maxBuffer: 1 << 24 });
}

/** A daemon is a database server in a process of its own. */
export class Daemon {
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #account: Account | undefined;
  #child: ChildProcess | undefined;
  output = '';

  constructor(account: Account | undefined, command: string, args: readonly string[]) {
    this.#account = account;
    this.#command = command;
    this.#args = args;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts it; resolves once `isReady` does not throw. */
  async start(isReady: () => Promise<unknown>): Promise<void> {
    const child = spawn(this.#command, this.#args, {
      ...this.#account,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    running.add(child);
    let isOver = false;
    child.once('error', (error) => (this.output += String(error)));
    child.once('close', () => {
      isOver = true;
      running.delete(child);
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (this.output = (this.output + chunk.toString()).slice(-8_192)));
    try {
      await eventually(
        async () => {
          if (isOver) return 'over';
          await isReady();
          return 'ready';
        },
        { timeoutMs: 60_000, intervalMs: 20, message: `${this.#command} to answer` },
      );
    } catch (error) {
      throw new Error(`${String(error)}\n${this.output}`, { cause: error });
    }
    if (isOver) throw new Error(`${this.#command} ended:\n${this.output}`);
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'close');
  }
}
