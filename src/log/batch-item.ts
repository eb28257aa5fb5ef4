import type { BatchBuilder } from './batch-builder.ts';
import type { CommitItem } from './commit.ts';
import type { DiskPartitionLog } from './disk-partition-log.ts';
import { EntryClass } from './format.ts';

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

  private constructor(partition: DiskPartitionLog, builder: BatchBuilder | undefined, payload: Uint8Array) {
    this.id = partition.id;
    this.partition = partition;
    this.builder = builder;
    this.pooled = builder !== undefined;
    this.payload = payload;
    this.end = payload.length;
  }

  static open(partition: DiskPartitionLog, builder: BatchBuilder): BatchItem {
    return new BatchItem(partition, builder, noBytes);
  }

  static whole(partition: DiskPartitionLog, batch: Uint8Array): BatchItem {
    return new BatchItem(partition, undefined, batch);
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

const noBytes = new Uint8Array(0);
