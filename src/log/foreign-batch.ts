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
 * Checks a batch built by a client before it is stored unchanged: length, version, record count, checksum,
 * and, unless compressed, that its records are complete. Stored with a wrong checksum, it would look like
 * damage from then on.
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

/** Whether a batch given to the log may stay in its memory: it would keep little else alive. */
export function fillsItsMemory(bytes: Uint8Array): boolean {
  return bytes.length * 4 >= bytes.buffer.byteLength * 3;
}
