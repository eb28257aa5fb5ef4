import { BatchBuilder, recordBytesBound } from './batch-builder.ts';
import { BatchItem } from './batch-item.ts';
import { BatchMemory } from './batch-memory.ts';
import { Batch, BatchReader, placeBatch } from './batch.ts';
import type { PartitionRow } from './checkpoint.ts';
import { LogError, logErrorOf } from './errors.ts';
import { checkForeignBatch, fillsItsMemory } from './foreign-batch.ts';
import { batchHeaderBytes } from './format.ts';
import { PartitionCommit } from './partition-commit.ts';
import type { PartitionContext } from './partition-context.ts';
import type { PartitionLog, SegmentInfo } from './partition-log.ts';
import { PartitionRecovery } from './partition-recovery.ts';
import { PartitionState } from './partition-state.ts';
import { PartitionUpkeep } from './partition-upkeep.ts';
import { Record } from './record.ts';

/**
 * A partition on disk. Its batches pass through four places, the newest first:
 *
 *     open batch ──► sealed, being committed ──► recent: durable, in memory ──► segments
 *      endOffset ^                 durableEnd ^                     flushedEnd ^
 *
 * Publishers and readers see this class, as a {@link PartitionLog}; the committer, the upkeep of segments and
 * recovery have parts of their own.
 */
export class DiskPartitionLog implements PartitionLog {
  readonly id: number;
  readonly volatile = false;
  readonly commit: PartitionCommit;
  readonly upkeep: PartitionUpkeep;
  readonly recovery: PartitionRecovery;
  readonly #context: PartitionContext;
  readonly #state: PartitionState;
  #open: BatchItem | undefined = undefined;
  #lastBatchBytes = 0;

  /** `checkpoint` is the number of the checkpoint that contains the row. */
  constructor(context: PartitionContext, row: PartitionRow, segmentBytesMax: number, checkpoint: number) {
    this.#context = context;
    this.id = row.id;
    const state = new PartitionState(context, row, segmentBytesMax, checkpoint, (bytes) =>
      context.unflushedChanged(this, bytes),
    );
    this.#state = state;
    this.commit = new PartitionCommit(state);
    this.upkeep = new PartitionUpkeep(state);
    this.recovery = new PartitionRecovery(state);
  }

  get startOffset(): number {
    return this.#state.trim;
  }

  get endOffset(): number {
    return this.#state.endOffset;
  }

  get durableEnd(): number {
    return this.#state.durableEnd;
  }

  get maxTimestampMs(): number {
    return this.#state.maxTimestampMs;
  }

  get unflushedBytes(): number {
    return this.#state.recent.unflushedBytes;
  }

  get segmentBytes(): number {
    return this.#state.segments.bytes;
  }

  set segmentBytesMax(bytes: number) {
    this.#state.segments.bytesMax = bytes;
  }

  // ---- appending

  append(record: Record): number {
    let item = this.#open;
    if (item === undefined || this.#isFull(item.builder!, record)) item = this.#openBatch(record);
    const builder = item.builder!;
    const before = builder.bytes;
    const offset = this.#state.endOffset;
    builder.add(record, offset);
    record.offset = offset;
    this.#state.endOffset = offset + 1;
    if (record.timestampMs > this.#state.maxTimestampMs) this.#state.maxTimestampMs = record.timestampMs;
    this.#noteAdded(builder.bytes - before);
    return offset;
  }

  #isFull(builder: BatchBuilder, record: Record): boolean {
    const { batchBytesMax, batchRecordsMax } = this.#context;
    return (
      builder.count >= batchRecordsMax ||
      builder.bytes + (record.valueEnd - record.valueStart) + (record.keyEnd - record.keyStart) >
        batchBytesMax
    );
  }

  #openBatch(record: Record): BatchItem {
    const context = this.#context;
    const draft = context.draft();
    this.#assertThere();
    const bound = recordBytesBound(record);
    if (bound > context.recordBytesMax) {
      throw new LogError(
        'record-too-large',
        `A record of ${bound} bytes; the limit is ${context.recordBytesMax}.`,
      );
    }
    this.closeBatch();
    const item = BatchItem.open(
      this,
      new BatchBuilder(this.#state.endOffset, context.pool, this.#lastBatchBytes),
    );
    draft.items.push(item);
    this.#open = item;
    this.#noteAdded(batchHeaderBytes);
    context.touched(this);
    return item;
  }

  #noteAdded(bytes: number): void {
    this.#context.draft().bytes += bytes;
    this.#state.aheadBytes += bytes;
  }

  checkedBatch(bytes: Uint8Array, recordCount?: number, isGiven = false): Batch {
    const context = this.#context;
    context.draft();
    this.#assertThere();
    checkForeignBatch(bytes, recordCount, context.recordBytesMax);
    const own = isGiven && fillsItsMemory(bytes) ? bytes : context.smallBatches.copy(bytes);
    placeBatch(own, this.#state.endOffset);
    return new Batch(own, context.decompress, BatchMemory.of(own, context.blocks));
  }

  appendChecked(batch: Batch): void {
    const context = this.#context;
    const draft = context.draft();
    this.#assertThere();
    if (batch.baseOffset !== this.#state.endOffset)
      throw new LogError(
        'misuse',
        `A batch for offset ${batch.baseOffset} cannot go to ${this.#state.endOffset}.`,
      );
    this.closeBatch();
    draft.items.push(BatchItem.whole(this, batch));
    this.#state.endOffset = batch.endOffset;
    this.#state.maxTimestampMs = Math.max(this.#state.maxTimestampMs, batch.maxTimestampMs);
    this.#noteAdded(batch.bytes);
    context.touched(this);
  }

  #assertThere(): void {
    if (this.#state.deleted) throw new LogError('partition-deleted', `Partition ${this.id} was deleted.`);
  }

  /** Closes the open batch: it takes no more records. */
  closeBatch(): void {
    const item = this.#open;
    if (item === undefined) return;
    item.close();
    this.#lastBatchBytes = item.end;
    this.#open = undefined;
  }

  // ---- reading

  cached(offset: number): Batch | undefined {
    const batch = this.#inMemory(offset);
    return batch && handedOut(batch, false);
  }

  load(offset: number): Promise<Batch | undefined> {
    return this.#load(offset, false);
  }

  borrow(offset: number): Batch | Promise<Batch | undefined> {
    const batch = this.#inMemory(offset);
    return batch ? handedOut(batch, true) : this.#load(offset, true);
  }

  #inMemory(wanted: number): Batch | undefined {
    const offset = wanted < this.#state.trim ? this.#state.trim : wanted;
    if (offset >= this.#state.durableEnd) return undefined;
    return this.#state.recent.covers(offset)
      ? this.#state.recent.find(offset)
      : this.#state.cold.cached(offset);
  }

  async #load(wanted: number, borrows: boolean): Promise<Batch | undefined> {
    for (let offset = wanted; ;) {
      const found = this.#inMemory(offset);
      if (found !== undefined) return handedOut(found, borrows);
      offset = Math.max(offset, this.#state.trim);
      if (offset >= this.#state.durableEnd || this.#state.deleted) return undefined;
      const segment = this.#state.segments.find(offset);
      if (segment === undefined) {
        const { first } = this.#state.recent;
        return first !== undefined && first.endOffset > offset ? handedOut(first, borrows) : undefined;
      }
      const batches = await this.#state.cold.load(segment, offset, borrows);
      if (batches === undefined) {
        // The segment was removed, or the holder of the lock is replacing it.
        await this.#state.lock.run(() => Promise.resolve());
        if (this.#state.segments.find(offset) !== segment) continue;
        throw new LogError('closed', `Partition ${this.id} cannot be read: the log failed.`);
      }
      if (batches.length > 0) return batches[0];
      offset = segment.endOffset;
    }
  }

  trim(offset: number): void {
    const to = Math.min(offset, this.#state.endOffset);
    if (to <= this.#state.trim) return;
    this.#state.trim = to;
    this.#state.cold.forgetBelow(to);
    this.#state.dropTrimmed();
    this.#context.trimmed(this);
  }

  bytesFrom(wanted: number): number {
    const offset = Math.max(wanted, this.#state.trim);
    if (offset >= this.#state.endOffset) return 0;
    if (offset >= this.#state.recent.flushedEnd)
      return this.#state.aheadBytes - this.#state.recent.unflushedBytesBelow(offset);
    return this.#state.segments.bytes - this.#state.segments.bytesBefore(offset) + this.#state.aheadBytes;
  }

  async offsetAtTime(timestampMs: number): Promise<number> {
    let offset = this.#state.trim;
    for (const segment of this.#state.segments.all.slice()) {
      if (segment.endOffset <= offset) continue;
      if (segment.maxTimestampMs >= timestampMs) {
        try {
          offset = Math.max(offset, await segment.offsetBefore(timestampMs));
        } catch (error) {
          throw logErrorOf(error, `Partition ${this.id} cannot be searched by time`, 'io-failed');
        }
        break;
      }
      offset = segment.endOffset;
    }
    const record = new Record();
    const reader = new BatchReader();
    for (;;) {
      const batch = this.cached(offset) ?? (await this.load(offset));
      if (batch === undefined) return this.#state.durableEnd;
      if (batch.maxTimestampMs >= timestampMs) {
        if (batch.compressed && this.#context.decompress === undefined)
          return Math.max(offset, batch.baseOffset);
        reader.reset(batch, offset);
        while (reader.next(record)) if (record.timestampMs >= timestampMs) return record.offset;
      }
      offset = batch.endOffset;
    }
  }

  // ---- segments

  segments(): SegmentInfo[] {
    return this.upkeep.infos();
  }

  roll(): Promise<void> {
    return this.upkeep.roll();
  }

  compact(baseOffset: number, keep: (offset: number) => boolean): Promise<void> {
    return this.upkeep.compact(baseOffset, keep);
  }

  /** Marks the partition as deleted: it can no longer be read or added to. */
  markDeleted(): void {
    this.#state.deleted = true;
    this.#open = undefined;
    this.#state.recent.clear();
    this.#state.cold.close();
  }
}

/** Prepares a batch for a reader, which either borrows it and releases it later, or may keep it. */
function handedOut(batch: Batch, borrows: boolean): Batch {
  if (borrows) batch.memory?.hold();
  else batch.memory?.show();
  return batch;
}
