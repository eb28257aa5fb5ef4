import { crc32c, readI16, readI32, readI64, readU32 } from '../../util/index.ts';
import { Compression } from './compression/index.ts';
import { ErrorCode } from './error-codes.ts';
import { WireError } from './errors.ts';

/*
 * recordBatch => baseOffset:int64 batchLength:int32 partitionLeaderEpoch:int32 magic:int8 crc:uint32
 *                attributes:int16 lastOffsetDelta:int32 baseTimestamp:int64 maxTimestamp:int64
 *                producerId:int64 producerEpoch:int16 baseSequence:int32 recordCount:int32 record*
 *
 * The length counts the bytes after it. The CRC-32C covers everything from the attributes on. Attributes:
 * bits 0 to 2 are the codec, bit 3 LogAppendTime, bit 4 transactional, bit 5 control. A codec compresses the
 * records, never the header.
 */
const lengthAt = 8;
const leaderEpochAt = 12;
const magicAt = 16;
const crcAt = 17;
const attributesAt = 21;
const lastOffsetDeltaAt = 23;
const baseTimestampAt = 27;
const maxTimestampAt = 35;
const producerIdAt = 43;
const producerEpochAt = 51;
const baseSequenceAt = 53;
const countAt = 57;
/** Bytes of the header of a record batch. */
export const batchHeaderBytes = 61;
/** Bytes of the base offset and the length. */
const lengthOverhead = 12;
const magicV2 = 2;
const codecMask = 0x07;
const logAppendTimeFlag = 0x08;
const transactionalFlag = 0x10;
const controlFlag = 0x20;
/** The sequence number after this one is 0. */
const sequenceMax = 2 ** 31 - 1;

/** A record batch that contradicts itself, with the error code for the client. */
export class RecordBatchError extends WireError {
  readonly errorCode: ErrorCode;

  constructor(errorCode: ErrorCode, message: string) {
    super('bad-batch', message);
    this.name = 'RecordBatchError';
    this.errorCode = errorCode;
  }
}

/** A record batch is a view of one RecordBatch v2; fields are decoded only when they are read. */
export class RecordBatch {
  readonly buffer: Uint8Array;
  readonly start: number;
  readonly end: number;

  constructor(buffer: Uint8Array, start: number, end: number) {
    this.buffer = buffer;
    this.start = start;
    this.end = end;
  }

  /** A view of the whole batch. */
  get bytes(): Uint8Array {
    return this.buffer.subarray(this.start, this.end);
  }

  get baseOffset(): number {
    return readI64(this.buffer, this.start);
  }

  get leaderEpoch(): number {
    return readI32(this.buffer, this.start + leaderEpochAt);
  }

  get attributes(): number {
    return readI16(this.buffer, this.start + attributesAt);
  }

  get codec(): number {
    return this.attributes & codecMask;
  }

  /** Whether the broker's time, {@link maxTimestampMs}, is the time of all records. */
  get isLogAppendTime(): boolean {
    return (this.attributes & logAppendTimeFlag) !== 0;
  }

  get isTransactional(): boolean {
    return (this.attributes & transactionalFlag) !== 0;
  }

  get isControl(): boolean {
    return (this.attributes & controlFlag) !== 0;
  }

  get lastOffsetDelta(): number {
    return readI32(this.buffer, this.start + lastOffsetDeltaAt);
  }

  get baseTimestampMs(): number {
    return readI64(this.buffer, this.start + baseTimestampAt);
  }

  get maxTimestampMs(): number {
    return readI64(this.buffer, this.start + maxTimestampAt);
  }

  /** -1 if the producer is not idempotent. */
  get producerId(): number {
    return readI64(this.buffer, this.start + producerIdAt);
  }

  get producerEpoch(): number {
    return readI16(this.buffer, this.start + producerEpochAt);
  }

  get baseSequence(): number {
    return readI32(this.buffer, this.start + baseSequenceAt);
  }

  /** The sequence number of the last record; -1 if the records have none. */
  get lastSequence(): number {
    const base = this.baseSequence;
    if (base < 0) return -1;
    const last = base + this.lastOffsetDelta;
    return last <= sequenceMax ? last : last - sequenceMax - 1;
  }

  /**
   * The number of records according to the header; after compaction it may be less than the number of
   * offsets.
   */
  get count(): number {
    return readI32(this.buffer, this.start + countAt);
  }

  get crc(): number {
    return readU32(this.buffer, this.start + crcAt);
  }

  /** Whether the CRC matches. */
  get isIntact(): boolean {
    return crc32c(this.buffer, this.start + attributesAt, this.end) === this.crc;
  }

  /** Position of the records, compressed or not. */
  get recordsStart(): number {
    return this.start + batchHeaderBytes;
  }
}

/**
 * Splits a records field into its batches. Only their lengths and format are checked. Throws a
 * RecordBatchError. With `partial` the last batch may be cut off, as in a fetch response; it is left out
 * then.
 */
export function splitBatches(records: Uint8Array, partial: boolean = false): RecordBatch[] {
  const batches: RecordBatch[] = [];
  let start = 0;
  while (start < records.length) {
    const left = records.length - start;
    if (left <= magicAt) {
      if (partial) break;
      throw invalid(start, `${left} bytes are no record batch`);
    }
    const magic = records[start + magicAt]!;
    if (magic < magicV2) {
      throw new RecordBatchError(
        ErrorCode.INVALID_RECORD,
        `Record batch at ${start}: message format ${magic} is not supported, use format ${magicV2} (any client of Kafka 0.11 or later).`,
      );
    }
    if (magic !== magicV2) throw corrupt(start, `message format ${magic} is not known`);
    const bytes = readI32(records, start + lengthAt) + lengthOverhead;
    if (bytes < batchHeaderBytes) throw corrupt(start, `${bytes} bytes are less than its header has`);
    if (bytes > left) {
      if (partial) break;
      throw invalid(start, `${bytes} bytes were announced, ${left} are there`);
    }
    batches.push(new RecordBatch(records, start, start + bytes));
    start += bytes;
  }
  return batches;
}

/**
 * The batches of a produce request's records field, at least one, checked by {@link splitBatches} and {@link
 * checkProducedBatch}. Kafka itself accepts only one batch, and answers INVALID_RECORD if there are more.
 */
export function readProducedBatches(records: Uint8Array | null): RecordBatch[] {
  const batches = records === null ? [] : splitBatches(records);
  if (batches.length === 0) throw invalid(0, 'there is none, and at least one is needed');
  for (const batch of batches) checkProducedBatch(batch);
  return batches;
}

/** The checks of a broker before it appends a batch: the header and the CRC. Throws a RecordBatchError. */
export function checkProducedBatch(batch: RecordBatch): void {
  if (!batch.isIntact) throw notIntact(batch);
  checkProducedHeader(batch);
}

/**
 * {@link checkProducedBatch} for a caller that passes the batch on to code which checks the CRC. Here the CRC
 * is checked only to tell a damaged batch from a wrong one.
 */
export function checkProducedHeader(batch: RecordBatch): void {
  const problem = problemOfHeader(batch);
  if (problem) throw batch.isIntact ? problem : notIntact(batch);
}

function problemOfHeader(batch: RecordBatch): RecordBatchError | undefined {
  const { start, count, lastOffsetDelta, producerId } = batch;
  if (count <= 0) return invalid(start, `a count of ${count} records`);
  if (lastOffsetDelta !== count - 1)
    return invalid(start, `${count} records with ${lastOffsetDelta + 1} offsets`);
  if (batch.isControl) return invalid(start, 'only the broker writes control records');
  if (producerId >= 0 && batch.baseSequence < 0)
    return invalid(start, `producer ${producerId} without a sequence number`);
  if (batch.codec <= Compression.zstd) return undefined;
  return new RecordBatchError(
    ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
    `Record batch at ${start}: codec ${batch.codec} is not known.`,
  );
}

function notIntact({ start }: RecordBatch): RecordBatchError {
  return corrupt(start, 'its CRC is not that of its bytes');
}

function corrupt(start: number, what: string): RecordBatchError {
  return new RecordBatchError(ErrorCode.CORRUPT_MESSAGE, `Record batch at ${start}: ${what}.`);
}

function invalid(start: number, what: string): RecordBatchError {
  return new RecordBatchError(ErrorCode.INVALID_RECORD, `Record batch at ${start}: ${what}.`);
}
