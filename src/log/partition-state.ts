import { Mutex } from '../util/index.ts';
import type { PartitionRow } from './checkpoint.ts';
import { ColdReader } from './cold-reader.ts';
import type { PartitionContext } from './partition-context.ts';
import { PartitionSegments } from './partition-segments.ts';
import { RecentBatches } from './recent-batches.ts';

/**
 * The state of a partition on disk, shared by its parts: the log for readers and publishers, and the parts of
 * the committer, of the flusher and the checkpointer, and of recovery.
 */
export class PartitionState {
  readonly id: number;
  readonly context: PartitionContext;
  readonly segments: PartitionSegments;
  readonly recent: RecentBatches;
  readonly cold: ColdReader;
  /** Allows one change of the segments at a time. */
  readonly lock: Mutex = new Mutex();
  endOffset: number;
  durableEnd: number;
  maxTimestampMs: number;
  /** Bytes that are in no segment: unflushed, sealed and open batches. */
  aheadBytes = 0;
  /** The first offset that can be read: as requested; in the commit being written; on disk. */
  trim: number;
  trimSealed: number;
  trimDurable: number;
  deleted = false;

  /**
   * `checkpoint` is the number of the checkpoint that contains the row; `unflushedChanged` is told of changes
   * in unflushed bytes.
   */
  constructor(
    context: PartitionContext,
    row: PartitionRow,
    segmentBytesMax: number,
    checkpoint: number,
    unflushedChanged: (bytes: number) => void,
  ) {
    this.id = row.id;
    this.context = context;
    this.segments = new PartitionSegments(
      context.segments,
      row.id,
      segmentBytesMax,
      row.segments,
      checkpoint,
    );
    this.recent = new RecentBatches(context.tailCache, row.flushedEnd, unflushedChanged);
    this.cold = new ColdReader(row.id, context.readCache, context.readGate);
    this.endOffset = this.durableEnd = row.endOffset;
    this.trim = this.trimSealed = this.trimDurable = row.startOffset;
    this.maxTimestampMs = row.maxTimestampMs;
  }

  /**
   * Drops trimmed batches from memory; batches that are in no segment are dropped once the trim is durable.
   */
  dropTrimmed(): void {
    this.aheadBytes -= this.recent.trim(this.trim, this.trimDurable);
  }
}
