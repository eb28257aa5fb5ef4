import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Scratch } from '../scratch.ts';
import type { LoadAnswer, LoadCommand, LoadJob, LoadReport } from './job.ts';

const workerPath = fileURLToPath(new URL('./worker.js', import.meta.url));
/** A thousand members need some time to join. */
const readyMsMax = 60_000;
/**
 * The time that a run may take beyond its own seconds: for the drain of a slow server, or for lost messages.
 */
const drainMsMax = 30_000;

/** A load is one generator process, as seen by the bench. */
export class Load {
  readonly #child: ChildProcess;
  readonly #job: LoadJob;
  #settle: (answer: LoadAnswer) => void = () => {};
  #reported: Promise<LoadReport> | undefined;

  private constructor(job: LoadJob, scratch: Scratch) {
    this.#job = job;
    this.#child = fork(workerPath, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    scratch.addProcess(this.#child);
    this.#child.on('message', (answer: LoadAnswer) => this.#settle(answer));
    this.#child.on('exit', () => this.#settle({ kind: 'failed', reason: 'the generator process ended' }));
  }

  /** Resolves when the generator is connected and waits for `go`. */
  static async start(job: LoadJob, scratch: Scratch): Promise<Load> {
    const load = new Load(job, scratch);
    const ready = load.#next(readyMsMax);
    load.#say({ kind: 'job', job });
    try {
      await ready;
    } catch (error) {
      load.end();
      throw error;
    }
    return load;
  }

  go(): void {
    const seconds = 'seconds' in this.#job ? Math.min(this.#job.seconds, 600) : 600;
    this.#reported = this.#next(seconds * 1e3 + drainMsMax).then((answer) => {
      if (answer.kind !== 'report') throw new Error(`${this.#job.kind}: unexpected ${answer.kind}`);
      return answer.report;
    });
    // The failure is passed to the caller of `report`, which may come later.
    this.#reported.catch(() => {});
    this.#say({ kind: 'go' });
  }

  finish(messages: number): void {
    this.#say({ kind: 'finish', messages });
  }

  /** Waits for the report; `deadlineMs` limits the wait for missing messages. */
  async report(deadlineMs: number = drainMsMax + 600_000): Promise<LoadReport> {
    if (this.#reported === undefined) throw new Error(`${this.#job.kind}: go was not called`);
    const late = timeout(deadlineMs, `${this.#job.kind}: no report after ${deadlineMs / 1e3} s`);
    try {
      return await Promise.race([this.#reported, late.promise]);
    } finally {
      late.cancel();
    }
  }

  /** Ends the process. A pending `report` is rejected, which also frees its timer. */
  end(): void {
    this.#settle({ kind: 'failed', reason: 'it was ended' });
    this.#child.kill('SIGKILL');
  }

  #say(command: LoadCommand): void {
    if (this.#child.connected) this.#child.send(command);
  }

  async #next(deadlineMs: number): Promise<LoadAnswer> {
    const late = timeout(deadlineMs, `${this.#job.kind}: no answer after ${deadlineMs / 1e3} s`);
    const answered = new Promise<LoadAnswer>((resolve) => (this.#settle = resolve));
    try {
      const answer = await Promise.race([answered, late.promise]);
      if (answer.kind === 'failed') throw new Error(`${this.#job.kind}: ${answer.reason}`);
      return answer;
    } finally {
      late.cancel();
    }
  }
}

function timeout(ms: number, reason: string): { promise: Promise<never>; cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(reason)), ms);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}

/** Runs one generator from start to report. */
export async function runLoad(job: LoadJob, scratch: Scratch): Promise<LoadReport> {
  const load = await Load.start(job, scratch);
  try {
    load.go();
    return await load.report();
  } finally {
    load.end();
  }
}
