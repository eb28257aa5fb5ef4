import { ByteWriter, crc32c, readI16, varintSize } from '../util/index.ts';
import { BatchReader, type Batch } from './batch.ts';
import {
  batchAttributesAt,
  batchCrcAt,
  batchHeaderBytes,
  batchLengthOverhead,
  batchMagic,
  controlFlag,
  transactionalFlag,
} from './format.ts';
import { Record } from './record.ts';

/** The end of a transaction. */
export type Outcome = 'commit' | 'abort';

/**
 * Bytes of the record in a marker, without its length and offset delta: attributes, timestamp delta, key and
 * its length, value and its length, header count.
 */
const recordBytesMin = 1 + 1 + 1 + 4 + 1 + 6 + 1;
const commitType = 1;

/**
 * A transaction marker is a control batch: one record that ends a producer's transaction in a partition. It
 * takes an offset, but is not a message.
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
  const marker = { baseOffset: 0, lastDelta: 0, timestampMs, producerId, producerEpoch };
  return controlBatch(outcome === 'commit' ? commitType : 0, marker);
}

/**
 * A batch that leads a reader from `fromOffset` to `toOffset` if there is nothing to read between: a marker
 * of no transaction, which every client skips. (A batch without records would do, but kafkajs 2.2.4 does not
 * move on for one and asks again at once.)
 */
export function passingBatch(fromOffset: number, toOffset: number): Uint8Array {
  const lastDelta = toOffset - 1 - fromOffset;
  const nobody = { timestampMs: -1, producerId: -1, producerEpoch: -1 };
  return controlBatch(commitType, { baseOffset: fromOffset, lastDelta, ...nobody });
}

/** One record, at the last of the batch's offsets. */
function controlBatch(
  type: number,
  {
    baseOffset,
    lastDelta,
    timestampMs,
    producerId,
    producerEpoch,
  }: {
    baseOffset: number;
    lastDelta: number;
    timestampMs: number;
    producerId: number;
    producerEpoch: number;
  },
): Uint8Array {
  const recordBytes = recordBytesMin + varintSize(lastDelta);
  const writer = new ByteWriter(batchHeaderBytes + 1 + recordBytes);
  writer
    .i64(baseOffset)
    .i32(batchHeaderBytes - batchLengthOverhead + 1 + recordBytes)
    .i32(0)
    .u8(batchMagic)
    .u32(0);
  writer
    .i16(transactionalFlag | controlFlag)
    .i32(lastDelta)
    .i64(timestampMs)
    .i64(timestampMs);
  writer.i64(producerId).i16(producerEpoch).i32(-1).i32(1);
  writer.varint(recordBytes).u8(0).varint(0).varint(lastDelta);
  writer.varint(4).i16(0).i16(type);
  writer.varint(6).i16(0).i32(0).varint(0);
  writer.setU32(batchCrcAt, crc32c(writer.buffer, batchAttributesAt, writer.length));
  return writer.copy();
}

/**
 * How the transaction ended, according to a control batch; undefined if it is of another type or cannot be
 * read.
 */
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
