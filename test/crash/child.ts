import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The running processes. A run that ends early must not leave processes behind. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

/** How a process ended: its exit code, or the signal that ended it. */
export type End = number | NodeJS.Signals;

const outputCharactersMax = 16 * 1024;

/** A child is a process of ours, with its output and exit code. */
export class Child {
  readonly process: ChildProcess;
  readonly ended: Promise<End>;
  end: End | undefined = undefined;
  output = '';

  constructor(command: string, args: readonly string[], options: { ipc?: boolean; cwd?: string } = {}) {
    // Without the variables that configure the developer's own broker or make node a test runner.
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(PILLARBOX_|NODE_TEST)/.test(name)),
    );
    this.process = spawn(command, args, {
      env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc ? (['ipc'] as const) : [])],
    });
    running.add(this.process);
    const append = (chunk: Buffer): void => {
      this.output = (this.output + chunk.toString()).slice(-outputCharactersMax);
    };
    this.process.stdout?.on('data', append);
    this.process.stderr?.on('data', append);
    this.ended = new Promise((resolve) => {
      const settle = (end: End): void => {
        running.delete(this.process);
        this.end = end;
        resolve(end);
      };
      this.process.once('error', (error) => {
        this.output += String(error);
        settle(127);
      });
      this.process.once('exit', (code, signal) => settle(signal ?? code ?? 127));
    });
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.ended;
  }
}

/** The path of a script in the same folder as this one, for any output folder of the build. */
export function scriptPath(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
