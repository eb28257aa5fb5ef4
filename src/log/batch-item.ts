import type { Batch } from './batch.ts';
import type { BatchBuilder } from './batch-builder.ts';
import type { CommitItem } from './commit.ts';
import type { DiskPartitionLog } from './disk-partition-log.ts';
import { EntryClass } from './format.ts';

/** A batch in a commit, either being built or complete. */
export class BatchItem implements CommitItem {
  readonly entryClass: number = EntryClass.batch;
  readonly kind = 0;
  readonly id: number;
  readonly partition: DiskPartitionLog;
  /** Undefined once the batch is complete. */
  builder: BatchBuilder | undefined;
  /** From the pool, and possibly larger than the batch, unless the batch came complete. */
  payload: Uint8Array;
  /** The batch, if it came complete: it stays in its own memory. */
  batch: Batch | undefined = undefined;
  start = 0;
  end: number;

  private constructor(partition: DiskPartitionLog, builder: BatchBuilder | undefined, payload: Uint8Array) {
    this.id = partition.id;
    this.partition = partition;
    this.builder = builder;
    this.payload = payload;
    this.end = payload.length;
  }

  static open(partition: DiskPartitionLog, builder: BatchBuilder): BatchItem {
    return new BatchItem(partition, builder, noBytes);
  }

  static whole(partition: DiskPartitionLog, batch: Batch): BatchItem {
    const item = new BatchItem(partition, undefined, batch.buffer);
    item.batch = batch;
    return item;
  }

  /** Finishes the batch if it is being built. */
  close(): void {
    if (this.builder === undefined) return;
    const { buffer, length } = this.builder.finish();
    this.payload = buffer;
    this.end = length;
    this.builder = undefined;
  }
}

const noBytes = new Uint8Array(0);
