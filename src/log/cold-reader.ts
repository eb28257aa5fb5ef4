import type { Gate } from '../util/index.ts';
import type { BatchMemory } from './batch-memory.ts';
import type { Batch } from './batch.ts';
import { logErrorOf } from './errors.ts';
import { findBatch, type ReadCache, type ReadRun } from './read-cache.ts';
import type { Segment } from './segment.ts';

/** Bytes of one read for a reader that jumps, and may need only one record. */
const readOneBytes = 2 ** 14;
/** Bytes of one read for a reader that continues after a run: twice that run, within these limits. */
const readOnBytesMin = 2 ** 18;
const readOnBytesMax = 2 ** 21;

/** A read in progress, and its waiting readers. */
class Loading {
  batches!: Promise<readonly Batch[] | undefined>;
  /** Waiting readers that release the memory. */
  borrowers = 0;
  /** Whether some waiting reader keeps the memory. */
  isShown = false;

  /**
   * Called before any reader can release the memory: the waiting readers run only after other callbacks had
   * their turn.
   */
  handOut(memory: BatchMemory): void {
    if (this.isShown) memory.show();
    for (let i = 0; i < this.borrowers; i++) memory.hold();
  }
}

/**
 * The cold reader of a partition reads batches back from its segments, a run of neighbours at a time, and
 * keeps runs in the read cache. While a sequential reader uses one run, the next is being read.
 */
export class ColdReader {
  readonly #partitionId: number;
  readonly #cache: ReadCache;
  readonly #gate: Gate;
  readonly #runs = new Set<ReadRun>();
  /** Reads in progress, by their starting offset. */
  readonly #loading = new Map<number, Loading>();
  /** The last run that was read ahead, until a reader uses it. */
  #ahead: { readonly segment: Segment; readonly run: ReadRun } | undefined = undefined;
  #closed = false;

  constructor(partitionId: number, cache: ReadCache, gate: Gate) {
    this.#partitionId = partitionId;
    this.#cache = cache;
    this.#gate = gate;
  }

  /** The batch that contains `offset`, or the next one, if it is in a run in memory. */
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
   * The batches of a segment from `offset` on, as returned by {@link Segment.readFrom}. Readers that wait for
   * the same offset share one read. A borrower becomes a holder of the memory, if there are any batches.
   */
  load(segment: Segment, offset: number, borrows: boolean): Promise<readonly Batch[] | undefined> {
    const loading = this.#loading.get(offset) ?? this.#start(segment, offset, false);
    if (borrows) loading.borrowers++;
    else loading.isShown = true;
    return loading.batches;
  }

  #start(segment: Segment, offset: number, isAhead: boolean): Loading {
    const loading = new Loading();
    this.#loading.set(offset, loading);
    loading.batches = this.#load(segment, offset, isAhead, loading);
    return loading;
  }

  async #load(
    segment: Segment,
    offset: number,
    isAhead: boolean,
    loading: Loading,
  ): Promise<readonly Batch[] | undefined> {
    try {
      const before = this.#endingAt(offset);
      const bytes =
        before === undefined
          ? readOneBytes
          : Math.min(readOnBytesMax, Math.max(readOnBytesMin, before.bytes * 2));
      const batches = await this.#gate.run(() => segment.readFrom(offset, bytes));
      if (batches === undefined || segment.retired) return undefined;
      const memory = batches[0]?.memory;
      if (memory !== undefined) loading.handOut(memory);
      if (batches.length > 0 && !this.#closed) {
        const run = this.#cache.add(this.#runs, offset, batches);
        if (isAhead) this.#ahead = { segment, run };
        else if (before !== undefined) this.#readAhead(segment, run.toOffset);
      }
      return batches;
    } catch (error) {
      throw logErrorOf(error, `Partition ${this.#partitionId} cannot be read at offset ${offset}`, 'damaged');
    } finally {
      if (this.#loading.get(offset) === loading) this.#loading.delete(offset);
    }
  }

  #endingAt(offset: number): ReadRun | undefined {
    for (const run of this.#runs) if (run.toOffset === offset) return run;
    return undefined;
  }

  /** Reads the run that a sequential reader will need next. Errors are left to that reader's own read. */
  #readAhead(segment: Segment, offset: number): void {
    if (this.#closed || offset >= segment.endOffset || this.cached(offset) !== undefined) return;
    if (!this.#loading.has(offset)) this.#start(segment, offset, true).batches.catch(() => undefined);
  }

  /** Drops runs with offsets in `[from, to)`, which have been replaced. */
  forget(from: number, to: number): void {
    for (const run of this.#runs) if (run.fromOffset < to && run.toOffset > from) this.#cache.remove(run);
    this.#loading.clear();
  }

  /** Drops runs that end at or below `offset`. */
  forgetBelow(offset: number): void {
    for (const run of this.#runs) if (run.toOffset <= offset) this.#cache.remove(run);
  }

  close(): void {
    this.#closed = true;
    this.forgetBelow(Infinity);
  }
}
