import {
  crc32c,
  textSize,
  uvarintSize,
  varintSize,
  writeI64,
  writeText,
  writeU16,
  writeU32,
  writeUvarint,
  writeVarint,
  zigzag,
} from '../util/index.ts';
import {
  batchAttributesAt,
  batchBaseTimestampAt,
  batchCountAt,
  batchCrcAt,
  batchEpochAt,
  batchHeaderBytes,
  batchLastDeltaAt,
  batchLengthAt,
  batchLengthOverhead,
  batchMagic,
  batchMagicAt,
  batchMaxTimestampAt,
  batchProducerIdAt,
} from './format.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { Header, Record } from './record.ts';

/**
 * A batch builder encodes records into one RecordBatch v2 as they arrive, never compressed.
 *
 * The header is written last, by {@link finish}; the buffer has room for it in front of the records.
 */
export class BatchBuilder {
  readonly baseOffset: number;
  #buffer: Buffer;
  #length = batchHeaderBytes;
  #count = 0;
  #lastDelta = -1;
  #baseTimestampMs = 0;
  #maxTimestampMs = 0;
  readonly #pool: BufferPool;

  constructor(baseOffset: number, pool: BufferPool, bytesHint: number = 0) {
    this.baseOffset = baseOffset;
    this.#pool = pool;
    this.#buffer = pool.take(Math.max(bytesHint, 256));
  }

  /** Bytes so far, including the header. */
  get bytes(): number {
    return this.#length;
  }

  get count(): number {
    return this.#count;
  }

  get maxTimestampMs(): number {
    return this.#maxTimestampMs;
  }

  /**
   * Adds the record at `offset`, which must be higher than all before it.
   *
   * `length:varint attributes:i8 timestampDelta:varlong offsetDelta:varint keyLength:varint key
   * valueLength:varint value headerCount:varint (nameLength:varint name valueLength:varint value)*`
   */
  add(record: Record, offset: number): void {
    if (this.#count === 0) this.#baseTimestampMs = this.#maxTimestampMs = record.timestampMs;
    else if (record.timestampMs > this.#maxTimestampMs) this.#maxTimestampMs = record.timestampMs;
    const timestampDelta = record.timestampMs - this.#baseTimestampMs;
    const offsetDelta = offset - this.baseOffset;
    const keyBytes = record.keyStart < 0 ? -1 : record.keyEnd - record.keyStart;
    const valueBytes = record.valueStart < 0 ? -1 : record.valueEnd - record.valueStart;
    const encodedHeaders = record.headersStart >= 0;
    const headersBytes = encodedHeaders
      ? record.headersEnd - record.headersStart
      : headersSize(record.headers);
    const length =
      1 +
      varintSize(timestampDelta) +
      uvarintSize(offsetDelta * 2) +
      (keyBytes < 0 ? 1 : uvarintSize(keyBytes * 2) + keyBytes) +
      (valueBytes < 0 ? 1 : uvarintSize(valueBytes * 2) + valueBytes) +
      headersBytes;
    const start = this.#length;
    const end = start + uvarintSize(length * 2) + length;
    if (end > this.#buffer.length) this.#grow(end);
    const buffer = this.#buffer;
    let at = writeUvarint(buffer, start, length * 2);
    buffer[at++] = 0;
    at = writeUvarint(buffer, at, zigzag(timestampDelta));
    at = writeUvarint(buffer, at, offsetDelta * 2);
    if (keyBytes < 0) buffer[at++] = 1;
    else {
      at = writeUvarint(buffer, at, keyBytes * 2);
      copyBytes(record.buffer, record.keyStart, record.keyEnd, buffer, at);
      at += keyBytes;
    }
    if (valueBytes < 0) buffer[at++] = 1;
    else {
      at = writeUvarint(buffer, at, valueBytes * 2);
      copyBytes(record.buffer, record.valueStart, record.valueEnd, buffer, at);
      at += valueBytes;
    }
    if (encodedHeaders) copyBytes(record.buffer, record.headersStart, record.headersEnd, buffer, at);
    else if (headersBytes === 1) buffer[at] = 0;
    else writeHeaders(buffer, at, record.headers);
    this.#length = end;
    this.#lastDelta = offsetDelta;
    this.#count++;
  }

  #grow(needed: number): void {
    const grown = this.#pool.take(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#pool.give(this.#buffer);
    this.#buffer = grown;
  }

  /**
   * Writes the header and returns the batch; the builder must not be used again. The caller owns the buffer
   * and may give it back to the pool. `endOffset` covers records left out at the end (a compacted batch keeps
   * its range of offsets).
   */
  finish(endOffset: number = this.baseOffset + this.#lastDelta + 1): {
    readonly buffer: Buffer;
    readonly length: number;
  } {
    const buffer = this.#buffer;
    const length = this.#length;
    writeI64(buffer, 0, this.baseOffset);
    writeU32(buffer, batchLengthAt, length - batchLengthOverhead);
    writeU32(buffer, batchEpochAt, 0);
    buffer[batchMagicAt] = batchMagic;
    writeU16(buffer, batchAttributesAt, 0);
    writeU32(buffer, batchLastDeltaAt, endOffset - 1 - this.baseOffset);
    writeI64(buffer, batchBaseTimestampAt, this.#baseTimestampMs);
    writeI64(buffer, batchMaxTimestampAt, this.#maxTimestampMs);
    buffer.fill(0xff, batchProducerIdAt, batchCountAt); // producer id, epoch and sequence: none
    writeU32(buffer, batchCountAt, this.#count);
    writeU32(buffer, batchCrcAt, crc32c(buffer, batchAttributesAt, length));
    return { buffer, length };
  }

  /** A batch without records that takes the offsets `[baseOffset, endOffset)`. */
  static empty(baseOffset: number, endOffset: number, pool: BufferPool): Uint8Array {
    const builder = new BatchBuilder(baseOffset, pool);
    builder.#baseTimestampMs = builder.#maxTimestampMs = -1;
    const { buffer, length } = builder.finish(endOffset);
    return buffer.subarray(0, length);
  }

  /** Copies the producer fields of a rewritten batch: see KIP-98, "Data Format". Call it after `finish`. */
  static keepProducer(target: Uint8Array, length: number, source: Uint8Array): void {
    target.set(source.subarray(batchProducerIdAt, batchCountAt), batchProducerIdAt);
    writeU16(target, batchAttributesAt, (source[batchAttributesAt]! << 8) | source[batchAttributesAt + 1]!);
    writeU32(target, batchCrcAt, crc32c(target, batchAttributesAt, length));
  }
}

/** Upper bound of the bytes of a record in a batch, without looking at all of its parts. */
export function recordBytesBound(record: Record): number {
  const headers =
    record.headersStart >= 0 ? record.headersEnd - record.headersStart : headersSize(record.headers);
  return 48 + (record.keyEnd - record.keyStart) + (record.valueEnd - record.valueStart) + headers;
}

function headersSize(headers: readonly Header[]): number {
  if (headers.length === 0) return 1;
  let size = uvarintSize(headers.length * 2);
  for (const { name, value } of headers) {
    const nameBytes = textSize(name);
    size += uvarintSize(nameBytes * 2) + nameBytes;
    size += value === null ? 1 : uvarintSize(value.length * 2) + value.length;
  }
  return size;
}

function writeHeaders(target: Buffer, position: number, headers: readonly Header[]): void {
  let at = writeUvarint(target, position, headers.length * 2);
  for (const { name, value } of headers) {
    at = writeUvarint(target, at, textSize(name) * 2);
    at = writeText(target, at, name);
    if (value === null) at = writeVarint(target, at, -1);
    else {
      at = writeUvarint(target, at, value.length * 2);
      copyBytes(value, 0, value.length, target, at);
      at += value.length;
    }
  }
}

/** Below this many bytes a loop is faster than a call of `set`; measured. */
const loopBytesMax = 24;

function copyBytes(source: Uint8Array, start: number, end: number, target: Buffer, position: number): void {
  if (end - start <= loopBytesMax) {
    for (let from = start, to = position; from < end; from++, to++) target[to] = source[from]!;
  } else if (start === 0 && end === source.length) target.set(source, position);
  else target.set(source.subarray(start, end), position);
}
