import { Mutex, writeI64 } from '../util/index.ts';
import { BatchBuilder, recordBytesBound } from './batch-builder.ts';
import { BatchItem } from './batch-item.ts';
import { BatchMemory } from './batch-memory.ts';
import { Batch, BatchReader, placeBatch } from './batch.ts';
import type { PartitionRow } from './checkpoint.ts';
import { ColdReader } from './cold-reader.ts';
import { LogError, logErrorOf } from './errors.ts';
import { checkForeignBatch, fillsItsMemory } from './foreign-batch.ts';
import { LogEntryKind, batchHeaderBytes } from './format.ts';
import type { PartitionContext } from './partition-context.ts';
import type { PartitionLog, SegmentInfo } from './partition-log.ts';
import { PartitionSegments } from './partition-segments.ts';
import { RecentBatches } from './recent-batches.ts';
import { Record } from './record.ts';
import type { Segment } from './segment.ts';

/**
 * A partition on disk. Its batches pass through four places, the newest first:
 *
 *     open batch ──► sealed, being committed ──► recent: durable, in memory ──► segments
 *      endOffset ^                 durableEnd ^                     flushedEnd ^
 */
export class DiskPartitionLog implements PartitionLog {
  readonly id: number;
  readonly volatile = false;
  /** The seal in which it was last touched: the committer's note. */
  touchedIn = -1;
  readonly #context: PartitionContext;
  readonly #segments: PartitionSegments;
  readonly #recent: RecentBatches;
  readonly #cold: ColdReader;
  /** One change of the segments at a time. */
  readonly #lock = new Mutex();
  #endOffset: number;
  #durableEnd: number;
  #maxTimestampMs: number;
  #open: BatchItem | undefined = undefined;
  #lastBatchBytes = 0;
  #sealed: Batch[] = [];
  /** Bytes that no segment has: unflushed, sealed and open batches. */
  #aheadBytes = 0;
  /** Asked for; in the commit being written; on disk. */
  #trim: number;
  #trimSealed: number;
  #trimDurable: number;
  #endAtCheckpoint: number;
  #trimAtCheckpoint: number;
  /** Segments that the next checkpoint no longer lists, to be removed after it. */
  #doomed: Segment[] = [];
  #deleted = false;

  /** `checkpoint` is the number of the one the row is from. */
  constructor(context: PartitionContext, row: PartitionRow, segmentBytesMax: number, checkpoint: number) {
    this.#context = context;
    this.id = row.id;
    this.#segments = new PartitionSegments(
      context.segments,
      row.id,
      segmentBytesMax,
      row.segments,
      checkpoint,
    );
    this.#recent = new RecentBatches(context.tailCache, row.flushedEnd, (bytes) =>
      context.unflushedChanged(this, bytes),
    );
    this.#cold = new ColdReader(row.id, context.readCache, context.readGate);
    this.#endOffset = this.#durableEnd = this.#endAtCheckpoint = row.endOffset;
    this.#trim = this.#trimSealed = this.#trimDurable = this.#trimAtCheckpoint = row.startOffset;
    this.#maxTimestampMs = row.maxTimestampMs;
  }

  get startOffset(): number {
    return this.#trim;
  }

  get endOffset(): number {
    return this.#endOffset;
  }

  get durableEnd(): number {
    return this.#durableEnd;
  }

  get maxTimestampMs(): number {
    return this.#maxTimestampMs;
  }

  get unflushedBytes(): number {
    return this.#recent.unflushedBytes;
  }

  get segmentBytes(): number {
    return this.#segments.bytes;
  }

  set segmentBytesMax(bytes: number) {
    this.#segments.bytesMax = bytes;
  }

  // ---- appending

  append(record: Record): number {
    let item = this.#open;
    if (item === undefined || this.#isFull(item.builder!, record)) item = this.#openBatch(record);
    const builder = item.builder!;
    const before = builder.bytes;
    const offset = this.#endOffset;
    builder.add(record, offset);
    record.offset = offset;
    this.#endOffset = offset + 1;
    if (record.timestampMs > this.#maxTimestampMs) this.#maxTimestampMs = record.timestampMs;
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
    const item = BatchItem.open(this, new BatchBuilder(this.#endOffset, context.pool, this.#lastBatchBytes));
    draft.items.push(item);
    this.#open = item;
    this.#noteAdded(batchHeaderBytes);
    context.touched(this);
    return item;
  }

  #noteAdded(bytes: number): void {
    this.#context.draft().bytes += bytes;
    this.#aheadBytes += bytes;
  }

  checkedBatch(bytes: Uint8Array, recordCount?: number, isGiven = false): Batch {
    const context = this.#context;
    context.draft();
    this.#assertThere();
    checkForeignBatch(bytes, recordCount, context.recordBytesMax);
    const own = isGiven && fillsItsMemory(bytes) ? bytes : context.smallBatches.copy(bytes);
    placeBatch(own, this.#endOffset);
    return new Batch(own, context.decompress, BatchMemory.of(own, context.blocks));
  }

  appendChecked(batch: Batch): void {
    const context = this.#context;
    const draft = context.draft();
    this.#assertThere();
    if (batch.baseOffset !== this.#endOffset)
      throw new LogError('misuse', `A batch for offset ${batch.baseOffset} cannot go to ${this.#endOffset}.`);
    this.closeBatch();
    draft.items.push(BatchItem.whole(this, batch));
    this.#endOffset = batch.endOffset;
    this.#maxTimestampMs = Math.max(this.#maxTimestampMs, batch.maxTimestampMs);
    this.#noteAdded(batch.bytes);
    context.touched(this);
  }

  #assertThere(): void {
    if (this.#deleted) throw new LogError('partition-deleted', `Partition ${this.id} was deleted.`);
  }

  /** The open batch takes no more records. */
  closeBatch(): void {
    const item = this.#open;
    if (item === undefined) return;
    item.close();
    this.#lastBatchBytes = item.end;
    this.#open = undefined;
  }

  // ---- commit

  /** The trims so far belong to the commit being sealed. */
  sealTrim(): void {
    this.#trimSealed = this.#trim;
  }

  trimDurable(): void {
    this.#trimDurable = this.#trimSealed;
    this.#dropTrimmed();
  }

  /** A batch of the commit being sealed, with memory of its own. */
  sealed(batch: Batch): void {
    this.#sealed.push(batch);
  }

  /** The batches sealed are durable. */
  sealedDurable(): void {
    if (this.#deleted) this.#sealed.length = 0;
    for (const batch of this.#sealed) {
      this.#recent.add(batch);
      this.#durableEnd = batch.endOffset;
    }
    this.#sealed.length = 0;
    this.#dropTrimmed();
  }

  #dropTrimmed(): void {
    this.#aheadBytes -= this.#recent.trim(this.#trim, this.#trimDurable);
  }

  // ---- segments

  /** Writes what is unflushed to the segments. */
  flush(): Promise<void> {
    return this.#lock.run(() => this.#flushNow());
  }

  async #flushNow(): Promise<void> {
    this.#dropTrimmed();
    if (this.#deleted || this.unflushedBytes === 0) return;
    const batches = this.#recent.startFlush();
    let written = 0;
    try {
      await this.#segments.append(batches, this.#trimDurable, (count) => {
        if (this.#deleted) return; // meanwhile; nothing is kept of it
        for (const batch of batches.slice(written, (written += count))) this.#aheadBytes -= batch.bytes;
        this.#recent.flushed(count);
      });
    } finally {
      this.#recent.endFlush();
    }
    this.#dropTrimmed();
  }

  /**
   * Where the partition stands in the commit being sealed, which a checkpoint will be of; true when it has
   * segments to drop.
   */
  markCheckpoint(): boolean {
    this.#endAtCheckpoint = this.#endOffset;
    this.#trimAtCheckpoint = this.#trimSealed;
    const first = this.#segments.all[0];
    return first !== undefined && first.endOffset <= this.#trimSealed;
  }

  /** Segments are on disk that nobody reads any more; they go with a checkpoint. */
  get hasTrimmedSegments(): boolean {
    const first = this.#segments.all[0];
    return this.#doomed.length > 0 || (first !== undefined && first.endOffset <= this.#trim);
  }

  /** The entry that says which segments are gone; see {@link markCheckpoint}. */
  get trimmedEntry(): Uint8Array {
    return offsetsEntry(this.#trimSealed);
  }

  /** Brings the segments up to date and on disk, and says what the checkpoint should say of them. */
  checkpointRow(number: number): Promise<PartitionRow> {
    return this.#lock.run(async () => {
      if (this.#deleted) return this.deletedRow;
      this.#doomed.push(...this.#segments.takeBelow(this.#trimAtCheckpoint));
      await this.#flushNow();
      await this.#segments.sync();
      for (const segment of this.#segments.all) {
        if (segment.sealed && segment.sealedInCheckpoint > number) segment.sealedInCheckpoint = number;
      }
      return {
        id: this.id,
        startOffset: this.#trimAtCheckpoint,
        endOffset: this.#endAtCheckpoint,
        flushedEnd: this.#recent.flushedEnd,
        maxTimestampMs: this.#maxTimestampMs,
        segments: this.#segments.all.map((segment) => segment.row),
      };
    });
  }

  /** See {@link PartitionSegments.oweDirSync}. */
  oweDirSync(): void {
    this.#segments.oweDirSync();
  }

  /** What a checkpoint says of the partition while it is being deleted. */
  get deletedRow(): PartitionRow {
    return {
      id: this.id,
      startOffset: this.#trimAtCheckpoint,
      endOffset: this.#endAtCheckpoint,
      flushedEnd: this.#endAtCheckpoint,
      maxTimestampMs: this.#maxTimestampMs,
      deleted: true,
      segments: [],
    };
  }

  /** A checkpoint without them is durable: the files of dropped segments go. */
  removeDoomed(): Promise<void> {
    return this.#lock.run(() => this.#removeDoomedNow());
  }

  async #removeDoomedNow(): Promise<void> {
    for (let segment = this.#doomed[0]; segment !== undefined; segment = this.#doomed[0]) {
      await this.#segments.removeFiles(segment);
      this.#doomed.shift();
    }
  }

  /**
   * The same before the checkpoint is there, which has no room: the commit it is of says durably that these
   * segments are gone ({@link trimmedEntry}), and a start that replays it misses none of them. True when
   * there were any.
   */
  removeTrimmedEarly(): Promise<boolean> {
    return this.#lock.run(async () => {
      if (this.#deleted) return false;
      this.#doomed.push(...this.#segments.takeBelow(this.#trimAtCheckpoint));
      const isAny = this.#doomed.length > 0;
      await this.#removeDoomedNow();
      return isAny;
    });
  }

  writeIndexes(): Promise<void> {
    return this.#lock.run(() => this.#segments.writeIndexes());
  }

  /** Holds every segment's file against what is known of it, and reports what is missing. */
  inspect(): Promise<void> {
    return this.#segments.inspect(this.#trimDurable);
  }

  async roll(): Promise<void> {
    try {
      await this.#lock.run(async () => {
        await this.#flushNow();
        await this.#segments.roll();
      });
    } catch (error) {
      throw logErrorOf(error, `The segment of partition ${this.id} cannot be sealed`, 'io-failed');
    }
  }

  segments(): SegmentInfo[] {
    const infos: SegmentInfo[] = [];
    for (const { sealed, baseOffset, endOffset, bytes, maxTimestampMs } of this.#segments.all) {
      if (sealed) infos.push({ baseOffset, endOffset, bytes, maxTimestampMs });
    }
    return infos;
  }

  async compact(baseOffset: number, keep: (offset: number) => boolean): Promise<void> {
    // Not before both checkpoints have it sealed: what is replayed from either never writes to it again.
    for (let i = 0; i < 2; i++)
      if (this.#isTooNew(this.#sealedAt(baseOffset))) await this.#context.checkpoint();
    try {
      await this.#lock.run(() => this.#compactNow(baseOffset, keep));
    } catch (error) {
      const what = `The segment at offset ${baseOffset} of partition ${this.id} cannot be compacted`;
      throw logErrorOf(error, what, 'io-failed');
    }
  }

  #sealedAt(baseOffset: number): Segment | undefined {
    const segment = this.#segments.find(baseOffset);
    return segment !== undefined && segment.baseOffset === baseOffset && segment.sealed ? segment : undefined;
  }

  #isTooNew(segment: Segment | undefined): boolean {
    return segment !== undefined && segment.sealedInCheckpoint > this.#context.olderCheckpoint();
  }

  async #compactNow(baseOffset: number, keep: (offset: number) => boolean): Promise<void> {
    const context = this.#context;
    const segment = this.#sealedAt(baseOffset);
    if (segment === undefined || this.#deleted || this.#isTooNew(segment)) return;
    const rewrite = context.openCommitNumber();
    const path = this.#segments.compactedPath(baseOffset, rewrite);
    const compacted = await this.#segments.writeCompacted(segment, path, keep);
    if (compacted === undefined) return;
    const { bytes, ends } = compacted;
    await context.segments.files.syncDir(this.#segments.dir);
    await context.recordDurably(LogEntryKind.compacted, this.id, offsetsEntry(baseOffset, bytes, rewrite));
    await this.#segments.replace(segment, path, bytes, ends);
    this.#cold.forget(segment.baseOffset, segment.endOffset);
    // Batches are dropped from the front only: those before it go too.
    this.#recent.dropCleanBelow(segment.endOffset);
  }

  // ---- deletion

  /** Nothing can be added or read any more. */
  markDeleted(): void {
    this.#deleted = true;
    this.#open = undefined;
    this.#recent.clear();
    this.#cold.close();
  }

  /** Removes every file; resolves when that is durable. */
  removeFiles(): Promise<void> {
    return this.#lock.run(() => this.#segments.removeAll());
  }

  // ---- recovery

  /**
   * Takes in a batch from the journal: a copy, unless the segments have it already. Says what the host is to
   * see, and from where on offsets before it are nowhere.
   */
  replayed(found: Batch): { readonly batch: Batch; readonly lostFrom: number } {
    const { flushedEnd } = this.#recent;
    const lostFrom = Math.max(this.#endOffset, flushedEnd);
    let batch = found;
    if (found.endOffset > flushedEnd && found.baseOffset >= this.#durableEnd) {
      const { smallBatches, decompress, blocks } = this.#context;
      const own = smallBatches.copy(found.buffer);
      batch = new Batch(own, decompress, BatchMemory.of(own, blocks));
      this.#aheadBytes += batch.bytes;
      this.#recent.add(batch);
    }
    this.#endOffset = this.#durableEnd = Math.max(this.#endOffset, batch.endOffset);
    this.#maxTimestampMs = Math.max(this.#maxTimestampMs, batch.maxTimestampMs);
    return { batch, lostFrom };
  }

  /** A trim that comes from replaying the journal is as durable as its cause. */
  trimRecovered(): void {
    this.#trimSealed = this.#trimDurable = this.#trim;
    this.#dropTrimmed();
  }

  /** Makes good a compaction whose entry was found in the journal, after replay. */
  recoverCompacted(baseOffset: number, bytes: number, rewrite: number): Promise<void> {
    return this.#lock.run(async () => {
      const segment = this.#sealedAt(baseOffset);
      if (segment === undefined || this.#deleted) return;
      await this.#segments.replace(segment, this.#segments.compactedPath(baseOffset, rewrite), bytes);
    });
  }

  /**
   * Replay is over. Offsets that the segments have and the journal does not are records whose commit was
   * damaged: they are kept; says from where.
   */
  recovered(): { readonly keptFrom: number; readonly keptTo: number } | undefined {
    const { flushedEnd } = this.#recent;
    if (this.#endOffset >= flushedEnd) return undefined;
    const keptFrom = this.#endOffset;
    this.#endOffset = this.#durableEnd = flushedEnd;
    return { keptFrom, keptTo: flushedEnd };
  }

  /** Leaves out so many offsets, because records may have had them that nobody will see again. */
  passOver(count: number): { readonly from: number; readonly to: number } | undefined {
    if (count === 0) return undefined;
    const from = this.#endOffset;
    this.#endOffset = this.#durableEnd = from + count;
    return { from, to: from + count };
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
    const offset = wanted < this.#trim ? this.#trim : wanted;
    if (offset >= this.#durableEnd) return undefined;
    return this.#recent.covers(offset) ? this.#recent.find(offset) : this.#cold.cached(offset);
  }

  async #load(wanted: number, borrows: boolean): Promise<Batch | undefined> {
    for (let offset = wanted; ;) {
      const found = this.#inMemory(offset);
      if (found !== undefined) return handedOut(found, borrows);
      offset = Math.max(offset, this.#trim);
      if (offset >= this.#durableEnd || this.#deleted) return undefined;
      const segment = this.#segments.find(offset);
      if (segment === undefined) {
        const { first } = this.#recent;
        return first !== undefined && first.endOffset > offset ? handedOut(first, borrows) : undefined;
      }
      const batches = await this.#cold.load(segment, offset, borrows);
      if (batches === undefined) {
        // The segment was removed, or is being replaced by whoever has the lock.
        await this.#lock.run(() => Promise.resolve());
        if (this.#segments.find(offset) !== segment) continue;
        throw new LogError('closed', `Partition ${this.id} cannot be read: the log failed.`);
      }
      if (batches.length > 0) return batches[0];
      offset = segment.endOffset;
    }
  }

  trim(offset: number): void {
    const to = Math.min(offset, this.#endOffset);
    if (to <= this.#trim) return;
    this.#trim = to;
    this.#cold.forgetBelow(to);
    this.#dropTrimmed();
    this.#context.trimmed(this);
  }

  bytesFrom(wanted: number): number {
    const offset = Math.max(wanted, this.#trim);
    if (offset >= this.#endOffset) return 0;
    if (offset >= this.#recent.flushedEnd) return this.#aheadBytes - this.#recent.unflushedBytesBelow(offset);
    return this.#segments.bytes - this.#segments.bytesBefore(offset) + this.#aheadBytes;
  }

  async offsetAtTime(timestampMs: number): Promise<number> {
    let offset = this.#trim;
    for (const segment of this.#segments.all.slice()) {
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
      if (batch === undefined) return this.#durableEnd;
      if (batch.maxTimestampMs >= timestampMs) {
        if (batch.compressed && this.#context.decompress === undefined)
          return Math.max(offset, batch.baseOffset);
        reader.reset(batch, offset);
        while (reader.next(record)) if (record.timestampMs >= timestampMs) return record.offset;
      }
      offset = batch.endOffset;
    }
  }
}

/** A batch on its way to a reader, who says when he is done with it, or may keep it. */
function handedOut(batch: Batch, borrows: boolean): Batch {
  if (borrows) batch.memory?.hold();
  else batch.memory?.show();
  return batch;
}

/** Offsets or sizes as the payload of one of the log's own entries: an i64 each. */
function offsetsEntry(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  values.forEach((value, i) => writeI64(bytes, i * 8, value));
  return bytes;
}
