import { ByteWriter, crc32c, textSize, varintSize } from '../../util/index.ts';
import type { RecordHeader } from './records.ts';

/** A record to write. */
export interface NewRecord {
  readonly key?: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: readonly RecordHeader[];
  /** Milliseconds since the epoch. */
  readonly timestampMs: number;
  /** Ascending, not below the base offset. Absent: the index in the batch. Compaction leaves such gaps. */
  readonly offsetDelta?: number;
}

/** Header fields of a batch. */
export interface RecordBatchOptions {
  readonly baseOffset?: number;
  readonly leaderEpoch?: number;
  /** The codec and its compression function for the records. */
  readonly compression?: { readonly codec: number; readonly compress: (records: Uint8Array) => Uint8Array };
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly isTransactional?: boolean;
  readonly isControl?: boolean;
}

const noHeaders: readonly RecordHeader[] = [];

/**
 * Encodes a RecordBatch v2, for clients and for transaction markers. The broker's own messages are encoded by
 * the log.
 */
export function encodeRecordBatch(records: readonly NewRecord[], options: RecordBatchOptions = {}): Buffer {
  const baseTimestampMs = records[0]?.timestampMs ?? -1;
  const section = encodeRecords(records, baseTimestampMs);
  const { compression } = options;
  const bytes = compression ? compression.compress(section) : section;
  const attributes =
    (compression?.codec ?? 0) |
    (options.isTransactional === true ? 0x10 : 0) |
    (options.isControl === true ? 0x20 : 0);
  const writer = new ByteWriter(61 + bytes.length);
  writer.i64(options.baseOffset ?? 0).i32(49 + bytes.length);
  writer
    .i32(options.leaderEpoch ?? -1)
    .u8(2)
    .u32(0);
  writer.i16(attributes).i32(records.at(-1)?.offsetDelta ?? records.length - 1);
  writer.i64(baseTimestampMs).i64(records.reduce((max, record) => Math.max(max, record.timestampMs), -1));
  writer
    .i64(options.producerId ?? -1)
    .i16(options.producerEpoch ?? -1)
    .i32(options.baseSequence ?? -1);
  writer.i32(records.length).bytes(bytes);
  writer.setU32(17, crc32c(writer.buffer, 21, writer.length));
  return writer.view();
}

function encodeRecords(records: readonly NewRecord[], baseTimestampMs: number): Buffer {
  const writer = new ByteWriter();
  records.forEach((record, at) => {
    const offsetDelta = record.offsetDelta ?? at;
    const timestampDelta = record.timestampMs - baseTimestampMs;
    const key = record.key ?? null;
    const headers = record.headers ?? noHeaders;
    let size =
      1 + varintSize(timestampDelta) + varintSize(offsetDelta) + blobSize(key) + blobSize(record.value);
    size += varintSize(headers.length);
    for (const { name, value } of headers) {
      const nameSize = textSize(name);
      size += varintSize(nameSize) + nameSize + blobSize(value);
    }
    writer.varint(size).u8(0).varint(timestampDelta).varint(offsetDelta);
    writeBlob(writer, key);
    writeBlob(writer, record.value);
    writer.varint(headers.length);
    for (const { name, value } of headers) {
      writer.varint(textSize(name)).text(name);
      writeBlob(writer, value);
    }
  });
  return writer.view();
}

function blobSize(blob: Uint8Array | null): number {
  return blob === null ? 1 : varintSize(blob.length) + blob.length;
}

function writeBlob(writer: ByteWriter, blob: Uint8Array | null): void {
  if (blob === null) writer.varint(-1);
  else writer.varint(blob.length).bytes(blob);
}
