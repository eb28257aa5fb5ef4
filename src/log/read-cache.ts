import type { Batch } from './batch.ts';
import { batchOverheadBytes } from './tail-cache.ts';

/**
 * Neighbouring batches of a partition that were read back together, in one piece of memory: all batches in
 * `[fromOffset, toOffset)`.
 */
export interface ReadRun {
  readonly owner: Set<ReadRun>;
  readonly fromOffset: number;
  readonly toOffset: number;
  readonly batches: readonly Batch[];
  readonly bytes: number;
}

/**
 * The read cache limits the memory of batches read back from disk, of all partitions: the least recently used
 * run is dropped first.
 */
export class ReadCache {
  readonly #bytesMax: number;
  readonly #runs = new Set<ReadRun>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a run for `owner`, its partition's list of runs. */
  add(owner: Set<ReadRun>, fromOffset: number, batches: readonly Batch[]): ReadRun {
    let bytes = 0;
    for (const batch of batches) bytes += batch.bytes + batchOverheadBytes;
    const toOffset = batches[batches.length - 1]!.endOffset;
    const run: ReadRun = { owner, fromOffset, toOffset, batches, bytes };
    owner.add(run);
    this.#runs.add(run);
    this.#bytes += bytes;
    for (const oldest of this.#runs) {
      if (this.#bytes <= this.#bytesMax || oldest === run) break;
      this.remove(oldest);
    }
    return run;
  }

  /** Notes a use. */
  touch(run: ReadRun): void {
    if (this.#runs.delete(run)) this.#runs.add(run);
  }

  remove(run: ReadRun): void {
    if (!this.#runs.delete(run)) return;
    run.owner.delete(run);
    this.#bytes -= run.bytes;
    run.batches[0]!.memory?.release();
  }
}

/** Index of the first batch, in order of offset, that ends after `offset`; -1 if there is none. */
export function findBatch(batches: readonly Batch[], offset: number, from: number = 0): number {
  let low = from;
  let high = batches.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (batches[middle]!.endOffset <= offset) low = middle + 1;
    else high = middle;
  }
  return low < batches.length ? low : -1;
}
