import type { Batch } from './batch.ts';
import type { DamageReport, LogError } from './errors.ts';
import type { Log } from './log.ts';
import type { PartitionLog } from './partition-log.ts';

/**
 * The log's host is the broker as the log sees it: state that is rebuilt from a checkpoint and the journal,
 * and written down with every commit.
 *
 * All of it is called synchronously, and none of it may throw: an exception here is a broken invariant and
 * ends the process.
 */
export interface LogHost {
  /**
   * The log exists and is about to recover: the host keeps it, to open partitions with. Called once, before
   * anything else. Nothing can be added before `Log.open` resolves.
   */
  opening(log: Log): void;
  /**
   * State as of the checkpoint; undefined when there is none (a fresh directory, or both checkpoints damaged,
   * which `damaged` said before). The host opens each partition it knows that {@link Log.isStored}; its
   * `endOffset` is as of the checkpoint and moves on with the replay.
   */
  restore(snapshot: Uint8Array | undefined): void;
  /**
   * Replays a batch committed after the checkpoint; the partition's `endOffset` has moved past it already.
   * The batch, and the payload of an entry, are only lent for the call. Replay follows the order of the
   * commit: a batch stands where its FIRST record was appended, a state entry where it was recorded.
   */
  replayBatch(partition: PartitionLog, batch: Batch): void;
  replayEntry(kind: number, id: number, payload: Uint8Array): void;
  /** All of one commit has been replayed. */
  replayedCommit?(commit: number, timestampMs: number): void;
  /**
   * The journal was damaged: the host opens those of its partitions that may have lost records, so that their
   * offsets are not used again.
   */
  openPartitions?(mayHaveLost: (id: number) => boolean): void;
  /** A commit is about to be sealed: the last chance to add entries to it. */
  beforeSeal(): void;
  /** The open commit was sealed: what is added from now on belongs to the next. */
  sealed(): void;
  /**
   * The sealed commit is on disk; `durableEnd` of its partitions has moved already. The list is reused after
   * the call.
   */
  durable(touched: readonly PartitionLog[]): void;
  /**
   * Volatile partitions grew; nothing of it goes to disk and it belongs to no commit. Called soon after the
   * append, in a deferred call of its own.
   */
  volatileGrew?(touched: readonly PartitionLog[]): void;
  /** The log said that it was congested, and is so no longer. */
  relieved?(): void;
  /**
   * The whole state as of the commit being sealed, in pieces. Called right after `beforeSeal`, when a
   * checkpoint is due.
   */
  snapshot(): Uint8Array[];
  /** A write or sync failed. Final: nothing becomes durable any more. Called once. */
  failed(error: LogError): void;
  /** Damage was found: what was lost. The rest is served. */
  damaged(report: DamageReport): void;
}
