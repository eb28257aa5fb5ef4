import type { Batch } from './batch.ts';
import type { Record } from './record.ts';

/** A segment is one file of a partition's log: the batches from its base offset up to the next segment's. */
export interface SegmentInfo {
  readonly baseOffset: number;
  /** One past the last offset of the segment. */
  readonly endOffset: number;
  readonly bytes: number;
  /** -1 if it has no record. */
  readonly maxTimestampMs: number;
}

/**
 * A partition log is a numbered sequence of records in batches. It is on disk, or volatile: in memory only,
 * with the same interface.
 */
export interface PartitionLog {
  readonly id: number;
  readonly volatile: boolean;
  /** Records below cannot be read: they were trimmed, or never existed. */
  readonly startOffset: number;
  /** The offset of the next record. */
  readonly endOffset: number;
  /** Records below are on disk (or, if volatile, in memory). */
  readonly durableEnd: number;
  /** The latest timestamp ever appended; 0 if there is none. */
  readonly maxTimestampMs: number;
  /**
   * Copies the record into the open batch, gives it the next offset (also set in `record.offset`) and starts
   * a commit.
   */
  append(record: Record): number;
  /**
   * Checks a RecordBatch v2 and returns it as it would be appended now: a copy that differs only in base
   * offset and leader epoch. Nothing is appended yet. Length, version, record count (if given) and CRC are
   * checked (LogError `batch-invalid`), and that uncompressed records are complete (`records-invalid`). With
   * `isGiven` the caller gives up the bytes, which need not be copied.
   */
  checkedBatch(batch: Uint8Array, recordCount?: number, isGiven?: boolean): Batch;
  /** Appends a {@link checkedBatch}, before any other append. It takes last offset delta + 1 offsets. */
  appendChecked(batch: Batch): void;
  /**
   * The batch that contains `offset`, or the next one (compaction and damage leave gaps), if it is in memory.
   * Undefined if it must be loaded, or if `offset >= durableEnd`. Only durable batches are returned.
   */
  cached(offset: number): Batch | undefined;
  /**
   * Loads the same batch from disk, and reads later ones ahead into the cache. Undefined if nothing durable
   * is at or after `offset`.
   */
  load(offset: number): Promise<Batch | undefined>;
  /**
   * {@link cached} or {@link load}, for a reader that calls `batch.memory?.release()` once when it is done
   * with the batch: its memory is then reused. A missing release does no harm.
   */
  borrow(offset: number): Batch | undefined | Promise<Batch | undefined>;
  /**
   * Allows records below `offset` to be removed; they will not be read any more. Whole segments below it are
   * removed by the next checkpoint that covers the open commit, so it may be called before the entry that
   * records the trim is durable. `trim(endOffset)` empties the partition; offsets continue from there.
   */
  trim(offset: number): void;
  /**
   * Estimated bytes stored in `[from, endOffset)`: exact to a batch in memory, proportional within an older
   * segment.
   */
  bytesFrom(offset: number): number;
  /** First durable offset with a timestamp at or after `timestampMs`; `durableEnd` if there is none. */
  offsetAtTime(timestampMs: number): Promise<number>;
  /** The sealed segments, oldest first, which {@link compact} accepts. */
  segments(): SegmentInfo[];
  /** Seals the segment being written, so that it can be compacted; the next batch starts a new one. */
  roll(): Promise<void>;
  /**
   * Rewrites one sealed segment without the records for which `keep(offset)` is false. Offsets do not change;
   * a compressed batch is removed only if none of its records is kept. It survives a crash at any point.
   * Batches of the segment that were read before still have the old records.
   */
  compact(baseOffset: number, keep: (offset: number) => boolean): Promise<void>;
}
