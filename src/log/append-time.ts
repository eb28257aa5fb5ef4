import { crc32c, writeI64, writeU16, writeU32 } from '../util/index.ts';
import type { Batch } from './batch.ts';
import { batchAttributesAt, batchCrcAt, batchMaxTimestampAt, logAppendTimeFlag } from './format.ts';

/**
 * Sets the time of all records of a batch to the time of the append, in place of the producer's timestamps
 * (Kafka's LogAppendTime).
 */
export function stampAppendTime(batch: Batch, timestampMs: number): void {
  const { buffer, attributes } = batch;
  writeU16(buffer, batchAttributesAt, attributes | logAppendTimeFlag);
  writeI64(buffer, batchMaxTimestampAt, timestampMs);
  writeU32(buffer, batchCrcAt, crc32c(buffer, batchAttributesAt, buffer.length));
}
