import type { BlockPool, Gate } from '../util/index.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { CommitDraft } from './commit.ts';
import type { DiskPartitionLog } from './disk-partition-log.ts';
import type { Decompress } from './log-options.ts';
import type { ReadCache } from './read-cache.ts';
import type { SegmentContext } from './segment.ts';
import type { SmallBatches } from './small-batches.ts';
import type { TailCache } from './tail-cache.ts';

/** What a partition on disk needs of the log around it. */
export interface PartitionContext {
  readonly pool: BufferPool;
  readonly blocks: BlockPool;
  readonly smallBatches: SmallBatches;
  readonly tailCache: TailCache;
  readonly readCache: ReadCache;
  /** Cold reads at a time: the commit shares the threads that do them. */
  readonly readGate: Gate;
  readonly segments: SegmentContext;
  readonly decompress: Decompress | undefined;
  readonly batchBytesMax: number;
  readonly batchRecordsMax: number;
  readonly recordBytesMax: number;
  /** What the open commit holds. Throws when nothing may be added any more. */
  draft(): CommitDraft;
  /** The partition has something in the open commit. */
  touched(partition: DiskPartitionLog): void;
  trimmed(partition: DiskPartitionLog): void;
  unflushedChanged(partition: DiskPartitionLog, bytes: number): void;
  /** Adds a state entry of the log itself and waits until it is durable. */
  recordDurably(kind: number, id: number, payload: Uint8Array): Promise<void>;
  openCommitNumber(): number;
  /**
   * Number of the older of the two checkpoints; what it has sealed is never written to again, whatever is
   * replayed.
   */
  olderCheckpoint(): number;
  checkpoint(): Promise<void>;
}
