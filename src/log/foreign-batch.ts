import { readI32 } from '../util/index.ts';
import { isIntactBatch } from './batch.ts';
import { LogError } from './errors.ts';
import {
  batchCountAt,
  batchHeaderBytes,
  batchLastDeltaAt,
  batchLengthAt,
  batchLengthOverhead,
  batchMagic,
  batchMagicAt,
} from './format.ts';

/**
 * Checks a batch that a client built before it is stored as it is: length, version, record count and checksum. A batch that fails its checksum
 * would look like damage for ever after. Its records are not looked at.
 */
export function checkForeignBatch(bytes: Uint8Array, recordCount: number, bytesMax: number): void {
  if (bytes.length > bytesMax) {
    throw new LogError('record-too-large', `A batch of ${bytes.length} bytes; the limit is ${bytesMax}.`);
  }
  if (
    bytes.length < batchHeaderBytes ||
    readI32(bytes, batchLengthAt) + batchLengthOverhead !== bytes.length ||
    bytes[batchMagicAt] !== batchMagic ||
    readI32(bytes, batchCountAt) !== recordCount ||
    recordCount < 1 ||
    readI32(bytes, batchLastDeltaAt) < recordCount - 1
  ) {
    throw new LogError(
      'batch-invalid',
      'The batch does not have the length, version or record count it must have.',
    );
  }
  if (!isIntactBatch(bytes, 0, bytes.length))
    throw new LogError('batch-invalid', 'The checksum of the batch is wrong.');
}
