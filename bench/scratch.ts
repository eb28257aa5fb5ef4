import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Scratch holds the temporary directories and child processes of a run. `clear` ends each process by its own
 * id and removes the directories; it also runs on Ctrl-C.
 */
export class Scratch {
  readonly #parent: string;
  readonly #directories: Set<string> = new Set();
  readonly #processes: Set<ChildProcess> = new Set();

  constructor(parent: string = tmpdir()) {
    this.#parent = parent;
  }

  /** The parent of all temporary directories; its disk is the one measured. */
  get parent(): string {
    return this.#parent;
  }

  makeDirectory(): string {
    const directory = mkdtempSync(join(this.#parent, 'pillarbox-bench-'));
    this.#directories.add(directory);
    return directory;
  }

  removeDirectory(directory: string): void {
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
    this.#directories.delete(directory);
  }

  addProcess(child: ChildProcess): void {
    this.#processes.add(child);
    child.once('exit', () => this.#processes.delete(child));
  }

  clear(): void {
    for (const child of this.#processes) child.kill('SIGKILL');
    this.#processes.clear();
    for (const directory of this.#directories) this.removeDirectory(directory);
  }

  /** Clears up when the run is interrupted. */
  clearOnSignals(): void {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGHUP', 129],
    ] as const) {
      process.once(signal, () => {
        this.clear();
        process.exit(code);
      });
    }
  }
}
