import { BlockPool, Gate } from '../util/index.ts';
import { BufferPool } from './buffer-pool.ts';
import { Checkpointer } from './checkpointer.ts';
import { writeCleanStop } from './checkpoint.ts';
import { Committer } from './committer.ts';
import { explain, openDataDir, type DataDir } from './data-dir.ts';
import type { PartitionContext } from './partition-context.ts';
import { LogError, logErrorOf, type DamageReport } from './errors.ts';
import { Flusher } from './flusher.ts';
import { EntryClass, journalDirName, topicsDirName } from './format.ts';
import { journalSizes } from './journal-sizes.ts';
import type { Journal } from './journal.ts';
import type { LogHost } from './log-host.ts';
import type { LogOptions } from './log-options.ts';
import type { MemoryPartitionContext, MemoryPartitionLog } from './memory-partition-log.ts';
import { OpenFiles } from './open-files.ts';
import type { JournalMark } from './owner.ts';
import type { PartitionLog } from './partition-log.ts';
import { Partitions, type PartitionOptions } from './partitions.ts';
import { Quarantine } from './quarantine.ts';
import { ReadCache } from './read-cache.ts';
import { defaultSegmentBytes } from './segment-size.ts';
import type { SegmentContext } from './segment.ts';
import { SmallBatches } from './small-batches.ts';
import { startLog, type RecoveryStats } from './startup.ts';
import { StrictFiles } from './strict-files.ts';
import { TailCache } from './tail-cache.ts';

/** The log in figures, for whoever watches it. Bytes, unless named otherwise. */
export interface LogStats {
  /** Since the log was opened. */
  readonly commits: number;
  readonly commitBytes: number;
  readonly checkpoints: number;
  /** Journal that a recovery might need; and all files of it, spares included. */
  readonly journalLiveBytes: number;
  readonly journalDiskBytes: number;
  readonly segmentBytes: number;
  readonly unflushedBytes: number;
  readonly tailCacheBytes: number;
  readonly readCacheBytes: number;
  readonly openFiles: number;
  /** Segment indexes that were found wrong, as after a crash, and made anew. */
  readonly indexesRebuilt: number;
  readonly recovery: RecoveryStats;
  /** What this run put into the quarantine, relative to the data directory. */
  readonly quarantined: readonly string[];
}

const defaults = {
  indexIntervalBytes: 4096,
  batchBytesMax: 64 * 2 ** 10,
  batchRecordsMax: 1000,
  recordBytesMax: 64 * 2 ** 20,
  tailCacheBytesMax: 32 * 2 ** 20,
  readCacheBytesMax: 32 * 2 ** 20,
  unflushedBytesMax: 32 * 2 ** 20,
  commitBytesMax: 16 * 2 ** 20,
  openFilesMax: 2048,
  heartbeatMs: 1000,
} as const;

const journalFileBytesMin = 4096;
const segmentBytesLimit = 2 ** 30;
/** Cold reads at a time: the commit's write shares four threads with them. */
const readsAtATime = 2;

/**
 * The log is all that the broker keeps on disk: partitions of records, and its own state, behind one journal.
 *
 * Everything added in one synchronous run is one commit, on disk wholly or not at all; `durable` says when it
 * is there.
 *
 *     append, record ──► Committer ──► Journal (the only thing a publish waits for)
 *                            │ durable
 *                            ├──► memory: readers
 *                            └──► Flusher ──► segments ──► Checkpointer ──► frees the journal
 */
export class Log {
  readonly #host: LogHost;
  readonly #options: LogOptions;
  readonly #files: StrictFiles;
  readonly #blocks: BlockPool;
  readonly #tailCache: TailCache;
  readonly #readCache: ReadCache;
  readonly #flusher: Flusher;
  #dataDir!: DataDir;
  #quarantine!: Quarantine;
  #openFiles!: OpenFiles;
  #segments!: SegmentContext;
  #partitions!: Partitions;
  #journal!: Journal;
  #committer!: Committer;
  #checkpointer!: Checkpointer;
  #firstCheckpoint = 0;
  #recovery: RecoveryStats = { cleanStop: false, journalBytes: 0, commits: 0, tornBytes: 0, ms: 0 };
  #state: 'opening' | 'open' | 'failed' | 'closed' = 'opening';
  #failure: LogError | undefined = undefined;
  #stalled: LogError | undefined = undefined;
  /** Somebody was told that the log is congested, and not yet that it no longer is. */
  #saidCongested = false;
  #relieving = false;
  #isCleanlyStopped = false;
  readonly #grown = new Set<MemoryPartitionLog>();
  #closing: Promise<void> | undefined = undefined;
  #inspecting: Promise<void> = Promise.resolve();
  #recovered: () => void = () => {};

  private constructor(host: LogHost, options: LogOptions) {
    this.#host = host;
    this.#options = options;
    this.#files = new StrictFiles(options.files, (error) => this.#fail(error));
    this.#blocks = options.blocks ?? new BlockPool();
    this.#tailCache = new TailCache(options.tailCacheBytesMax ?? defaults.tailCacheBytesMax);
    this.#readCache = new ReadCache(options.readCacheBytesMax ?? defaults.readCacheBytesMax);
    this.#flusher = new Flusher(
      options.unflushedBytesMax ?? defaults.unflushedBytesMax,
      options.clock,
      () => this.#journal?.position ?? 0,
      (error) => this.#fail(error),
    );
  }

  /**
   * Opens the data directory, recovers what it holds, and is ready to be added to. Rejects with a LogError
   * that says what is in the way.
   */
  static async open(host: LogHost, options: LogOptions): Promise<Log> {
    const log = new Log(host, options);
    const { files, dir, clock, random } = options;
    const heartbeatMs = Math.max(1, options.heartbeatMs ?? defaults.heartbeatMs);
    log.#dataDir = await openDataDir(files, dir, clock, random, heartbeatMs);
    try {
      await log.#start();
    } catch (error) {
      log.#state = 'closed';
      await log.#openFiles.closeAll(true).catch(() => {});
      await log.#dataDir.fence.end(false).catch(() => {});
      await log.#dataDir.lock.release();
      throw explain(error, dir);
    }
    return log;
  }

  async #start(): Promise<void> {
    const options = this.#options;
    const { clock, dir, decompress } = options;
    const files = this.#files;
    const startedMs = clock.monotonic();
    const journalBytes = await journalSizes(options);
    this.#quarantine = new Quarantine(files, dir);
    const openFilesMax = Math.max(8, options.openFilesMax ?? defaults.openFilesMax);
    this.#openFiles = new OpenFiles(files, openFilesMax, (error) => this.#fail(error));
    const pool = new BufferPool();
    const blocks = this.#blocks;
    const smallBatches = new SmallBatches(blocks);
    const damaged = (report: DamageReport): void => this.#host.damaged(report);
    const segments: SegmentContext = (this.#segments = {
      files,
      openFiles: this.#openFiles,
      dataDir: dir,
      pool,
      blocks,
      quarantine: this.#quarantine,
      indexIntervalBytes: options.indexIntervalBytes ?? defaults.indexIntervalBytes,
      decompress,
      damaged,
      failed: (error) => this.#fail(error),
      topicsDirUnsynced: false,
      indexesLoaded: new Set(),
      indexesRebuilt: 0,
    });
    const context: PartitionContext & MemoryPartitionContext = {
      pool,
      blocks,
      smallBatches,
      tailCache: this.#tailCache,
      readCache: this.#readCache,
      readGate: new Gate(readsAtATime),
      segments,
      decompress,
      batchBytesMax: options.batchBytesMax ?? defaults.batchBytesMax,
      batchRecordsMax: options.batchRecordsMax ?? defaults.batchRecordsMax,
      recordBytesMax: options.recordBytesMax ?? defaults.recordBytesMax,
      draft: () => this.#open().draft(),
      touched: (partition) => this.#committer.touched(partition),
      trimmed: (partition) => {
        if (this.#state === 'opening') partition.trimRecovered();
        else this.#committer.trimmed(partition);
      },
      unflushedChanged: (partition, bytes) => {
        this.#flusher.changed(partition, bytes);
        if (bytes < 0 && this.#saidCongested) this.#relieveSoon();
      },
      recordDurably: (kind, id, payload) => {
        this.#open().recordOwn(kind, id, payload);
        return this.flush();
      },
      openCommitNumber: () => this.#committer.openCommit,
      olderCheckpoint: () => this.#checkpointer.olderNumber,
      checkpoint: () => this.checkpoint(),
      checkOpen: () => void this.#open(),
      grew: (partition) => this.#grew(partition),
    };
    const segmentBytesMax = Math.min(
      options.segmentBytesMax ?? (await defaultSegmentBytes(options)),
      segmentBytesLimit,
    );
    const recovered = new Promise<void>((resolve) => (this.#recovered = resolve));
    this.#partitions = new Partitions(context, segmentBytesMax, recovered);
    this.#host.opening(this);
    for (const report of this.#dataDir.damage) damaged(report);
    const { fence } = this.#dataDir;
    const started = await startLog({
      files,
      dataDir: this.#dataDir,
      quarantine: this.#quarantine,
      damaged,
      host: this.#host,
      clock,
      partitions: this.#partitions,
      flusher: this.#flusher,
      journal: {
        files,
        clock,
        dir: `${dir}/${journalDirName}`,
        uuid: this.#dataDir.uuid,
        fileBytes: Math.max(journalFileBytesMin, journalBytes.fileBytes),
        failed: (error) => this.#fail(error),
        entering: (next) => fence.look(next),
        stalled: (error) => this.#setStalled(error),
      },
    });
    if (this.#failure !== undefined) {
      await started.journal.close();
      throw this.#failure;
    }
    this.#journal = started.journal;
    this.#committer = new Committer(
      {
        host: this.#host,
        clock,
        pool,
        blocks,
        smallBatches,
        decompress,
        tag: this.#dataDir.tag,
        sealing: (draft) => this.#checkpointer.sealing(draft),
        confirm: () => fence.confirm(),
        committed: () => this.#committed(),
        failed: (error) => this.#fail(error),
      },
      started.journal,
      started.nextCommit,
    );
    this.#checkpointer = new Checkpointer(
      {
        host: this.#host,
        files,
        clock,
        dir,
        uuid: this.#dataDir.uuid,
        partitions: this.#partitions,
        segments,
        requestCommit: () => this.#committer.request(),
        look: () => fence.look(),
        intervalBytes: Math.max(journalFileBytesMin, journalBytes.checkpointBytes / 2),
      },
      started.journal,
      started.checkpoints,
    );
    this.#firstCheckpoint = started.checkpoints.newest.number;
    await fence.begin({
      files,
      mark: () => this.#mark,
      places: [`${dir}/${journalDirName}`, `${dir}/${topicsDirName}`],
      currentFile: () => this.#journal.currentFile,
      failed: (error) => this.#fail(error),
    });
    this.#recovery = { ...started.stats, ms: clock.monotonic() - startedMs };
    this.#state = 'open';
    this.#recovered();
    this.#journal.prepare();
    this.#flusher.patient = true;
    this.#flusher.kick();
    if (started.isDamaged) void this.checkpoint().catch(() => {}); // the next start need not find it again
    this.#inspecting = this.#inspect();
  }

  /** How far the journal goes by now. */
  get #mark(): JournalMark {
    const { start, capacity } = this.#journal.current;
    return {
      checkpoint: this.#checkpointer.newest.number,
      fileStart: start,
      fileCapacity: capacity,
      commit: this.#committer.lastCommit,
      position: this.#journal.position,
    };
  }

  /** Behind everything else: whether all that the checkpoint speaks of is there. */
  async #inspect(): Promise<void> {
    for (const partition of this.#partitions.disk) {
      if (this.#state !== 'open') return;
      await partition.inspect().catch(() => {}); // a shortage: whoever reads looks again
    }
  }

  /** The committer, or the reason why nothing can be added. */
  #open(): Committer {
    if (this.#state !== 'open') {
      if (this.#state === 'opening')
        throw new LogError('misuse', 'Nothing can be added to a log that is still being opened.');
      this.#committer?.draft(); // throws what it was told to refuse with
      throw new LogError('closed', 'The log is closed.');
    }
    return this.#committer;
  }

  /** Whose data this is: 16 bytes that stay with the directory. */
  get uuid(): Uint8Array {
    return this.#dataDir.uuid;
  }

  // ---- partitions

  /**
   * A partition's log: the one that is there, or a new one. `id` is chosen by the host and never used for
   * another.
   */
  openPartition(id: number, options: PartitionOptions = {}): PartitionLog {
    return this.#partitions.open(id, options);
  }

  /** Whether the data directory holds anything of the partition. */
  isStored(id: number): boolean {
    return this.#partitions.isStored(id);
  }

  /** An opened partition. */
  partition(id: number): PartitionLog | undefined {
    return this.#partitions.get(id);
  }

  /** All opened partitions. */
  partitions(): Iterable<PartitionLog> {
    return this.#partitions.opened();
  }

  /** Ids of partitions that are on disk and were not opened. They are kept; the host may open them. */
  get orphans(): readonly number[] {
    return this.#partitions.orphans;
  }

  /**
   * Removes a partition and its files. Call it only when the entry that says so is durable, or in replay of
   * it. Resolves when the files are gone.
   */
  async deletePartition(id: number): Promise<void> {
    // The commit open now, as the journal counts: one more if another is being written.
    const commit = this.#state === 'opening' ? 0 : this.#committer.lastCommit + 2;
    try {
      await this.#partitions.delete(id, commit);
    } catch (error) {
      throw logErrorOf(error, `Files of partition ${id} cannot be removed`, 'io-failed');
    }
  }

  // ---- commits

  /** Adds an entry of the host's state to the open commit; `kind` 0 to 255. The payload is copied. */
  record(kind: number, id: number, payload: Uint8Array, length: number = payload.length): void {
    this.#open().record(EntryClass.host, kind, id, payload, length);
  }

  /** Asks for a commit even if nothing was added yet: the host may add in `beforeSeal`. */
  requestCommit(): void {
    this.#committer.request();
  }

  /** Number of the open commit: plus one with every seal. */
  get openCommit(): number {
    return this.#committer.openCommit;
  }

  /** Resolves when all that was added before is durable; rejects when the log failed. */
  flush(): Promise<void> {
    return this.#committer.flush();
  }

  /**
   * More waits to be written than is good: publishers should pause. Whoever asked and heard yes is told by
   * `relieved` when it is over.
   */
  get congested(): boolean {
    const limit = this.#options.commitBytesMax ?? defaults.commitBytesMax;
    const congested = this.#committer.openBytes > limit || this.#flusher.isBehind;
    if (congested) this.#saidCongested = true;
    return congested;
  }

  /** Bytes of all commits since the log was opened. */
  get committedBytes(): number {
    return this.#committer.commitBytes;
  }

  /** What the disk has room for no more: committed, and on its way to the segments. */
  get unflushedBytes(): number {
    return this.#flusher.bytes;
  }

  /**
   * Why the journal cannot grow at the moment (a full disk). Commits go on while the current file has room,
   * then wait; nothing is lost. Who adds what can be refused should do so, to leave that room for what
   * cannot.
   */
  get stalled(): LogError | undefined {
    return this.#stalled;
  }

  /**
   * Whether the disk has little room left, as the host sees it. As long as it has, call again now and then:
   * what waits only for a checkpoint to be given back (segments of removed messages, journal files) is given
   * back then. Checkpoints come by the growth of the journal otherwise, and where there is no room there is
   * no growth.
   */
  roomIsShort(isShort: boolean): void {
    if (this.#state !== 'open') return;
    this.#journal.isShort = isShort;
    if (!isShort || !this.#checkpointer.givesRoom) return;
    this.checkpoint().catch(() => undefined); // the next call tries again
  }

  /** Told again with every try that fails, once a second. */
  #setStalled(error: unknown): void {
    if (error !== undefined) this.roomIsShort(true);
    this.#stalled =
      error === undefined
        ? undefined
        : new LogError(
            'disk-full',
            'There is no room for the next journal file; commits may have to wait until there is.',
            error,
          );
  }

  #committed(): void {
    this.#flusher.kick();
    if (this.#saidCongested) this.#relieveSoon();
    if (this.#checkpointer.isWanted) this.#committer.request();
  }

  /** Congestion may have ended: with a commit, a flush, or room on the disk. */
  #relieveSoon(): void {
    if (this.#relieving) return;
    this.#relieving = true;
    this.#options.clock.defer(() => {
      this.#relieving = false;
      if (this.#state !== 'open' || !this.#saidCongested || this.congested) return;
      this.#saidCongested = false;
      this.#host.relieved?.();
    });
  }

  #grew(partition: MemoryPartitionLog): void {
    if (this.#grown.size === 0) {
      this.#options.clock.defer(() => {
        const touched = [...this.#grown];
        this.#grown.clear();
        this.#host.volatileGrew?.(touched);
      });
    }
    this.#grown.add(partition);
  }

  // ---- checkpoints, failure, end

  /** Makes a checkpoint of everything so far. Rejects with `disk-full` when there is no room for it now. */
  checkpoint(): Promise<void> {
    const done = this.#checkpointer.wait();
    this.#committer.request();
    return done;
  }

  /** A write or sync failed: nothing is tried again, and nobody hears "ok" any more. */
  #fail(cause: unknown): void {
    if (this.#failure !== undefined || this.#state === 'closed') return;
    const wasOpen = this.#state === 'open';
    const what = `Writing to ${this.#options.dir} failed: ${(cause as Error).message}`;
    this.#failure = isLoss(cause)
      ? new LogError('io-failed', cause.message, cause)
      : new LogError(
          'io-failed',
          `${what}. What was acknowledged is safe; see to the disk, then start again.`,
          cause,
        );
    this.#state = 'failed';
    this.#flusher.stop();
    if (!wasOpen) return; // `open` rejects with it
    this.#committer.refuse(this.#failure);
    void this.#checkpointer.stop();
    this.#host.failed(this.#failure);
  }

  /**
   * Commits, makes a last checkpoint, so that the next start has nothing to replay, and gives the directory
   * back.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    let problem: unknown;
    const attempt = async (step: () => Promise<void>): Promise<void> => {
      try {
        await step();
      } catch (error) {
        problem ??= error;
      }
    };
    if (this.#state === 'open') await attempt(() => this.#closeCleanly());
    const hadFailed = this.#state === 'failed';
    this.#state = 'closed';
    this.#flusher.stop();
    this.#committer.refuse(new LogError('closed', 'The log is closed.'));
    await attempt(() => this.#checkpointer.stop());
    await this.#inspecting;
    await attempt(() => this.#dataDir.fence.end(this.#isCleanlyStopped));
    await attempt(() => this.#journal.close());
    await attempt(() => this.#openFiles.closeAll(hadFailed));
    await attempt(() => this.#dataDir.lock.release());
    if (problem !== undefined && !hadFailed)
      throw logErrorOf(
        problem,
        `Closing the log in ${this.#options.dir} failed; the next start replays its journal`,
        'io-failed',
      );
  }

  async #closeCleanly(): Promise<void> {
    const { dir } = this.#options;
    if (this.#stalled !== undefined && !this.#committer.isIdle) throw this.#stalled; // it might be for ever
    await this.flush();
    await this.checkpoint();
    if (!this.#committer.isIdle || this.#journal.position !== this.#checkpointer.newest.position) return;
    this.#committer.refuse(new LogError('closed', 'The log is closed.'));
    for (const partition of this.#partitions.disk) await partition.writeIndexes();
    await writeCleanStop(this.#files, dir, this.#checkpointer.newest.number);
    this.#isCleanlyStopped = true;
  }

  /**
   * Resolves when every segment that the checkpoint speaks of has been held against its file, and what is
   * missing was reported. Begins with the start.
   */
  get inspected(): Promise<void> {
    return this.#inspecting;
  }

  get stats(): LogStats {
    let segmentBytes = 0;
    for (const partition of this.#partitions.disk) segmentBytes += partition.segmentBytes;
    return {
      commits: this.#committer.commits,
      commitBytes: this.#committer.commitBytes,
      checkpoints: this.#checkpointer.newest.number - this.#firstCheckpoint,
      journalLiveBytes: this.#checkpointer.liveBytes,
      journalDiskBytes: this.#journal.diskBytes,
      segmentBytes,
      unflushedBytes: this.#flusher.bytes,
      tailCacheBytes: this.#tailCache.bytes,
      readCacheBytes: this.#readCache.bytes,
      openFiles: this.#openFiles.size,
      indexesRebuilt: this.#segments.indexesRebuilt,
      recovery: this.#recovery,
      quarantined: this.#quarantine.names,
    };
  }
}

/** The directory is another's by now, or its files are gone: a sentence of its own. */
function isLoss(error: unknown): error is LogError {
  return error instanceof LogError && (error.code === 'data-dir-taken' || error.code === 'data-dir-gone');
}
