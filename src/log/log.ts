import { Gate } from '../util/index.ts';
import { writeCleanStop } from './checkpoint.ts';
import type { Committer } from './committer.ts';
import { Congestion } from './congestion.ts';
import { explain, openDataDir, type DataDir } from './data-dir.ts';
import type { PartitionContext } from './partition-context.ts';
import { LogError, logErrorOf } from './errors.ts';
import { Flusher } from './flusher.ts';
import { EntryClass, journalDirName, topicsDirName } from './format.ts';
import { journalFileBytesMin, journalSizes, type JournalSizes } from './journal-sizes.ts';
import type { LogHost } from './log-host.ts';
import type { LogOptions } from './log-options.ts';
import type { LogStats } from './log-stats.ts';
import { LogStores } from './log-stores.ts';
import { logWriters, type LogWriters } from './log-writers.ts';
import type { MemoryPartitionContext, MemoryPartitionLog } from './memory-partition-log.ts';
import type { JournalMark } from './owner.ts';
import type { PartitionLog } from './partition-log.ts';
import { Partitions, type PartitionOptions } from './partitions.ts';
import { defaultSegmentBytes } from './segment-size.ts';
import { startLog, type RecoveryStats } from './startup.ts';

const defaults = {
  batchBytesMax: 64 * 2 ** 10,
  batchRecordsMax: 1000,
  recordBytesMax: 64 * 2 ** 20,
  unflushedBytesMax: 32 * 2 ** 20,
  commitBytesMax: 16 * 2 ** 20,
  heartbeatMs: 1000,
} as const;

const segmentBytesLimit = 2 ** 30;
/** Concurrent cold reads: the write of a commit shares four threads with them. */
const readsAtATime = 2;

/** Sizes that follow from the options and the disk, in bytes. */
interface LogSizes {
  readonly journal: JournalSizes;
  readonly segmentBytesMax: number;
}

async function logSizes(options: LogOptions): Promise<LogSizes> {
  const journal = await journalSizes(options);
  const segmentBytes = options.segmentBytesMax ?? (await defaultSegmentBytes(options));
  return { journal, segmentBytesMax: Math.min(segmentBytes, segmentBytesLimit) };
}

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
  readonly #dataDir: DataDir;
  readonly #stores: LogStores;
  readonly #flusher: Flusher;
  readonly #partitions: Partitions;
  readonly #journalSizes: JournalSizes;
  readonly #congestion: Congestion;
  readonly #grown = new Set<MemoryPartitionLog>();
  /** Lets deletions start, which wait for the end of recovery. */
  #recovered: () => void = () => {};
  /** Set once recovery has read the journal. */
  #opened: LogWriters | undefined = undefined;
  #recovery: RecoveryStats = { cleanStop: false, journalBytes: 0, commits: 0, tornBytes: 0, ms: 0 };
  #state: 'opening' | 'open' | 'failed' | 'closed' = 'opening';
  #failure: LogError | undefined = undefined;
  #stalled: LogError | undefined = undefined;
  #isCleanlyStopped = false;
  #closing: Promise<void> | undefined = undefined;
  #inspecting: Promise<void> = Promise.resolve();

  /** Creates the parts that need no recovery. Nothing is read yet. */
  private constructor(host: LogHost, options: LogOptions, dataDir: DataDir, sizes: LogSizes) {
    const { clock } = options;
    this.#host = host;
    this.#options = options;
    this.#dataDir = dataDir;
    this.#journalSizes = sizes.journal;
    this.#stores = new LogStores(
      options,
      (report) => host.damaged(report),
      (error) => this.#fail(error),
    );
    this.#flusher = new Flusher(
      options.unflushedBytesMax ?? defaults.unflushedBytesMax,
      clock,
      () => this.#opened?.journal.position ?? 0,
      (error) => this.#fail(error),
    );
    this.#congestion = new Congestion(
      clock,
      () => this.#isCongested,
      () => {
        if (this.#state === 'open') this.#host.relieved?.();
      },
    );
    this.#partitions = new Partitions(
      this.#partitionContext(),
      sizes.segmentBytesMax,
      new Promise((resolve) => (this.#recovered = resolve)),
    );
  }

  /**
   * Opens the data directory, recovers its content, and is ready for appends. Rejects with a LogError that
   * says what prevents it.
   */
  static async open(host: LogHost, options: LogOptions): Promise<Log> {
    const { files, dir, clock, random } = options;
    const heartbeatMs = Math.max(1, options.heartbeatMs ?? defaults.heartbeatMs);
    const dataDir = await openDataDir(files, dir, clock, random, heartbeatMs);
    let log: Log | undefined;
    try {
      const startedMs = clock.monotonic();
      log = new Log(host, options, dataDir, await logSizes(options));
      await log.#recover(startedMs);
      return log;
    } catch (error) {
      if (log) await log.#abandon();
      await dataDir.fence.end(false).catch(() => {});
      await dataDir.lock.release();
      throw explain(error, dir);
    }
  }

  async #abandon(): Promise<void> {
    this.#state = 'closed';
    await this.#stores.openFiles.closeAll(true).catch(() => {});
  }

  #partitionContext(): PartitionContext & MemoryPartitionContext {
    const options = this.#options;
    const stores = this.#stores;
    return {
      pool: stores.pool,
      blocks: stores.blocks,
      smallBatches: stores.smallBatches,
      tailCache: stores.tailCache,
      readCache: stores.readCache,
      segments: stores.segments,
      readGate: new Gate(readsAtATime),
      decompress: options.decompress,
      batchBytesMax: options.batchBytesMax ?? defaults.batchBytesMax,
      batchRecordsMax: options.batchRecordsMax ?? defaults.batchRecordsMax,
      recordBytesMax: options.recordBytesMax ?? defaults.recordBytesMax,
      draft: () => this.#open().draft(),
      touched: (partition) => this.#writers.committer.touched(partition),
      trimmed: (partition) => {
        if (this.#state === 'opening') partition.recovery.trimRecovered();
        else this.#writers.committer.trimmed(partition);
      },
      unflushedChanged: (partition, bytes) => {
        this.#flusher.changed(partition, bytes);
        if (bytes < 0) this.#congestion.mayHaveEnded();
      },
      recordDurably: (kind, id, payload) => {
        this.#open().recordOwn(kind, id, payload);
        return this.flush();
      },
      openCommitNumber: () => this.#writers.committer.openCommit,
      olderCheckpoint: () => this.#writers.checkpointer.olderNumber,
      checkpoint: () => this.checkpoint(),
      checkOpen: () => void this.#open(),
      grew: (partition) => this.#grew(partition),
    };
  }

  /** Reads the checkpoint and the journal, creates the parts that write, and opens the log. */
  async #recover(startedMs: number): Promise<void> {
    const { clock, dir } = this.#options;
    this.#host.opening(this);
    for (const report of this.#dataDir.damage) this.#host.damaged(report);
    const started = await startLog({
      files: this.#stores.files,
      dataDir: this.#dataDir,
      quarantine: this.#stores.quarantine,
      damaged: (report) => this.#host.damaged(report),
      host: this.#host,
      clock,
      partitions: this.#partitions,
      flusher: this.#flusher,
      journal: {
        files: this.#stores.files,
        clock,
        dir: `${dir}/${journalDirName}`,
        uuid: this.#dataDir.uuid,
        fileBytes: Math.max(journalFileBytesMin, this.#journalSizes.fileBytes),
        failed: (error) => this.#fail(error),
        entering: (next) => this.#dataDir.fence.look(next),
        stalled: (error) => this.#setStalled(error),
      },
    });
    if (this.#failure !== undefined) {
      await started.journal.close();
      throw this.#failure;
    }
    this.#opened = logWriters(
      {
        host: this.#host,
        options: this.#options,
        dataDir: this.#dataDir,
        stores: this.#stores,
        partitions: this.#partitions,
        checkpointBytes: this.#journalSizes.checkpointBytes,
        committed: () => this.#committed(),
        failed: (error) => this.#fail(error),
      },
      started,
    );
    const { journal } = started;
    await this.#dataDir.fence.begin({
      files: this.#stores.files,
      mark: () => this.#mark,
      places: [`${dir}/${journalDirName}`, `${dir}/${topicsDirName}`],
      currentFile: () => journal.currentFile,
      failed: (error) => this.#fail(error),
    });
    this.#recovery = { ...started.stats, ms: clock.monotonic() - startedMs };
    this.#state = 'open';
    this.#recovered();
    journal.prepare();
    this.#flusher.patient = true;
    this.#flusher.kick();
    // so that the next start does not find it again
    if (started.isDamaged) void this.checkpoint().catch(() => {});
    this.#inspecting = this.#inspect();
  }

  /** The parts that write. Only operations of an open log use them. */
  get #writers(): LogWriters {
    if (this.#opened === undefined) throw stillOpening();
    return this.#opened;
  }

  /** How far the journal goes now. */
  get #mark(): JournalMark {
    const { start, capacity } = this.#writers.journal.current;
    return {
      checkpoint: this.#writers.checkpointer.newest.number,
      fileStart: start,
      fileCapacity: capacity,
      commit: this.#writers.committer.lastCommit,
      position: this.#writers.journal.position,
    };
  }

  /** In the background: checks that all files named by the checkpoint are there. */
  async #inspect(): Promise<void> {
    for (const partition of this.#partitions.disk) {
      if (this.#state !== 'open') return;
      await partition.upkeep.inspect().catch(() => {}); // a shortage: the next reader checks again
    }
  }

  /** The committer, or the reason why nothing can be added. */
  #open(): Committer {
    const writers = this.#opened;
    if (this.#state !== 'open' || writers === undefined) {
      if (this.#state === 'opening') throw stillOpening();
      writers?.committer.draft(); // throws the error that it refuses with
      throw new LogError('closed', 'The log is closed.');
    }
    return writers.committer;
  }

  /** The identity of the data: 16 bytes that stay with the directory. */
  get uuid(): Uint8Array {
    return this.#dataDir.uuid;
  }

  // ---- partitions

  /**
   * Opens the log of a partition, or creates it. `id` is chosen by the host and never used for another
   * partition.
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

  /** Ids of partitions on disk that were not opened. They are kept; the host may open them. */
  get orphans(): readonly number[] {
    return this.#partitions.orphans;
  }

  /**
   * Removes a partition and its files. Call it only when the entry that records the deletion is durable, or
   * during its replay. Resolves when the files are removed.
   */
  async deletePartition(id: number): Promise<void> {
    // The number of the open commit in the journal: one more if another is being written.
    const commit = this.#state === 'opening' ? 0 : this.#writers.committer.lastCommit + 2;
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

  /**
   * What was added to the open commit gives room on the disk back, as the deletion of partitions does: it may
   * go into the journal's reserve. Trims of whole segments say so by themselves.
   */
  useReserve(): void {
    this.#writers.committer.useReserve();
  }

  /** Asks for a commit even if nothing was added yet: the host may add in `beforeSeal`. */
  requestCommit(): void {
    this.#writers.committer.request();
  }

  /** Number of the open commit; increases by one with every seal. */
  get openCommit(): number {
    return this.#writers.committer.openCommit;
  }

  /** Resolves when everything added before is durable; rejects if the log failed. */
  flush(): Promise<void> {
    return this.#writers.committer.flush();
  }

  /**
   * Whether too much data waits to be written, so that publishers should pause. A host that got `true` is
   * told by `relieved` when it is over.
   */
  get congested(): boolean {
    return this.#congestion.isSaid;
  }

  get #isCongested(): boolean {
    const limit = this.#options.commitBytesMax ?? defaults.commitBytesMax;
    return this.#writers.committer.openBytes > limit || this.#flusher.isBehind;
  }

  /** Bytes of all commits since the log was opened. */
  get committedBytes(): number {
    return this.#writers.committer.commitBytes;
  }

  /** Bytes committed and on their way to the segments, for which the disk must still have room. */
  get unflushedBytes(): number {
    return this.#flusher.bytes;
  }

  /**
   * Why the journal cannot grow at the moment (a full disk), or undefined. Commits go on while the current
   * file has room, then wait; nothing is lost. Callers that can handle a refusal check for room first; the
   * rest is for entries that cannot be refused.
   */
  get stalled(): LogError | undefined {
    return this.#stalled;
  }

  /**
   * Tells the log whether the disk has little room left. While it has, the host calls again now and then.
   * Each call frees room that only a checkpoint can free: segments of removed messages, and journal files.
   * Otherwise checkpoints come with the growth of the journal, and without room there is no growth.
   */
  roomIsShort(isShort: boolean): void {
    if (this.#state !== 'open') return;
    this.#writers.journal.isShort = isShort;
    if (!isShort || !this.#writers.checkpointer.givesRoom) return;
    this.checkpoint().catch(() => undefined); // the next call tries again
  }

  /** Called again with every failed try, once a second. */
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
    this.#congestion.mayHaveEnded();
    if (this.#writers.checkpointer.isWanted) this.#writers.committer.request();
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

  /** Makes a checkpoint of everything so far. Rejects with `disk-full` if there is no room for it now. */
  checkpoint(): Promise<void> {
    const done = this.#writers.checkpointer.wait();
    this.#writers.committer.request();
    return done;
  }

  /** A write or sync failed: nothing is retried, and no publish is acknowledged any more. */
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
    this.#writers.committer.refuse(this.#failure);
    void this.#writers.checkpointer.stop();
    this.#host.failed(this.#failure);
  }

  /**
   * Commits, makes a last checkpoint, so that the next start has nothing to replay, and releases the
   * directory.
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
    this.#writers.committer.refuse(new LogError('closed', 'The log is closed.'));
    await attempt(() => this.#writers.checkpointer.stop());
    await this.#inspecting;
    await attempt(() => this.#dataDir.fence.end(this.#isCleanlyStopped));
    await attempt(() => this.#writers.journal.close());
    await attempt(() => this.#stores.openFiles.closeAll(hadFailed));
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
    // it might take for ever
    if (this.#stalled !== undefined && !this.#writers.committer.isIdle) throw this.#stalled;
    await this.flush();
    await this.checkpoint();
    if (
      !this.#writers.committer.isIdle ||
      this.#writers.journal.position !== this.#writers.checkpointer.newest.position
    )
      return;
    this.#writers.committer.refuse(new LogError('closed', 'The log is closed.'));
    for (const partition of this.#partitions.disk) await partition.upkeep.writeIndexes();
    await writeCleanStop(this.#stores.files, dir, this.#writers.checkpointer.newest.number);
    this.#isCleanlyStopped = true;
  }

  /**
   * Resolves when every segment named by the checkpoint has been compared with its file, and missing content
   * has been reported. The check begins with the start.
   */
  get inspected(): Promise<void> {
    return this.#inspecting;
  }

  get stats(): LogStats {
    let segmentBytes = 0;
    for (const partition of this.#partitions.disk) segmentBytes += partition.segmentBytes;
    return {
      commits: this.#writers.committer.commits,
      commitBytes: this.#writers.committer.commitBytes,
      checkpoints: this.#writers.checkpointer.newest.number - this.#writers.firstCheckpoint,
      journalLiveBytes: this.#writers.checkpointer.liveBytes,
      journalDiskBytes: this.#writers.journal.diskBytes,
      segmentBytes,
      unflushedBytes: this.#flusher.bytes,
      tailCacheBytes: this.#stores.tailCache.bytes,
      readCacheBytes: this.#stores.readCache.bytes,
      openFiles: this.#stores.openFiles.size,
      indexesRebuilt: this.#stores.segments.indexesRebuilt,
      recovery: this.#recovery,
      quarantined: this.#stores.quarantine.names,
    };
  }
}

/** Whether another broker has taken the directory, or its files are gone; each has a message of its own. */
function isLoss(error: unknown): error is LogError {
  return error instanceof LogError && (error.code === 'data-dir-taken' || error.code === 'data-dir-gone');
}

function stillOpening(): LogError {
  return new LogError('misuse', 'Nothing can be added to a log that is still being opened.');
}
