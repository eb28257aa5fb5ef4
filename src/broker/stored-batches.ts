import { passingBatch, withoutRecords, type Batch } from '../log/index.ts';
import type { Partition } from './partition.ts';

/** One batch spans no more than its 32-bit delta can say. */
const passedOffsetsMax = 2 ** 31 - 1;

/** See {@link Partition.readBatches}. */
export async function readBatches(
  partition: Partition,
  fromOffset: number,
  bytesMax: number,
  atLeastOne: boolean,
  endOffset: number,
): Promise<Uint8Array[]> {
  const batches: Uint8Array[] = [];
  let bytes = 0;
  let at = Math.max(fromOffset, partition.firstOffset);
  while (at < endOffset) {
    const batch = partition.log.cached(at) ?? (await partition.log.load(at));
    if (!batch || batch.baseOffset >= endOffset) break;
    if ((bytes > 0 || !atLeastOne) && bytes + batch.bytes > bytesMax) break;
    const live = liveBatch(partition, batch);
    if (live) {
      batches.push(live);
      bytes += live.length;
    }
    at = Math.max(batch.endOffset, partition.firstOffset);
  }
  if (batches.length === 0 && atLeastOne && at > fromOffset)
    batches.push(passingBatch(fromOffset, Math.min(at, fromOffset + passedOffsetsMax)));
  return batches;
}

/** The batch as it is stored, or without what was removed of it; undefined when nothing is left. */
function liveBatch(partition: Partition, batch: Batch): Uint8Array | undefined {
  const { baseOffset, endOffset } = batch;
  if (partition.deletedCount === 0 && baseOffset >= partition.firstOffset) return batch.buffer;
  const live = partition.liveIn(baseOffset, endOffset);
  if (live === 0) return undefined;
  return live === batch.count ? batch.buffer : withoutRecords(batch, (offset) => partition.isLive(offset));
}
