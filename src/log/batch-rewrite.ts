import { writeU16, writeU32, crc32c } from '../util/index.ts';
import { BatchBuilder } from './batch-builder.ts';
import { BatchReader, type Batch } from './batch.ts';
import { BufferPool } from './buffer-pool.ts';
import { batchAttributesAt, batchCrcAt, codecMask } from './format.ts';
import { Record } from './record.ts';

const noPool = new BufferPool(0);

/**
 * The batch without the records to be removed, uncompressed. Undefined if no record is left; the original
 * bytes if none is removed. Offsets, times and producer fields do not change.
 */
export function withoutRecords(
  batch: Batch,
  keep: (offset: number) => boolean,
  pool: BufferPool = noPool,
): Uint8Array | undefined {
  const record = new Record();
  const reader = new BatchReader();
  const builder = new BatchBuilder(batch.baseOffset, pool, batch.bytes);
  reader.reset(batch);
  while (reader.next(record)) if (keep(record.offset)) builder.add(record, record.offset);
  if (builder.count === 0) return undefined;
  if (builder.count === batch.count) return batch.buffer;
  const { buffer, length } = builder.finish(batch.endOffset);
  BatchBuilder.keepProducer(buffer, length, batch.buffer);
  if (batch.compressed) {
    writeU16(buffer, batchAttributesAt, batch.attributes & ~codecMask);
    writeU32(buffer, batchCrcAt, crc32c(buffer, batchAttributesAt, length));
  }
  return buffer.subarray(0, length);
}
