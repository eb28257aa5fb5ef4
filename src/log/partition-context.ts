import type { BlockPool, Gate } from '../util/index.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { CommitDraft } from './commit.ts';
import type { DiskPartitionLog } from './disk-partition-log.ts';
import type { Decompress } from './log-options.ts';
import type { ReadCache } from './read-cache.ts';
import type { SegmentContext } from './segment.ts';
import type { SmallBatches } from './small-batches.ts';
import type { TailCache } from './tail-cache.ts';

/** The services that the log offers to a partition on disk. */
export interface PartitionContext {
  readonly pool: BufferPool;
  readonly blocks: BlockPool;
  readonly smallBatches: SmallBatches;
  readonly tailCache: TailCache;
  readonly readCache: ReadCache;
  /** Limits concurrent cold reads, which share their threads with commits. */
  readonly readGate: Gate;
  readonly segments: SegmentContext;
  readonly decompress: Decompress | undefined;
  readonly batchBytesMax: number;
  readonly batchRecordsMax: number;
  readonly recordBytesMax: number;
  /** The draft of the open commit. Throws if nothing may be added any more. */
  draft(): CommitDraft;
  /** Notes that the partition has something in the open commit. */
  touched(partition: DiskPartitionLog): void;
  trimmed(partition: DiskPartitionLog): void;
  unflushedChanged(partition: DiskPartitionLog, bytes: number): void;
  /** Adds a state entry of the log itself and waits until it is durable. */
  recordDurably(kind: number, id: number, payload: Uint8Array): Promise<void>;
  openCommitNumber(): number;
  /**
   * Number of the older of the two checkpoints. Segments that it has as sealed are never written to again, by
   * any replay.
   */
  olderCheckpoint(): number;
  checkpoint(): Promise<void>;
}
