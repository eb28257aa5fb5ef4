import { writeI64 } from '../util/index.ts';
import { Batch, BatchReader, placeBatch } from './batch.ts';
import { BatchBuilder, recordBytesBound } from './batch-builder.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { CommitDraft, CommitItem } from './commit.ts';
import type { PartitionRow } from './checkpoint.ts';
import { LogError, logErrorOf } from './errors.ts';
import { checkForeignBatch } from './foreign-batch.ts';
import { EntryClass, LogEntryKind, batchHeaderBytes } from './format.ts';
import type { Decompress } from './log-options.ts';
import { Mutex, type Gate } from './mutex.ts';
import type { PartitionLog, SegmentInfo } from './partition-log.ts';
import { PartitionSegments } from './partition-segments.ts';
import { findBatch, type ReadCache, type ReadRun } from './read-cache.ts';
import { Record } from './record.ts';
import type { Segment, SegmentContext } from './segment.ts';
import type { SmallBatches } from './small-batches.ts';
import { batchOverheadBytes, type TailCache, type TailOwner } from './tail-cache.ts';

/** What a partition needs of the log around it. */
export interface PartitionContext {
  readonly pool: BufferPool;
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
  /** Adds a state entry of the log itself and waits until it is durable; says which commit it went into. */
  recordDurably(kind: number, id: number, payload: Uint8Array): Promise<void>;
  openCommitNumber(): number;
  /** Number of the older of the two checkpoints; what it has sealed is never written to again, whatever is replayed. */
  olderCheckpoint(): number;
  checkpoint(): Promise<void>;
}

/** A batch in a commit: being built, or whole. */
export class BatchItem implements CommitItem {
  readonly entryClass: number = EntryClass.batch;
  readonly kind = 0;
  readonly id: number;
  readonly partition: DiskPartitionLog;
  /** Undefined once the batch is whole. */
  builder: BatchBuilder | undefined;
  /** The payload's buffer is from the pool, and may be larger than the batch. */
  readonly pooled: boolean;
  payload: Uint8Array;
  start = 0;
  end: number;

  constructor(partition: DiskPartitionLog, builder: BatchBuilder | undefined, payload: Uint8Array) {
    this.id = partition.id;
    this.partition = partition;
    this.builder = builder;
    this.pooled = builder !== undefined;
    this.payload = payload;
    this.end = payload.length;
  }

  /** Finishes the batch if it is still being built. */
  close(): void {
    if (this.builder === undefined) return;
    const { buffer, length } = this.builder.finish();
    this.payload = buffer;
    this.end = length;
    this.builder = undefined;
  }
}

/** Read from disk at a time. */
const readBytes = 2 ** 18;

/**
 * A partition on disk. Its batches pass through four places, oldest last:
 *
 *     open batch ── sealed, being committed ── in memory, durable: unflushed, then clean ── segments
 *     endOffset ^                 durableEnd ^                              flushedEnd ^
 *
 * What is durable but unflushed stands in the journal and in memory; clean batches are also in their segment and may be dropped.
 */
export class DiskPartitionLog implements PartitionLog, TailOwner {
  readonly id: number;
  readonly volatile = false;
  /** The seal in which it was last touched: the committer's note. */
  touchedIn = -1;
  readonly #context: PartitionContext;
  readonly #segments: PartitionSegments;
  readonly #lock = new Mutex();
  #endOffset: number;
  #durableEnd: number;
  #maxTimestampMs: number;
  #open: BatchItem | undefined = undefined;
  #lastBatchBytes = 0;
  #sealed: Batch[] = [];
  /** Durable batches in memory, from `#head` on without a gap to the durable end: `#clean` ones first, then the unflushed. */
  #recent: Batch[] = [];
  #head = 0;
  #clean = 0;
  #hint = 0;
  /** End of the last batch that is no longer in memory. */
  #droppedEnd: number;
  #flushedEnd: number;
  #unflushedBytes = 0;
  #flushing = false;
  /** Bytes in memory that no segment has: unflushed, sealed and open batches. */
  #aheadBytes = 0;
  #trim: number;
  #trimSealed: number;
  #trimDurable: number;
  #endAtCheckpoint: number;
  #trimAtCheckpoint: number;
  /** Segments no checkpoint lists any more, to be removed. */
  #doomed: Segment[] = [];
  readonly #runs = new Set<ReadRun>();
  readonly #loading = new Map<number, Promise<readonly Batch[] | undefined>>();
  #deleted = false;

  /** `checkpoint` is the number of the one the row is from. */
  constructor(context: PartitionContext, row: PartitionRow, segmentBytesMax: number, checkpoint: number) {
    this.#context = context;
    this.id = row.id;
    this.#segments = new PartitionSegments(context.segments, row.id, segmentBytesMax, row.segments, checkpoint);
    this.#endOffset = this.#durableEnd = this.#endAtCheckpoint = row.endOffset;
    this.#flushedEnd = this.#droppedEnd = row.flushedEnd;
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

  get deleted(): boolean {
    return this.#deleted;
  }

  get unflushedBytes(): number {
    return this.#unflushedBytes;
  }

  get segmentBytes(): number {
    return this.#segments.bytes;
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
      builder.bytes + (record.valueEnd - record.valueStart) + (record.keyEnd - record.keyStart) > batchBytesMax
    );
  }

  #openBatch(record: Record): BatchItem {
    const context = this.#context;
    const draft = context.draft();
    this.#assertThere();
    if (recordBytesBound(record) > context.recordBytesMax) {
      throw new LogError('record-too-large', `A record of ${recordBytesBound(record)} bytes; the limit is ${context.recordBytesMax}.`);
    }
    this.closeBatch();
    const builder = new BatchBuilder(this.#endOffset, context.pool, this.#lastBatchBytes);
    const item = new BatchItem(this, builder, noBytes);
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

  appendBatch(bytes: Uint8Array, recordCount: number): number {
    const context = this.#context;
    const draft = context.draft();
    this.#assertThere();
    checkForeignBatch(bytes, recordCount, context.recordBytesMax);
    this.closeBatch();
    const copy = Buffer.allocUnsafeSlow(bytes.length);
    copy.set(bytes);
    const baseOffset = this.#endOffset;
    placeBatch(copy, baseOffset);
    const batch = new Batch(copy, context.decompress);
    draft.items.push(new BatchItem(this, undefined, copy));
    this.#endOffset = batch.endOffset;
    this.#maxTimestampMs = Math.max(this.#maxTimestampMs, batch.maxTimestampMs);
    this.#noteAdded(copy.length);
    context.touched(this);
    return baseOffset;
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

  /** A trim that comes from replaying the journal is as durable as its cause. */
  trimRecovered(): void {
    this.#trimSealed = this.#trimDurable = this.#trim;
    this.#dropTrimmed();
  }

  /** A batch of the commit being sealed, with memory of its own. */
  sealed(batch: Batch): void {
    this.#sealed.push(batch);
  }

  /** The batches sealed are durable. */
  sealedDurable(): void {
    if (this.#deleted) this.#sealed.length = 0;
    for (const batch of this.#sealed) this.#addRecent(batch);
    this.#sealed.length = 0;
    this.#dropTrimmed();
  }

  #addRecent(batch: Batch): void {
    this.#recent.push(batch);
    this.#durableEnd = batch.endOffset;
    const bytes = batch.bytes + batchOverheadBytes;
    this.#unflushedBytes += bytes;
    this.#context.unflushedChanged(this, bytes);
  }

  /**
   * Takes in a batch from the journal, at recovery: a copy, unless the segments have it already. Says what the host is to see, and how many
   * offsets before it are nowhere.
   */
  replayed(found: Batch): { readonly batch: Batch; readonly lostFrom: number } {
    const lostFrom = Math.max(this.#endOffset, this.#flushedEnd);
    let batch = found;
    if (found.endOffset > this.#flushedEnd && found.baseOffset >= this.#durableEnd) {
      batch = new Batch(this.#context.smallBatches.copy(found.buffer), this.#context.decompress);
      this.#aheadBytes += batch.bytes;
      this.#addRecent(batch);
    }
    this.#endOffset = this.#durableEnd = Math.max(this.#endOffset, batch.endOffset);
    this.#maxTimestampMs = Math.max(this.#maxTimestampMs, batch.maxTimestampMs);
    return { batch, lostFrom };
  }

  // ---- memory

  /** Lets go of batches nobody reads any more: clean ones, and unflushed ones once the trim is durable. */
  #dropTrimmed(): void {
    while (this.#clean > 0 && this.#recent[this.#head]!.endOffset <= this.#trim) this.#dropFirst();
    if (this.#clean > 0 || this.#flushing) return;
    while (this.#head < this.#recent.length && this.#recent[this.#head]!.endOffset <= this.#trimDurable) {
      const batch = this.#recent[this.#head]!;
      this.#markFlushed(batch);
      this.#dropHead();
    }
  }

  /** The batch needs its place in the journal and in memory no longer. */
  #markFlushed(batch: Batch): void {
    this.#flushedEnd = batch.endOffset;
    this.#aheadBytes -= batch.bytes;
    const bytes = batch.bytes + batchOverheadBytes;
    this.#unflushedBytes -= bytes;
    this.#context.unflushedChanged(this, -bytes);
  }

  dropOldest(baseOffset: number): void {
    if (this.#clean > 0 && this.#recent[this.#head]!.baseOffset === baseOffset) this.#dropFirst();
  }

  /** Whether the oldest clean batches still include the one at `baseOffset`. */
  holdsClean(baseOffset: number): boolean {
    return this.#clean > 0 && baseOffset >= this.#recent[this.#head]!.baseOffset;
  }

  #dropFirst(): void {
    this.#clean--;
    this.#context.tailCache.dropped(this.#recent[this.#head]!);
    this.#dropHead();
  }

  #dropHead(): void {
    const batch = this.#recent[this.#head]!;
    this.#droppedEnd = batch.endOffset;
    this.#recent[this.#head++] = gone;
    if (this.#head === this.#recent.length || (this.#head > 64 && this.#head * 2 > this.#recent.length)) {
      this.#recent = this.#recent.slice(this.#head);
      this.#head = 0;
    }
  }

  // ---- segments

  /** Writes what is unflushed to the segments. */
  flush(): Promise<void> {
    return this.#lock.run(() => this.#flushNow());
  }

  async #flushNow(): Promise<void> {
    if (this.#deleted) return;
    this.#dropTrimmed();
    const batches = this.#recent.slice(this.#head + this.#clean);
    if (batches.length === 0) return;
    this.#flushing = true;
    try {
      await this.#segments.append(batches, (count) => this.#flushed(count));
    } finally {
      this.#flushing = false;
    }
    this.#dropTrimmed();
  }

  #flushed(count: number): void {
    if (this.#deleted) return;
    for (let i = 0; i < count; i++) {
      const batch = this.#recent[this.#head + this.#clean]!;
      this.#markFlushed(batch);
      this.#clean++;
      this.#context.tailCache.add(this, batch);
    }
    if (this.#context.tailCache.isCluttered) {
      this.#context.tailCache.tidy((owner, baseOffset) => (owner as DiskPartitionLog).holdsClean(baseOffset));
    }
  }

  /** Where the partition stands in the commit being sealed, which a checkpoint will be of; true when it has segments to drop. */
  markCheckpoint(): boolean {
    this.#endAtCheckpoint = this.#endOffset;
    this.#trimAtCheckpoint = this.#trimSealed;
    const first = this.#segments.all[0];
    return first !== undefined && first.endOffset <= this.#trimSealed;
  }

  /** The entry that says which segments are gone; see {@link markCheckpoint}. */
  get trimmedEntry(): Uint8Array {
    return offsetsEntry(this.#trimSealed);
  }

  /** Brings the segments up to date and on disk, and says what the checkpoint should say of them. */
  checkpointRow(number: number): Promise<PartitionRow | undefined> {
    return this.#lock.run(async () => {
      if (this.#deleted) return undefined;
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
        flushedEnd: this.#flushedEnd,
        maxTimestampMs: this.#maxTimestampMs,
        segments: this.#segments.all.map((segment) => segment.row),
      };
    });
  }

  /** A checkpoint without them is durable: the files of dropped segments go. */
  removeDoomed(): Promise<void> {
    return this.#lock.run(async () => {
      for (let segment = this.#doomed[0]; segment !== undefined; segment = this.#doomed[0]) {
        await this.#segments.removeFiles(segment);
        this.#doomed.shift();
      }
    });
  }

  writeIndexes(): Promise<void> {
    return this.#lock.run(() => this.#segments.writeIndexes());
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
    const context = this.#context;
    const sealedAt = (): Segment | undefined => {
      const segment = this.#segments.find(baseOffset);
      return segment !== undefined && segment.baseOffset === baseOffset && segment.sealed ? segment : undefined;
    };
    // Not before both checkpoints have it sealed: what is replayed from either never writes to it again.
    for (let i = 0; i < 2; i++) {
      const segment = sealedAt();
      if (segment !== undefined && segment.sealedInCheckpoint > context.olderCheckpoint()) await context.checkpoint();
    }
    const rewriting = this.#lock.run(async () => {
      const segment = sealedAt();
      if (segment === undefined || this.#deleted || segment.sealedInCheckpoint > context.olderCheckpoint()) return;
      const rewrite = context.openCommitNumber();
      const path = this.#segments.compactedPath(baseOffset, rewrite);
      const bytes = await this.#segments.writeCompacted(segment, path, keep);
      if (bytes === undefined) return;
      await context.segments.files.syncDir(this.#segments.dir);
      await context.recordDurably(LogEntryKind.compacted, this.id, offsetsEntry(baseOffset, bytes, rewrite));
      await this.#segments.replace(segment, path, bytes);
      this.#forget(segment.baseOffset, segment.endOffset);
    });
    try {
      await rewriting;
    } catch (error) {
      throw logErrorOf(error, `The segment at offset ${baseOffset} of partition ${this.id} cannot be compacted`, 'io-failed');
    }
  }

  /** Forgets clean batches in `[from, to)`: their segment holds others now. */
  #forget(from: number, to: number): void {
    for (const run of this.#runs) if (run.fromOffset < to && run.toOffset > from) this.#context.readCache.remove(run);
    this.#loading.clear();
    // Clean batches are dropped from the front only; those before the segment go with it.
    while (this.#clean > 0 && this.#recent[this.#head]!.baseOffset < to) this.#dropFirst();
  }

  /** Makes good a compaction whose entry was found in the journal, after replay. */
  recoverCompacted(baseOffset: number, bytes: number, rewrite: number): Promise<void> {
    return this.#lock.run(async () => {
      const segment = this.#segments.find(baseOffset);
      if (segment === undefined || segment.baseOffset !== baseOffset || this.#deleted) return;
      await this.#segments.replace(segment, this.#segments.compactedPath(baseOffset, rewrite), bytes);
    });
  }

  /** Segments below `offset` were dropped by a commit found in the journal. */
  recoverTrimmed(offset: number): void {
    this.trim(offset);
    this.#doomed.push(...this.#segments.takeBelow(offset));
  }

  /**
   * Replay is over. Offsets that the segments have and the journal does not are records whose commit was damaged: they are kept; says from where.
   */
  recovered(): { readonly keptFrom: number; readonly keptTo: number } | undefined {
    if (this.#endOffset >= this.#flushedEnd) return undefined;
    const keptFrom = this.#endOffset;
    this.#endOffset = this.#durableEnd = this.#flushedEnd;
    return { keptFrom, keptTo: this.#flushedEnd };
  }

  /** Nothing can be added or read any more. */
  markDeleted(): void {
    this.#deleted = true;
    this.#open = undefined;
    while (this.#clean > 0) this.#dropFirst();
    const unflushed = this.#unflushedBytes;
    this.#unflushedBytes = 0;
    this.#context.unflushedChanged(this, -unflushed);
    this.#recent = [];
    this.#head = 0;
    for (const run of this.#runs) this.#context.readCache.remove(run);
  }

  /** Removes every file; resolves when that is durable. */
  removeFiles(): Promise<void> {
    return this.#lock.run(() => this.#segments.removeAll());
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

  set segmentBytesMax(bytes: number) {
    this.#segments.bytesMax = bytes;
  }

  // ---- reading

  cached(wanted: number): Batch | undefined {
    const offset = wanted < this.#trim ? this.#trim : wanted;
    if (offset >= this.#durableEnd) return undefined;
    const recent = this.#recent;
    const head = this.#head;
    if (head < recent.length && offset >= this.#droppedEnd) {
      // Readers go from one batch to the next: look at the last one and its neighbour before searching.
      let at = this.#hint;
      if (at >= head && at < recent.length && recent[at]!.endOffset <= offset) at++;
      if (at >= head && at < recent.length && recent[at]!.endOffset > offset && (at === head || recent[at - 1]!.endOffset <= offset)) {
        this.#hint = at;
        return recent[at];
      }
      at = findBatch(recent, offset, head);
      if (at < 0) return undefined;
      this.#hint = at;
      return recent[at];
    }
    for (const run of this.#runs) {
      if (offset < run.fromOffset || offset >= run.toOffset) continue;
      this.#context.readCache.touch(run);
      return run.batches[findBatch(run.batches, offset)];
    }
    return undefined;
  }

  async load(wanted: number): Promise<Batch | undefined> {
    for (let offset = wanted; ; ) {
      const found = this.cached(offset);
      if (found !== undefined) return found;
      offset = Math.max(offset, this.#trim);
      if (offset >= this.#durableEnd || this.#deleted) return undefined;
      const segment = this.#segments.find(offset);
      if (segment === undefined) {
        const first = this.#recent[this.#head];
        return first !== undefined && first.endOffset > offset ? first : undefined;
      }
      const batches = await this.#loadFrom(segment, offset);
      if (batches === undefined) {
        // The segment was removed, or is being replaced by whoever has the lock.
        await this.#lock.run(() => Promise.resolve());
        if (this.#segments.find(offset) === segment) throw new LogError('closed', `Partition ${this.id} cannot be read: the log failed.`);
        continue;
      }
      if (batches.length > 0) return batches[0];
      offset = segment.endOffset;
    }
  }

  /** Readers that wait for the same place share one read. */
  #loadFrom(segment: Segment, offset: number): Promise<readonly Batch[] | undefined> {
    let loading = this.#loading.get(offset);
    if (loading === undefined) {
      const started = this.#context.readGate
        .run(() => segment.readFrom(offset, readBytes))
        .then((batches) => {
          if (batches === undefined || segment.retired) return undefined;
          if (batches.length > 0 && !this.#deleted) this.#context.readCache.add(this.#runs, offset, batches);
          return batches;
        })
        .catch((error: unknown) => {
          throw logErrorOf(error, `Partition ${this.id} cannot be read at offset ${offset}`, 'damaged');
        })
        .finally(() => {
          if (this.#loading.get(offset) === started) this.#loading.delete(offset);
        });
      this.#loading.set(offset, started);
      loading = started;
    }
    return loading;
  }

  async readBatches(offset: number, bytesMax: number): Promise<Uint8Array[]> {
    const buffers: Uint8Array[] = [];
    let bytes = 0;
    for (let at = offset; at < this.#durableEnd; ) {
      const batch = this.cached(at) ?? (await this.load(at));
      if (batch === undefined || (bytes > 0 && bytes + batch.bytes > bytesMax)) break;
      buffers.push(batch.buffer);
      bytes += batch.bytes;
      at = batch.endOffset;
    }
    return buffers;
  }

  trim(offset: number): void {
    const to = Math.min(offset, this.#endOffset);
    if (to <= this.#trim) return;
    this.#trim = to;
    for (const run of this.#runs) if (run.toOffset <= to) this.#context.readCache.remove(run);
    this.#dropTrimmed();
    this.#context.trimmed(this);
  }

  bytesFrom(wanted: number): number {
    const offset = Math.max(wanted, this.#trim);
    if (offset >= this.#endOffset) return 0;
    if (offset < this.#flushedEnd) return this.#segments.bytes - this.#segments.bytesBefore(offset) + this.#aheadBytes;
    let bytes = this.#aheadBytes;
    for (let at = this.#head + this.#clean; at < this.#recent.length && this.#recent[at]!.endOffset <= offset; at++) {
      bytes -= this.#recent[at]!.bytes;
    }
    return Math.max(0, bytes);
  }

  async offsetAtTime(timestampMs: number): Promise<number> {
    let offset = this.#trim;
    for (const segment of [...this.#segments.all]) {
      if (segment.endOffset <= offset) continue;
      if (segment.maxTimestampMs >= timestampMs) {
        offset = Math.max(offset, await segment.offsetBefore(timestampMs));
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
        if (batch.compressed && this.#context.decompress === undefined) return Math.max(offset, batch.baseOffset);
        reader.reset(batch, offset);
        while (reader.next(record)) if (record.timestampMs >= timestampMs) return record.offset;
      }
      offset = batch.endOffset;
    }
  }
}

const noBytes = new Uint8Array(0);
/** Stands where a dropped batch stood, so that its memory goes. */
const gone = new Batch(new Uint8Array(batchHeaderBytes));

/** Offsets or sizes as the payload of one of the log's own entries: an i64 each. */
function offsetsEntry(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  values.forEach((value, i) => writeI64(bytes, i * 8, value));
  return bytes;
}
