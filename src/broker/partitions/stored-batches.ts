import { passingBatch, withoutRecords, type Batch, type PartitionLog } from '../../log/index.ts';

/** The part of a partition that a reader of whole batches uses. */
interface BatchedPartition {
  readonly log: PartitionLog;
  readonly firstOffset: number;
  readonly deletedCount: number;
  isLive(offset: number): boolean;
  liveIn(from: number, to: number): number;
}

/** Maximum number of offsets of one batch, limited by its 32-bit deltas. */
const passedOffsetsMax = 2 ** 31 - 1;

/** Stored batches are batches as the log has them, lent to the caller. */
export class StoredBatches {
  readonly buffers: Uint8Array[] = [];
  readonly #borrowed: Batch[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The caller no longer uses the buffers. A caller that cannot know when it is done does not call this, and
   * leaves them to the garbage collector.
   */
  release(): void {
    for (const batch of this.#borrowed.splice(0)) batch.memory?.release();
  }

  /** Takes over a batch that was borrowed for this object. */
  addBorrowed(batch: Batch): void {
    this.add(batch.buffer);
    if (batch.memory) this.#borrowed.push(batch);
  }

  add(buffer: Uint8Array): void {
    this.buffers.push(buffer);
    this.#bytes += buffer.length;
  }
}

/** See {@link Partition.readBatches}. */
export async function readBatches(
  partition: BatchedPartition,
  fromOffset: number,
  bytesMax: number,
  atLeastOne: boolean,
  endOffset: number,
): Promise<StoredBatches> {
  const stored = new StoredBatches();
  let at = Math.max(fromOffset, partition.firstOffset);
  while (at < endOffset) {
    const borrowed = partition.log.borrow(at);
    const batch = borrowed instanceof Promise ? await borrowed : borrowed;
    if (!batch) break;
    const isTooMuch = (stored.bytes > 0 || !atLeastOne) && stored.bytes + batch.bytes > bytesMax;
    if (batch.baseOffset >= endOffset || isTooMuch) {
      batch.memory?.release();
      break;
    }
    at = Math.max(batch.endOffset, partition.firstOffset);
    addLive(partition, batch, stored);
  }
  if (stored.buffers.length === 0 && atLeastOne && at > fromOffset)
    stored.add(passingBatch(fromOffset, Math.min(at, fromOffset + passedOffsetsMax)));
  return stored;
}

/** Adds the batch as it is stored, or without its removed messages. Adds nothing if no message is left. */
function addLive(partition: BatchedPartition, batch: Batch, stored: StoredBatches): void {
  const live = liveBatch(partition, batch);
  if (live === batch.buffer) return stored.addBorrowed(batch);
  if (live) stored.add(live);
  batch.memory?.release();
}

function liveBatch(partition: BatchedPartition, batch: Batch): Uint8Array | undefined {
  const { baseOffset, endOffset } = batch;
  if (partition.deletedCount === 0 && baseOffset >= partition.firstOffset) return batch.buffer;
  const live = partition.liveIn(baseOffset, endOffset);
  if (live === 0) return undefined;
  return live === batch.count ? batch.buffer : withoutRecords(batch, (offset) => partition.isLive(offset));
}
