import { ByteWriter, crc32c, readI16 } from '../util/index.ts';
import { Batch, BatchReader } from './batch.ts';
import {
  batchAttributesAt,
  batchCrcAt,
  batchHeaderBytes,
  batchMagic,
  controlFlag,
  transactionalFlag,
} from './format.ts';
import { Record } from './record.ts';

/** How a transaction ends. */
export type Outcome = 'commit' | 'abort';

/** Of the record in a marker: length, attributes, timestamp delta, offset delta, key and its length, value and its length, header count. */
const recordBytes = 1 + 1 + 1 + 1 + 1 + 4 + 1 + 6 + 1;
const commitType = 1;

/**
 * A transaction marker is a control batch: one record that ends a producer's transaction in a partition. It takes an offset and is no message.
 *
 * ```
 * key   = version i16 (0) | type i16: 0 abort, 1 commit
 * value = version i16 (0) | coordinator epoch i32 (0)
 * ```
 */
export function transactionMarker(
  outcome: Outcome,
  producerId: number,
  producerEpoch: number,
  timestampMs: number,
): Uint8Array {
  const writer = new ByteWriter(batchHeaderBytes + recordBytes);
  writer
    .i64(0)
    .i32(batchHeaderBytes - 12 + recordBytes)
    .i32(0)
    .u8(batchMagic)
    .u32(0);
  writer
    .i16(transactionalFlag | controlFlag)
    .i32(0)
    .i64(timestampMs)
    .i64(timestampMs);
  writer.i64(producerId).i16(producerEpoch).i32(-1).i32(1);
  writer
    .varint(recordBytes - 1)
    .u8(0)
    .varint(0)
    .varint(0);
  writer
    .varint(4)
    .i16(0)
    .i16(outcome === 'commit' ? commitType : 0);
  writer.varint(6).i16(0).i32(0).varint(0);
  writer.setU32(batchCrcAt, crc32c(writer.buffer, batchAttributesAt, writer.length));
  return writer.copy();
}

/** How the transaction ended, says a control batch; undefined when it says something else, or nothing that can be read. */
export function markedOutcome(marker: Batch): Outcome | undefined {
  const record = new Record();
  const reader = new BatchReader();
  try {
    reader.reset(marker);
    if (!reader.next(record) || record.keyEnd - record.keyStart < 4) return undefined;
  } catch {
    return undefined;
  }
  const type = readI16(record.buffer, record.keyStart + 2);
  if (type === commitType) return 'commit';
  return type === 0 ? 'abort' : undefined;
}
