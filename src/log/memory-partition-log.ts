import { Batch, BatchReader, placeBatch } from './batch.ts';
import { BatchBuilder, recordBytesBound } from './batch-builder.ts';
import type { BufferPool } from './buffer-pool.ts';
import { checkForeignBatch, fillsItsMemory } from './foreign-batch.ts';
import { LogError } from './errors.ts';
import type { Decompress } from './log-options.ts';
import type { PartitionLog, SegmentInfo } from './partition-log.ts';
import { findBatch } from './read-cache.ts';
import { Record } from './record.ts';

/** The services that the log offers to a volatile partition. */
export interface MemoryPartitionContext {
  readonly pool: BufferPool;
  readonly decompress: Decompress | undefined;
  readonly batchBytesMax: number;
  readonly batchRecordsMax: number;
  readonly recordBytesMax: number;
  /** Throws if nothing may be added any more. */
  checkOpen(): void;
  grew(partition: MemoryPartitionLog): void;
}

/**
 * A volatile partition: batches in memory, trimmed from the front, lost with the process. Appended records
 * can be read at once.
 */
export class MemoryPartitionLog implements PartitionLog {
  readonly id: number;
  readonly volatile = true;
  readonly #context: MemoryPartitionContext;
  #batches: Batch[] = [];
  #head = 0;
  #open: BatchBuilder | undefined = undefined;
  #bytes = 0;
  #startOffset: number;
  #endOffset: number;
  #maxTimestampMs = 0;
  #deleted = false;

  constructor(context: MemoryPartitionContext, id: number, startOffset: number) {
    this.#context = context;
    this.id = id;
    this.#startOffset = this.#endOffset = startOffset;
  }

  get startOffset(): number {
    return this.#startOffset;
  }

  get endOffset(): number {
    return this.#endOffset;
  }

  get durableEnd(): number {
    return this.#endOffset;
  }

  get maxTimestampMs(): number {
    return this.#maxTimestampMs;
  }

  append(record: Record): number {
    const { batchBytesMax, batchRecordsMax, recordBytesMax, pool } = this.#context;
    this.#assertOpen();
    const bound = recordBytesBound(record);
    if (bound > recordBytesMax) {
      throw new LogError('record-too-large', `A record of ${bound} bytes; the limit is ${recordBytesMax}.`);
    }
    if (
      this.#open !== undefined &&
      (this.#open.count >= batchRecordsMax || this.#open.bytes + bound > batchBytesMax)
    )
      this.#close();
    this.#open ??= new BatchBuilder(this.#endOffset, pool);
    const before = this.#open.count === 0 ? 0 : this.#open.bytes;
    this.#open.add(record, this.#endOffset);
    this.#bytes += this.#open.bytes - before;
    if (record.timestampMs > this.#maxTimestampMs) this.#maxTimestampMs = record.timestampMs;
    record.offset = this.#endOffset++;
    this.#context.grew(this);
    return record.offset;
  }

  checkedBatch(bytes: Uint8Array, recordCount?: number, isGiven = false): Batch {
    this.#assertOpen();
    checkForeignBatch(bytes, recordCount, this.#context.recordBytesMax);
    const own = isGiven && fillsItsMemory(bytes) ? bytes : copyOf(bytes);
    placeBatch(own, this.#endOffset);
    return new Batch(own, this.#context.decompress);
  }

  appendChecked(batch: Batch): void {
    this.#assertOpen();
    if (batch.baseOffset !== this.#endOffset)
      throw new LogError('misuse', `A batch for offset ${batch.baseOffset} cannot go to ${this.#endOffset}.`);
    this.#close();
    this.#add(batch);
    this.#bytes += batch.bytes;
    this.#context.grew(this);
  }

  #assertOpen(): void {
    this.#context.checkOpen();
    if (this.#deleted) throw new LogError('partition-deleted', `Partition ${this.id} was deleted.`);
  }

  #add(batch: Batch): void {
    this.#batches.push(batch);
    this.#endOffset = batch.endOffset;
    this.#maxTimestampMs = Math.max(this.#maxTimestampMs, batch.maxTimestampMs);
  }

  /** Closes the batch being built: its bytes are copied, and its buffer is reused for the next. */
  #close(): void {
    const open = this.#open;
    if (open === undefined) return;
    const { buffer, length } = open.finish();
    const copy = Buffer.allocUnsafeSlow(length);
    buffer.copy(copy, 0, 0, length);
    this.#context.pool.give(buffer);
    this.#open = undefined;
    this.#add(new Batch(copy, this.#context.decompress));
  }

  borrow(offset: number): Batch | undefined {
    return this.cached(offset);
  }

  cached(wanted: number): Batch | undefined {
    const offset = Math.max(wanted, this.#startOffset);
    if (offset >= this.#endOffset) return undefined;
    if (this.#open !== undefined && offset >= this.#open.baseOffset) this.#close();
    const at = findBatch(this.#batches, offset, this.#head);
    return at < 0 ? undefined : this.#batches[at];
  }

  load(offset: number): Promise<Batch | undefined> {
    return Promise.resolve(this.cached(offset));
  }

  trim(offset: number): void {
    const to = Math.min(offset, this.#endOffset);
    if (to <= this.#startOffset) return;
    this.#startOffset = to;
    if (this.#open !== undefined && to > this.#open.baseOffset) this.#close();
    while (this.#head < this.#batches.length && this.#batches[this.#head]!.endOffset <= to) {
      this.#bytes -= this.#batches[this.#head++]!.bytes;
    }
    if (this.#head === this.#batches.length || this.#head > 64) {
      this.#batches = this.#batches.slice(this.#head);
      this.#head = 0;
    }
  }

  bytesFrom(wanted: number): number {
    const offset = Math.max(wanted, this.#startOffset);
    if (offset >= this.#endOffset) return 0;
    let bytes = this.#bytes;
    for (let at = this.#head; at < this.#batches.length && this.#batches[at]!.endOffset <= offset; at++) {
      bytes -= this.#batches[at]!.bytes;
    }
    return bytes;
  }

  offsetAtTime(timestampMs: number): Promise<number> {
    const record = new Record();
    const reader = new BatchReader();
    let offset = this.#startOffset;
    for (let batch = this.cached(offset); batch !== undefined; batch = this.cached(batch.endOffset)) {
      if (batch.maxTimestampMs >= timestampMs) {
        if (batch.compressed && this.#context.decompress === undefined)
          return Promise.resolve(Math.max(offset, batch.baseOffset));
        reader.reset(batch, offset);
        while (reader.next(record))
          if (record.timestampMs >= timestampMs) return Promise.resolve(record.offset);
      }
      offset = batch.endOffset;
    }
    return Promise.resolve(this.#endOffset);
  }

  segments(): SegmentInfo[] {
    return [];
  }

  roll(): Promise<void> {
    return Promise.resolve();
  }

  /** There are no segments, so there is nothing to rewrite. */
  compact(): Promise<void> {
    return Promise.resolve();
  }

  delete(): void {
    this.#deleted = true;
    this.#batches = [];
    this.#head = 0;
    this.#open = undefined;
    this.#bytes = 0;
    this.#startOffset = this.#endOffset;
  }
}

function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
