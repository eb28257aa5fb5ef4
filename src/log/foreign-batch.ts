import { readI16, readI32 } from '../util/index.ts';
import { isIntactBatch } from './batch.ts';
import { LogError } from './errors.ts';
import {
  batchAttributesAt,
  batchCountAt,
  batchHeaderBytes,
  batchLastDeltaAt,
  batchLengthAt,
  batchLengthOverhead,
  batchMagic,
  batchMagicAt,
  codecMask,
} from './format.ts';
import { countWholeRecords } from './record-walk.ts';

/**
 * Checks a batch that a client built before it is stored as it is: length, version, record count, checksum,
 * and that its records are whole, unless they are compressed. A batch that fails its checksum would look like
 * damage for ever after.
 */
export function checkForeignBatch(
  bytes: Uint8Array,
  recordCount: number | undefined,
  bytesMax: number,
): void {
  if (bytes.length > bytesMax) {
    throw new LogError('record-too-large', `A batch of ${bytes.length} bytes; the limit is ${bytesMax}.`);
  }
  if (
    bytes.length < batchHeaderBytes ||
    readI32(bytes, batchLengthAt) + batchLengthOverhead !== bytes.length ||
    bytes[batchMagicAt] !== batchMagic ||
    readI32(bytes, batchCountAt) < 1 ||
    (recordCount !== undefined && readI32(bytes, batchCountAt) !== recordCount) ||
    readI32(bytes, batchLastDeltaAt) < readI32(bytes, batchCountAt) - 1
  ) {
    throw new LogError(
      'batch-invalid',
      'The batch does not have the length, version or record count it must have.',
    );
  }
  if (!isIntactBatch(bytes, 0, bytes.length))
    throw new LogError('batch-invalid', 'The checksum of the batch is wrong.');
  if ((readI16(bytes, batchAttributesAt) & codecMask) !== 0) return;
  const count = readI32(bytes, batchCountAt);
  const offsets = readI32(bytes, batchLastDeltaAt) + 1;
  const whole = countWholeRecords(bytes, batchHeaderBytes, bytes.length, count, offsets);
  if (whole !== count)
    throw new LogError('records-invalid', `Record ${whole} of the batch is not whole, or not in its place.`);
}

/** Whether a batch that was given away may stay where it is: it would keep little else in memory. */
export function fillsItsMemory(bytes: Uint8Array): boolean {
  return bytes.length * 4 >= bytes.buffer.byteLength * 3;
}
