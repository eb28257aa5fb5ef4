import { closeSync, fdatasync, fsyncSync, openSync, rmSync, write, writeSync } from 'node:fs';
import { join } from 'node:path';
import { nowMs } from './clock.ts';
import type { Count, Generator, LoadJob } from './job.ts';
import { Latencies } from './latencies.ts';

const fileBytes = 16 * 1024 * 1024;

/**
 * A sync loop writes a record, syncs it, and only then writes the next, with the same asynchronous calls as a
 * broker in Node. `append` grows the file; `overwrite` writes over existing blocks.
 */
export class SyncLoop implements Generator {
  readonly #job: LoadJob & { kind: 'sync-loop' };
  readonly #path: string;
  readonly #file: number;

  constructor(job: LoadJob & { kind: 'sync-loop' }) {
    this.#job = job;
    this.#path = join(job.directory, `sync-loop-${process.pid}`);
    this.#file = openSync(this.#path, 'w');
    if (job.place === 'overwrite') {
      writeSync(this.#file, Buffer.alloc(fileBytes, 1));
      fsyncSync(this.#file);
    }
  }

  run(): Promise<Count> {
    const { recordBytes, seconds } = this.#job;
    const record = Buffer.alloc(recordBytes, 2);
    const latencies = new Latencies();
    return new Promise((resolve, reject) => {
      const startMs = nowMs();
      const deadlineMs = startMs + seconds * 1e3;
      let messages = 0;
      let writtenMs = startMs;
      const next = (): void =>
        write(this.#file, record, 0, recordBytes, (messages * recordBytes) % fileBytes, onWritten);
      const onWritten = (error: Error | null): void => {
        if (error === null) fdatasync(this.#file, onSynced);
        else reject(error);
      };
      const onSynced = (error: Error | null): void => {
        if (error !== null) return reject(error);
        const endMs = nowMs();
        latencies.add((endMs - writtenMs) * 1e3);
        messages++;
        writtenMs = endMs;
        if (endMs < deadlineMs) next();
        else resolve({ messages, startMs, endMs, latency: latencies.summary() });
      };
      next();
    });
  }

  end(): void {
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
  }
}
