import { Session } from 'node:inspector';

/**
 * Coverage by V8 itself, block by block: which blocks of our sources were run since the last look. No
 * instrumentation, no dependency.
 */
export class Coverage {
  readonly #session = new Session();
  readonly #blocks = new Set<string>();
  /** Blocks that the last look found new and that no input is known to run yet. */
  #fresh = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Blocks run so far. */
  get blocks(): number {
    return this.#blocks.size;
  }

  /** Whether a block was run since the last look that never was before. */
  look(): boolean {
    this.#fresh = new Set();
    for (const block of this.#take()) {
      if (this.#blocks.has(block)) continue;
      this.#blocks.add(block);
      this.#fresh.add(block);
    }
    return this.#fresh.size > 0;
  }

  /** Whether a block that {@link look} found new has been run since, by an input not asked about before. */
  lookAgain(): boolean {
    let isIt = false;
    for (const block of this.#take()) {
      this.#blocks.add(block);
      isIt = this.#fresh.delete(block) || isIt;
    }
    return isIt;
  }

  #take(): string[] {
    const blocks: string[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, taken) => {
      if (error) throw error;
      for (const { url, functions } of taken.result) {
        if (!isOurs(url)) continue;
        for (const { ranges } of functions) {
          for (const { startOffset, endOffset, count } of ranges)
            if (count > 0) blocks.push(`${url}:${startOffset}:${endOffset}`);
        }
      }
    });
    return blocks;
  }

  close(): void {
    this.#session.disconnect();
  }
}

function isOurs(url: string): boolean {
  return url.includes('/src/');
}
