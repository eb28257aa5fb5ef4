import { allocAligned, type BlockPool, type Clock } from '../util/index.ts';
import { BatchMemory } from './batch-memory.ts';
import { Batch } from './batch.ts';
import type { BufferPool } from './buffer-pool.ts';
import { CommitDraft, commitBytes, encodeCommit } from './commit.ts';
import { BatchItem } from './batch-item.ts';
import type { DiskPartitionLog } from './disk-partition-log.ts';
import { LogError } from './errors.ts';
import { EntryClass, alignUp, commitBytesMax } from './format.ts';
import type { Journal } from './journal.ts';
import type { LogHost } from './log-host.ts';
import type { Decompress } from './log-options.ts';
import type { SmallBatches } from './small-batches.ts';

/** The services that the log offers to its committer. */
export interface CommitterContext {
  readonly host: LogHost;
  readonly clock: Clock;
  readonly pool: BufferPool;
  readonly blocks: BlockPool;
  readonly smallBatches: SmallBatches;
  readonly decompress: Decompress | undefined;
  readonly tag: number;
  /**
   * Called when the commit is complete, before it is sealed. May return a function to call once the commit is
   * durable.
   */
  sealing(draft: CommitDraft): ((commit: number, position: number) => void) | undefined;
  /** Somebody waits for a checkpoint, which comes with the next seal. */
  isCheckpointWanted(): boolean;
  /** Undefined when what is durable may be acknowledged; else resolves when it may. */
  confirm(): Promise<void> | undefined;
  /** Called after the host has been told of a durable commit. */
  committed(): void;
  /** Called when a write failed. */
  failed(error: unknown): void;
}

/** The state of one commit, from its first entry until it is durable. */
class Work {
  readonly draft = new CommitDraft();
  readonly touched: DiskPartitionLog[] = [];
  readonly trimmed = new Set<DiskPartitionLog>();
  /** It gives room on the disk back, and may go into the journal's reserve. */
  usesReserve = false;

  clear(): void {
    this.usesReserve = false;
    this.draft.clear();
    this.touched.length = 0;
    this.trimmed.clear();
  }
}

interface Waiter {
  readonly seal: number;
  readonly resolve: () => void;
  readonly reject: (error: LogError) => void;
}

/**
 * A commit that has grown to this size during the previous write is sealed only some turns of the event loop
 * later. That costs some 20 µs if no publish follows.
 */
const gatheredBytesMin = 2 ** 13;
const gatherTurns = 8;
/** A busy event loop takes 5 to 50 ms for one turn, so the wait ends with the first turn after this time. */
const gatherMsMax = 2;
/**
 * The write buffer keeps this much memory between commits. It is aligned, so that the journal may write past
 * the page cache.
 */
const keptBufferBytes = 2 ** 23;

/**
 * The committer turns all changes made in the meantime into one commit and one write, one at a time:
 *
 *     open ── seal ──► being written ── durable ──► host and waiters are told
 *
 * There is no timer. If no write is in progress, a commit is sealed as soon as the current input has been
 * handled. Changes made during a write go into the next commit.
 *
 * With a window of requests this alone would split the window into two halves that take turns for ever, each
 * waiting for the write of the other. So a commit of some size waits a few turns of the event loop for the
 * other half, and a few milliseconds at most.
 */
export class Committer {
  readonly #context: CommitterContext;
  readonly #journal: Journal;
  #open = new Work();
  #spare = new Work();
  /** Number of seals so far, which is also the host's number of the open commit. */
  #seals: number;
  #lastCommit: number;
  #scheduled = false;
  #requested = false;
  #writing = false;
  #refusal: LogError | undefined = undefined;
  #waiters: Waiter[] = [];
  #buffer: Buffer = allocAligned(2 ** 16);
  #commits = 0;
  #commitBytes = 0;

  constructor(context: CommitterContext, journal: Journal, nextCommit: number) {
    this.#context = context;
    this.#journal = journal;
    this.#seals = nextCommit;
    this.#lastCommit = nextCommit - 1;
  }

  /** Number of the open commit; increases by one with every seal. */
  get openCommit(): number {
    return this.#seals;
  }

  /** Number of the last durable commit. */
  get lastCommit(): number {
    return this.#lastCommit;
  }

  get commits(): number {
    return this.#commits;
  }

  get commitBytes(): number {
    return this.#commitBytes;
  }

  /** Bytes of the open commit. */
  get openBytes(): number {
    return this.#open.draft.bytes;
  }

  /** Whether no commit is open or being written. */
  get isIdle(): boolean {
    return this.#open.draft.isEmpty && !this.#writing && !this.#requested;
  }

  /** Whether a write or sync of any file failed: nothing more is committed then. */
  get #hasFailed(): boolean {
    return this.#refusal?.code === 'io-failed';
  }

  /** The open commit, to add to. */
  draft(): CommitDraft {
    if (this.#refusal !== undefined) throw this.#refusal;
    const { draft } = this.#open;
    if (draft.bytes > commitBytesMax / 2) {
      throw new LogError(
        'misuse',
        `One commit cannot hold more than ${commitBytesMax / 2} bytes: wait until the log is no longer congested.`,
      );
    }
    return draft;
  }

  touched(partition: DiskPartitionLog): void {
    if (partition.commit.touchedIn === this.#seals) return;
    partition.commit.touchedIn = this.#seals;
    this.#open.touched.push(partition);
    this.#schedule();
  }

  trimmed(partition: DiskPartitionLog): void {
    this.#open.trimmed.add(partition);
    if (partition.upkeep.hasTrimmedSegments) this.useReserve();
  }

  /** The open commit gives room on the disk back: it may go into the journal's reserve. */
  useReserve(): void {
    this.#open.usesReserve = true;
  }

  /** Adds an entry of state. */
  record(entryClass: number, kind: number, id: number, payload: Uint8Array, length: number): void {
    this.draft().addEntry(entryClass, kind, id, payload, length);
    this.#schedule();
  }

  /** Seals a commit soon, even if nothing has been added. */
  request(): void {
    if (this.#refusal !== undefined) return;
    this.#requested = true;
    this.#schedule();
  }

  /** Resolves when everything added before is durable. */
  flush(): Promise<void> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    if (this.isIdle) return Promise.resolve();
    const seal = this.#open.draft.isEmpty && !this.#requested ? this.#seals - 1 : this.#seals;
    return new Promise((resolve, reject) => this.#waiters.push({ seal, resolve, reject }));
  }

  #schedule(): void {
    if (this.#scheduled || this.#writing) return;
    this.#scheduled = true;
    this.#context.clock.defer(this.#sealNow);
  }

  readonly #sealNow = (): void => {
    this.#scheduled = false;
    if (!this.#writing && this.#refusal === undefined) this.#seal();
  };

  /**
   * Publishers released by the last commit may be about to add to this one, which saves a write for all of
   * them.
   */
  #gather(turns: number, endMs: number): void {
    const { clock } = this.#context;
    if (turns === 0 || clock.monotonic() > endMs) this.#sealNow();
    else clock.defer(() => this.#gather(turns - 1, endMs));
  }

  #seal(): void {
    const { host } = this.#context;
    this.#requested = false;
    host.beforeSeal();
    const work = this.#open;
    for (const partition of work.trimmed) partition.commit.sealTrim();
    const then = this.#context.sealing(work.draft);
    if (then !== undefined) work.usesReserve = true; // a checkpoint gives room back
    for (const item of work.draft.items) {
      if (!(item instanceof BatchItem)) continue;
      item.partition.closeBatch();
      item.close(); // its partition may have been deleted
    }
    const seal = this.#seals++;
    this.#open = this.#spare;
    host.sealed();
    this.#writing = true;
    if (work.draft.isEmpty) this.#durable(work, seal, then);
    else void this.#write(work, seal, then);
  }

  async #write(
    work: Work,
    seal: number,
    then: ((commit: number, position: number) => void) | undefined,
  ): Promise<void> {
    const { clock, tag } = this.#context;
    const journal = this.#journal;
    try {
      const items = work.draft.close();
      const bytes = alignUp(commitBytes(items));
      // What goes before a commit that gives room back must not hold it up.
      const mayUseReserve = (): boolean =>
        work.usesReserve || this.#open.usesReserve || this.#context.isCheckpointWanted();
      if (!journal.hasRoom(bytes, mayUseReserve())) await journal.makeRoom(bytes, mayUseReserve);
      if (this.#hasFailed) return; // meanwhile
      if (bytes > this.#buffer.length) this.#buffer = allocAligned(2 ** Math.ceil(Math.log2(bytes)));
      const commit = this.#lastCommit + 1;
      encodeCommit(this.#buffer, items, {
        position: journal.position,
        commit,
        timestampMs: clock.now(),
        tag,
      });
      this.#settle(work);
      await journal.write(this.#buffer.subarray(0, bytes));
      this.#lastCommit = commit;
      this.#commits++;
      this.#commitBytes += bytes;
      if (this.#buffer.length > keptBufferBytes) this.#buffer = allocAligned(2 ** 16);
      const confirmed = this.#context.confirm();
      if (confirmed !== undefined) await confirmed;
    } catch (error) {
      this.#context.failed(error);
      return;
    }
    if (this.#hasFailed) return;
    this.#durable(work, seal, then);
  }

  /** Gives each batch the memory that it stays in, now that it has been copied into the commit. */
  #settle(work: Work): void {
    const { pool, blocks, decompress, smallBatches } = this.#context;
    for (const item of work.draft.items) {
      if (!(item instanceof BatchItem)) continue;
      let { batch } = item;
      if (batch === undefined) {
        const own = smallBatches.settle(item.payload as Buffer, item.end, pool);
        batch = new Batch(own, decompress, BatchMemory.of(own, blocks));
      }
      item.partition.commit.sealed(batch);
    }
  }

  #durable(work: Work, seal: number, then: ((commit: number, position: number) => void) | undefined): void {
    const { host } = this.#context;
    for (const partition of work.touched) partition.commit.sealedDurable();
    for (const partition of work.trimmed) partition.commit.trimDurable();
    this.#writing = false;
    this.#scheduled = true; // changes from here on are sealed with the rest
    then?.(this.#lastCommit, this.#journal.position);
    if (this.#waiters.length > 0) {
      const waiters = this.#waiters;
      this.#waiters = waiters.filter((waiter) => waiter.seal > seal);
      for (const waiter of waiters) if (waiter.seal <= seal) waiter.resolve();
    }
    host.durable(work.touched);
    work.clear();
    this.#spare = work;
    this.#context.committed();
    if (this.#open.draft.bytes >= gatheredBytesMin)
      return this.#gather(gatherTurns, this.#context.clock.monotonic() + gatherMsMax);
    this.#scheduled = false;
    if (!this.#open.draft.isEmpty || this.#requested) this.#schedule();
  }

  /** Refuses everything from now on with this error. */
  refuse(error: LogError): void {
    this.#refusal = error;
    for (const { reject } of this.#waiters.splice(0)) reject(error);
  }

  /** Adds an entry of the log's own. */
  recordOwn(kind: number, id: number, payload: Uint8Array): void {
    this.record(EntryClass.log, kind, id, payload, payload.length);
  }
}
