import { ByteReader } from '../../util/index.ts';
import { Compression, decompress } from './compression/index.ts';
import { ErrorCode } from './error-codes.ts';
import { RecordBatchError, type RecordBatch } from './record-batch.ts';

/*
 * record => length:varint attributes:int8 timestampDelta:varint offsetDelta:varint
 *           key value headerCount:varint header*
 * key, value => length:varint byte*          a length of -1 is null
 * header => nameLength:varint name:utf8 length:varint byte*
 */

/** A record header is a name and bytes; a name may repeat. */
export interface RecordHeader {
  readonly name: string;
  readonly value: Uint8Array | null;
}

/** A record of a batch. Its bytes are views of the batch, or of the decompressed records. */
export interface BatchRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

const noHeaders: readonly RecordHeader[] = [];
/** Result of `#blob` for null. */
const isNull = -1;

/**
 * A record cursor moves from record to record and checks that each stays within its bounds. It makes no
 * objects.
 */
class RecordCursor {
  offsetDelta = 0;
  timestampDelta = 0;
  /** -1 for null. */
  keyStart = isNull;
  keyEnd = isNull;
  valueStart = isNull;
  valueEnd = isNull;
  headerCount = 0;
  headersStart = 0;
  readonly #reader: ByteReader;
  #end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#reader = new ByteReader(bytes, start, end);
    this.#end = start;
  }

  /** Whether bytes are left after the current record. */
  get hasMore(): boolean {
    return this.#end < this.#reader.end;
  }

  /** Moves to the next record. Throws a RangeError if it reaches beyond its bytes. */
  next(): void {
    const reader = this.#reader;
    reader.position = this.#end;
    const length = reader.varint();
    if (length < 0 || length > reader.remaining) throw new RangeError(`a record of ${length} bytes`);
    this.#end = reader.position + length;
    reader.skip(1);
    this.timestampDelta = reader.varint();
    this.offsetDelta = reader.varint();
    this.keyStart = this.#blob();
    this.keyEnd = reader.position;
    this.valueStart = this.#blob();
    this.valueEnd = reader.position;
    this.headerCount = reader.varint();
    this.headersStart = reader.position;
    if (this.headerCount < 0) throw new RangeError(`${this.headerCount} headers`);
    for (let left = this.headerCount; left > 0; left--) {
      if (this.#blob() === isNull) throw new RangeError('a header without a name');
      this.#blob();
      if (reader.position > this.#end) break;
    }
    if (reader.position !== this.#end)
      throw new RangeError(`a record of ${length} bytes whose parts have others`);
  }

  headers(): readonly RecordHeader[] {
    if (this.headerCount === 0) return noHeaders;
    const reader = new ByteReader(this.#reader.buffer, this.headersStart, this.#end);
    const headers: RecordHeader[] = [];
    for (let left = this.headerCount; left > 0; left--) {
      const name = reader.text(reader.varint());
      const length = reader.varint();
      headers.push({ name, value: length < 0 ? null : reader.bytes(length) });
    }
    return headers;
  }

  /** Skips a length and its bytes. Returns the position of the bytes, or -1 for null. */
  #blob(): number {
    const reader = this.#reader;
    const length = reader.varint();
    if (length < 0) {
      if (length !== -1) throw new RangeError(`${length} bytes`);
      return isNull;
    }
    const start = reader.position;
    reader.skip(length);
    return start;
  }
}

/**
 * Checks that the records of an uncompressed batch are complete, match the count in the header, and are
 * numbered 0, 1, 2, …. Later readers rely on it. Throws a RecordBatchError. Compressed batches are not
 * checked: brokers avoid decompressing them.
 */
export function checkRecords(batch: RecordBatch): void {
  if (batch.codec !== Compression.none) return;
  guarded(batch, () => {
    const cursor = new RecordCursor(batch.buffer, batch.recordsStart, batch.end);
    walk(cursor, batch.count);
  });
}

function walk(cursor: RecordCursor, count: number): void {
  for (let i = 0; i < count; i++) {
    cursor.next();
    if (cursor.offsetDelta !== i) throw new RangeError(`record ${i} has the offset ${cursor.offsetDelta}`);
  }
  if (cursor.hasMore) throw new RangeError(`more bytes than ${count} records have`);
}

/**
 * All records of a batch, for clients. `bytesMax` limits the size of a decompressed batch. Throws a
 * WireError.
 */
export function readRecords(batch: RecordBatch, bytesMax: number): BatchRecord[] {
  const isPlain = batch.codec === Compression.none;
  const bytes = isPlain
    ? batch.buffer
    : decompress(batch.codec, batch.buffer.subarray(batch.recordsStart, batch.end), bytesMax);
  const cursor = isPlain
    ? new RecordCursor(bytes, batch.recordsStart, batch.end)
    : new RecordCursor(bytes, 0, bytes.length);
  const { baseOffset, baseTimestampMs, count } = batch;
  const appendTimeMs = batch.isLogAppendTime ? batch.maxTimestampMs : undefined;
  const records: BatchRecord[] = [];
  guarded(batch, () => {
    for (let i = 0; i < count; i++) {
      cursor.next();
      records.push({
        offset: baseOffset + cursor.offsetDelta,
        timestampMs: appendTimeMs ?? baseTimestampMs + cursor.timestampDelta,
        key: cursor.keyStart < 0 ? null : bytes.subarray(cursor.keyStart, cursor.keyEnd),
        value: cursor.valueStart < 0 ? null : bytes.subarray(cursor.valueStart, cursor.valueEnd),
        headers: cursor.headers(),
      });
    }
    if (cursor.hasMore) throw new RangeError(`more bytes than ${count} records have`);
  });
  return records;
}

function guarded(batch: RecordBatch, read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RecordBatchError(ErrorCode.INVALID_RECORD, `Record batch at ${batch.start}: ${error.message}.`);
  }
}
