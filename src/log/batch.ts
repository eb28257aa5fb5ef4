import { crc32c, readI16, readI32, readI64, readU32, writeI64, writeU32 } from '../util/index.ts';
import type { BatchMemory } from './batch-memory.ts';
import { LogError } from './errors.ts';
import {
  batchAttributesAt,
  batchBaseSequenceAt,
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
  batchProducerEpochAt,
  batchProducerIdAt,
  codecMask,
  controlFlag,
  logAppendTimeFlag,
  transactionalFlag,
} from './format.ts';
import type { Decompress } from './log-options.ts';
import { OpenedBatches, type Opened } from './opened-batches.ts';
import { noHeaders, type Record } from './record.ts';
import { countWholeRecords } from './record-walk.ts';

/**
 * The limits for decompressing a records section: up to this size, but only in proportion to its own bytes. A
 * few bytes can expand up to the smaller limit, and no further.
 */
const decompressedBytesMax = 2 ** 26;
const expansionBytesMin = 2 ** 23;
const expansionMax = 64;
/** Keeps decompressed records of all batches together for the next reader. */
const opened = new OpenedBatches(decompressedBytesMax);

/**
 * A batch is a whole RecordBatch v2 in memory, exactly as it is on disk and as Kafka clients get it.
 *
 * It takes the offsets `[baseOffset, endOffset)`; after compaction it contains fewer records than that.
 */
export class Batch implements Opened {
  readonly buffer: Uint8Array;
  readonly baseOffset: number;
  /** One past the last offset of the batch. */
  readonly endOffset: number;
  /** The memory that contains the batch, if it is to be reused. */
  readonly memory: BatchMemory | undefined;
  readonly #decompress: Decompress | undefined;
  #opened: Uint8Array | undefined = undefined;
  /** The number of readable records, once it is known; -1 before. */
  #readable = -1;

  /** `buffer` must be exactly one batch; see {@link checkBatch}. */
  constructor(buffer: Uint8Array, decompress?: Decompress, memory?: BatchMemory) {
    this.buffer = buffer;
    this.memory = memory;
    this.baseOffset = readI64(buffer, 0);
    this.endOffset = this.baseOffset + readI32(buffer, batchLastDeltaAt) + 1;
    this.#decompress = decompress;
  }

  get bytes(): number {
    return this.buffer.length;
  }

  /** Number of records. */
  get count(): number {
    return readI32(this.buffer, batchCountAt);
  }

  get attributes(): number {
    return readI16(this.buffer, batchAttributesAt);
  }

  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  get codec(): number {
    return this.attributes & codecMask;
  }

  get compressed(): boolean {
    return this.codec !== 0;
  }

  get transactional(): boolean {
    return (this.attributes & transactionalFlag) !== 0;
  }

  /** Whether the batch is a transaction marker instead of messages. */
  get control(): boolean {
    return (this.attributes & controlFlag) !== 0;
  }

  get baseTimestampMs(): number {
    return readI64(this.buffer, batchBaseTimestampAt);
  }

  get maxTimestampMs(): number {
    return readI64(this.buffer, batchMaxTimestampAt);
  }

  /** -1 if the producer is not idempotent. */
  get producerId(): number {
    return readI64(this.buffer, batchProducerIdAt);
  }

  get producerEpoch(): number {
    return readI16(this.buffer, batchProducerEpochAt);
  }

  get baseSequence(): number {
    return readI32(this.buffer, batchBaseSequenceAt);
  }

  /** A reader positioned before the first record. */
  reader(): BatchReader {
    const reader = new BatchReader();
    reader.reset(this);
    return reader;
  }

  /**
   * The number of records that can be read, from the first on: all of them, unless a client compressed other
   * content. The others count as lost; Kafka clients get the batch unchanged.
   */
  get readable(): number {
    if (this.codec === 0) return this.count;
    if (this.#readable < 0) this.#open();
    return this.#readable;
  }

  /**
   * The bytes that contain the records, from {@link recordsStart} on: the batch itself, or its decompressed
   * records section.
   */
  get recordsBuffer(): Uint8Array {
    return this.compressed ? (this.#opened ?? this.#open()) : this.buffer;
  }

  #open(): Uint8Array {
    if (this.#decompress === undefined) {
      throw new LogError(
        'compression-unsupported',
        `Batch at offset ${this.baseOffset} is compressed with codec ${this.codec}, which cannot be opened here.`,
      );
    }
    let bytes = noBytes;
    try {
      if (this.#readable !== 0)
        bytes = this.#decompress(this.codec, this.buffer.subarray(batchHeaderBytes), this.#expansionMax);
    } catch {
      bytes = noBytes; // the owner of the decompressor reports the error
    }
    const offsets = this.endOffset - this.baseOffset;
    if (this.#readable < 0) this.#readable = countWholeRecords(bytes, 0, bytes.length, this.count, offsets);
    this.#opened = bytes;
    opened.add(this);
    return bytes;
  }

  get #expansionMax(): number {
    return Math.min(decompressedBytesMax, expansionBytesMin + this.buffer.length * expansionMax);
  }

  /** Memory of the decompressed records. */
  get openedBytes(): number {
    return this.#opened?.length ?? 0;
  }

  /** Drops the decompressed records; the next reader decompresses them again. */
  close(): void {
    this.#opened = undefined;
  }

  /** Position of the records in {@link recordsBuffer}. */
  get recordsStart(): number {
    return this.compressed ? 0 : batchHeaderBytes;
  }
}

/**
 * A batch reader walks the records of one batch after another, without allocating per record.
 *
 * `next` may throw a LogError: `batch-invalid` for records that contradict their header (possible only in a
 * client's own batch), or `compression-unsupported`.
 */
export class BatchReader {
  #buffer: Uint8Array = noBytes;
  #position = 0;
  #end = 0;
  #left = 0;
  #baseOffset = 0;
  #baseTimestampMs = 0;
  /** The time of the batch, which applies to all records (LogAppendTime), or -1. */
  #appendTimeMs = -1;

  /**
   * Moves the reader before the record at `offset`, or before the next one if there is none; by default
   * before the first record.
   */
  reset(batch: Batch, offset: number = batch.baseOffset): void {
    this.#left = batch.readable;
    this.#buffer = batch.recordsBuffer;
    this.#position = batch.recordsStart;
    this.#end = this.#buffer.length;
    this.#baseOffset = batch.baseOffset;
    this.#baseTimestampMs = batch.baseTimestampMs;
    this.#appendTimeMs = (batch.attributes & logAppendTimeFlag) === 0 ? -1 : batch.maxTimestampMs;
    if (offset > batch.baseOffset) this.#skipBelow(offset - batch.baseOffset);
  }

  /** Sets `record` to the next record; returns false at the end of the batch. */
  next(record: Record): boolean {
    if (this.#left === 0) return false;
    const buffer = this.#buffer;
    const length = this.#varint();
    const end = this.#position + length;
    if (length < 6 || end > this.#end) throw invalid(`record of ${length} bytes`, this.#baseOffset);
    this.#position++; // attributes, not used by the protocol
    const timestampDelta = this.#varint();
    record.timestampMs =
      this.#appendTimeMs >= 0 ? this.#appendTimeMs : this.#baseTimestampMs + timestampDelta;
    record.offset = this.#baseOffset + this.#varint();
    record.buffer = buffer;
    const keyLength = this.#varint();
    if (keyLength >= 0) {
      record.keyStart = this.#position;
      record.keyEnd = this.#position += keyLength;
    } else record.keyStart = record.keyEnd = -1;
    const valueLength = this.#varint();
    if (valueLength >= 0) {
      record.valueStart = this.#position;
      record.valueEnd = this.#position += valueLength;
    } else record.valueStart = record.valueEnd = -1;
    // A header count of 0 is one zero byte, and the last one.
    if (this.#position === end - 1 && buffer[this.#position] === 0) {
      record.headers = noHeaders;
    } else {
      if (this.#position >= end)
        throw invalid('a record whose parts are longer than itself', this.#baseOffset);
      record.setEncodedHeaders(this.#position, end);
    }
    this.#position = end;
    this.#left--;
    return true;
  }

  /** Skips records whose offset delta is lower than `delta`, decoding only their first fields. */
  #skipBelow(delta: number): void {
    while (this.#left > 0) {
      const start = this.#position;
      const length = this.#varint();
      const end = this.#position + length;
      if (length < 6 || end > this.#end) throw invalid(`record of ${length} bytes`, this.#baseOffset);
      this.#position++;
      this.#varint();
      if (this.#varint() >= delta) {
        this.#position = start;
        return;
      }
      this.#position = end;
      this.#left--;
    }
  }

  #varint(): number {
    const buffer = this.#buffer;
    let position = this.#position;
    let byte = buffer[position++]!;
    if (byte < 0x80) {
      this.#position = position;
      return (byte >>> 1) ^ -(byte & 1);
    }
    let value = byte & 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      byte = buffer[position++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#position = position;
        return (value >>> 1) ^ -(value & 1);
      }
    }
    let scale = 2 ** 28;
    for (let count = 4; count < 10 && position < this.#end; count++) {
      byte = buffer[position++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.#position = position;
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      }
      scale *= 0x80;
    }
    throw invalid('a varint that does not end', this.#baseOffset);
  }
}

const noBytes: Uint8Array = new Uint8Array(0);

function invalid(what: string, baseOffset: number): LogError {
  return new LogError('batch-invalid', `Batch at offset ${baseOffset}: ${what}.`);
}

/**
 * Bytes of the batch at `position`, computed from its length field; -1 if that cannot be a batch's, or if the
 * batch does not end before `end`.
 */
export function batchBytesAt(buffer: Uint8Array, position: number, end: number): number {
  if (end - position < batchLengthAt + 4) return -1;
  const bytes = readI32(buffer, position + batchLengthAt) + batchLengthOverhead;
  return bytes < batchHeaderBytes ? -1 : bytes;
}

/** Whether `buffer[start, end)` is one intact RecordBatch v2. */
export function isIntactBatch(buffer: Uint8Array, start: number, end: number): boolean {
  return (
    end - start >= batchHeaderBytes &&
    readI32(buffer, start + batchLengthAt) + batchLengthOverhead === end - start &&
    buffer[start + batchMagicAt] === batchMagic &&
    readI32(buffer, start + batchLastDeltaAt) >= 0 &&
    crc32c(buffer, start + batchAttributesAt, end) === readU32(buffer, start + batchCrcAt)
  );
}

/** Sets a batch's base offset and leader epoch, which its CRC does not cover. */
export function placeBatch(buffer: Uint8Array, baseOffset: number): void {
  writeI64(buffer, 0, baseOffset);
  writeU32(buffer, batchEpochAt, 0);
}
