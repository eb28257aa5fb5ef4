import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const workerPath = fileURLToPath(new URL('worker.js', import.meta.url));

/** A worker in a process of its own. */
export class WorkerProcess {
  readonly name: string;
  readonly logPath: string;
  /** Records that the worker reports as handled. */
  handled = 0;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(name: string, port: number, logPath: string, onProgress: () => void) {
    this.name = name;
    this.logPath = logPath;
    this.#child = fork(workerPath, [String(port), logPath, name], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#ended = once(this.#child, 'exit');
    this.#child.on('message', (message: { handled: number }) => {
      this.handled = message.handled;
      onProgress();
    });
  }

  /** SIGKILL: the worker gets no chance to ack or to close its connection. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
  }

  killNow(): void {
    this.#child.kill('SIGKILL');
  }
}
