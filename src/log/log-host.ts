import type { Batch } from './batch.ts';
import type { DamageReport, LogError } from './errors.ts';
import type { Log } from './log.ts';
import type { PartitionLog } from './partition-log.ts';

/**
 * The log's host is the broker as seen by the log: its state is rebuilt from a checkpoint and the journal,
 * and written with every commit.
 *
 * All methods are called synchronously, and none may throw: an exception here is a broken invariant and ends
 * the process.
 */
export interface LogHost {
  /**
   * Called once, before anything else: the log exists and is about to recover. The host keeps it to open
   * partitions with. Nothing can be added before `Log.open` resolves.
   */
  opening(log: Log): void;
  /**
   * State as of the checkpoint; undefined if there is none (a fresh directory, or both checkpoints damaged,
   * which was reported to `damaged` before). The host opens each partition it knows that {@link
   * Log.isStored}. Its `endOffset` is as of the checkpoint, and moves on during the replay.
   */
  restore(snapshot: Uint8Array | undefined): void;
  /**
   * Replays a batch committed after the checkpoint; the partition's `endOffset` has moved past it already.
   * The batch, and the payload of an entry, are valid only during the call. Replay follows the order of the
   * commit: a batch has the place where its FIRST record was appended, a state entry the place where it was
   * recorded.
   */
  replayBatch(partition: PartitionLog, batch: Batch): void;
  replayEntry(kind: number, id: number, payload: Uint8Array): void;
  /** Called when all of a commit has been replayed. */
  replayedCommit?(commit: number, timestampMs: number): void;
  /**
   * Called if the journal was damaged: the host opens all partitions that may have lost records, so that
   * their offsets are not used again.
   */
  openPartitions?(mayHaveLost: (id: number) => boolean): void;
  /** Called before a commit is sealed: the last chance to add entries to it. */
  beforeSeal(): void;
  /** Called when the open commit was sealed: later changes belong to the next one. */
  sealed(): void;
  /**
   * Called when the sealed commit is on disk; `durableEnd` of its partitions has moved already. The list is
   * reused after the call.
   */
  durable(touched: readonly PartitionLog[]): void;
  /**
   * Called when volatile partitions grew; their records do not go to disk and belong to no commit. It comes
   * soon after the append, in a deferred call of its own.
   */
  volatileGrew?(touched: readonly PartitionLog[]): void;
  /** Called when a congestion that the log reported is over. */
  relieved?(): void;
  /**
   * The whole state as of the commit being sealed, in pieces. Called right after `beforeSeal`, when a
   * checkpoint is due.
   */
  snapshot(): Uint8Array[];
  /** Called once when a write or sync failed. It is final: nothing becomes durable any more. */
  failed(error: LogError): void;
  /** Called when damage was found, with the loss. The rest is served. */
  damaged(report: DamageReport): void;
}
