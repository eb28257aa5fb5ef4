import type { Batch } from './batch.ts';
import type { Record } from './record.ts';

/** A segment is one file of a partition's log: the batches from its base offset up to the next segment's. */
export interface SegmentInfo {
  readonly baseOffset: number;
  /** One past the last offset in it. */
  readonly endOffset: number;
  readonly bytes: number;
  /** -1 when it holds no record. */
  readonly maxTimestampMs: number;
}

/**
 * A partition log is a numbered sequence of records, kept in batches. On disk, or volatile: in memory only,
 * with the same interface.
 */
export interface PartitionLog {
  readonly id: number;
  readonly volatile: boolean;
  /** Nothing below can be read: it was trimmed, or never was. */
  readonly startOffset: number;
  /** The offset the next record gets. */
  readonly endOffset: number;
  /** Everything below is on disk (or, when volatile, in memory). */
  readonly durableEnd: number;
  /** The latest timestamp ever appended; 0 when there is none. */
  readonly maxTimestampMs: number;
  /**
   * Copies the record into the open batch, gives it the next offset (also set on `record.offset`) and starts
   * a commit.
   */
  append(record: Record): number;
  /**
   * A RecordBatch v2 as it would be appended now: a copy, byte for byte but for its base offset and leader
   * epoch. Nothing has happened yet. Length, version, record count (when given) and CRC are checked (LogError
   * `batch-invalid`), and that uncompressed records are whole (`records-invalid`). `isGiven`: the bytes are
   * not the caller's any more, and need not be copied.
   */
  checkedBatch(batch: Uint8Array, recordCount?: number, isGiven?: boolean): Batch;
  /**
   * Appends a {@link checkedBatch}, before anything else was appended. It takes last offset delta + 1
   * offsets.
   */
  appendChecked(batch: Batch): void;
  /**
   * The batch that holds `offset`, or the first after it (gaps are what compaction or damage left), if it is
   * in memory. Undefined: it has to be loaded, or `offset >= durableEnd`. Only durable batches.
   */
  cached(offset: number): Batch | undefined;
  /**
   * The same from disk, with what follows read ahead into the cache; undefined when nothing durable stands at
   * or after `offset`.
   */
  load(offset: number): Promise<Batch | undefined>;
  /**
   * {@link cached} or {@link load}, for a reader that says when it has done with the batch, by one
   * `batch.memory?.release()`: its memory is used again then. One that never says so does no harm.
   */
  borrow(offset: number): Batch | undefined | Promise<Batch | undefined>;
  /**
   * Nobody reads below `offset` any more. Whole segments below it are removed by the next checkpoint that
   * covers the commit open now, so it may be called before the entry that says so is durable.
   * `trim(endOffset)` empties the partition; offsets go on from there.
   */
  trim(offset: number): void;
  /**
   * Estimated bytes stored in `[from, endOffset)`: exact by batch in memory, in proportion within an older
   * segment.
   */
  bytesFrom(offset: number): number;
  /** First durable offset whose timestamp is at or after `timestampMs`; `durableEnd` when there is none. */
  offsetAtTime(timestampMs: number): Promise<number>;
  /** The sealed segments, oldest first: those that {@link compact} takes. */
  segments(): SegmentInfo[];
  /** Seals the segment being written, so that it can be compacted; the next batch starts a new one. */
  roll(): Promise<void>;
  /**
   * Rewrites one sealed segment without the records for which `keep(offset)` is false. Offsets stay; a
   * compressed batch goes only when none of its records is kept. Survives a crash at any point. Batches of
   * the segment that were read before still show the old records.
   */
  compact(baseOffset: number, keep: (offset: number) => boolean): Promise<void>;
}
