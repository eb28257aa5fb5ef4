import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const controllers = '/sys/fs/cgroup/memory';

/**
 * A memory limit is a control group (version 1) for one process: past it the system takes back caches, then
 * ends the process.
 */
export class MemoryLimit implements Disposable {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Undefined where there are no such groups, or not for us. */
  static create(bytes: number): MemoryLimit | undefined {
    const path = join(controllers, `pillarbox-soak-${process.pid}`);
    try {
      mkdirSync(path);
      writeFileSync(join(path, 'memory.limit_in_bytes'), String(bytes));
      return new MemoryLimit(path);
    } catch {
      return undefined;
    }
  }

  /** A prefix for a command, so that it runs under the limit from its first page on. */
  get wrapper(): readonly string[] {
    return ['sh', '-c', 'echo $$ > "$0" && exec "$@"', join(this.#path, 'cgroup.procs')];
  }

  /** The most it had in use, caches of the system included. */
  get bytesMax(): number {
    return Number(readFileSync(join(this.#path, 'memory.max_usage_in_bytes'), 'utf8'));
  }

  [Symbol.dispose](): void {
    rmdirSync(this.#path);
  }
}
