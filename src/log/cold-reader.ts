import type { Batch } from './batch.ts';
import { logErrorOf } from './errors.ts';
import type { Gate } from './mutex.ts';
import { findBatch, type ReadCache, type ReadRun } from './read-cache.ts';
import type { Segment } from './segment.ts';

/** Read from disk at a time by a reader that comes from elsewhere and may want one record. */
const readOneBytes = 2 ** 14;
/** By one that goes on where a run ended: twice as much as that run, within these. */
const readOnBytesMin = 2 ** 18;
const readOnBytesMax = 2 ** 21;

/**
 * The cold reader of a partition reads batches back from its segments, a run of neighbours at a time, and keeps runs in the read cache. While a reader
 * that goes on and on is busy with one run, the next is being read.
 */
export class ColdReader {
  readonly #partitionId: number;
  readonly #cache: ReadCache;
  readonly #gate: Gate;
  readonly #runs = new Set<ReadRun>();
  /** Reads under way, by the offset they were asked for. */
  readonly #loading = new Map<number, Promise<readonly Batch[] | undefined>>();
  /** The run that was read ahead last, until somebody comes to it. */
  #ahead: { readonly segment: Segment; readonly run: ReadRun } | undefined = undefined;
  #closed = false;

  constructor(partitionId: number, cache: ReadCache, gate: Gate) {
    this.#partitionId = partitionId;
    this.#cache = cache;
    this.#gate = gate;
  }

  /** The batch that holds `offset`, or the first after it, if a run in memory knows. */
  cached(offset: number): Batch | undefined {
    for (const run of this.#runs) {
      if (offset < run.fromOffset || offset >= run.toOffset) continue;
      this.#cache.touch(run);
      const ahead = this.#ahead;
      if (run === ahead?.run) {
        this.#ahead = undefined;
        this.#readAhead(ahead.segment, run.toOffset);
      }
      return run.batches[findBatch(run.batches, offset)];
    }
    return undefined;
  }

  /**
   * The batches of a segment from `offset` on, as {@link Segment.readFrom} has them. Readers that wait for the same place share one read.
   */
  load(segment: Segment, offset: number, isAhead: boolean = false): Promise<readonly Batch[] | undefined> {
    let loading = this.#loading.get(offset);
    if (loading === undefined) {
      const started = this.#load(segment, offset, isAhead).finally(() => {
        if (this.#loading.get(offset) === started) this.#loading.delete(offset);
      });
      this.#loading.set(offset, started);
      loading = started;
    }
    return loading;
  }

  async #load(segment: Segment, offset: number, isAhead: boolean): Promise<readonly Batch[] | undefined> {
    try {
      const before = this.#endingAt(offset);
      const bytes =
        before === undefined
          ? readOneBytes
          : Math.min(readOnBytesMax, Math.max(readOnBytesMin, before.bytes * 2));
      const batches = await this.#gate.run(() => segment.readFrom(offset, bytes));
      if (batches === undefined || segment.retired) return undefined;
      if (batches.length > 0 && !this.#closed) {
        const run = this.#cache.add(this.#runs, offset, batches);
        if (isAhead) this.#ahead = { segment, run };
        else if (before !== undefined) this.#readAhead(segment, run.toOffset);
      }
      return batches;
    } catch (error) {
      throw logErrorOf(error, `Partition ${this.#partitionId} cannot be read at offset ${offset}`, 'damaged');
    }
  }

  #endingAt(offset: number): ReadRun | undefined {
    for (const run of this.#runs) if (run.toOffset === offset) return run;
    return undefined;
  }

  /** Reads what a reader will want next, if it goes on. What goes wrong is told to whoever wants it. */
  #readAhead(segment: Segment, offset: number): void {
    if (this.#closed || offset >= segment.endOffset || this.cached(offset) !== undefined) return;
    this.load(segment, offset, true).catch(() => undefined);
  }

  /** Forgets runs with offsets in `[from, to)`: there are others in their place. */
  forget(from: number, to: number): void {
    for (const run of this.#runs) if (run.fromOffset < to && run.toOffset > from) this.#cache.remove(run);
    this.#loading.clear();
  }

  /** Forgets runs that end at or below `offset`. */
  forgetBelow(offset: number): void {
    for (const run of this.#runs) if (run.toOffset <= offset) this.#cache.remove(run);
  }

  close(): void {
    this.#closed = true;
    this.forgetBelow(Infinity);
  }
}
