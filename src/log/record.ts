import { ByteReader } from '../util/index.ts';

/**
 * A record is one message as ranges of bytes in a buffer it does not own.
 *
 * It is a flyweight. Writers fill one and pass it to `append`, which copies at once. Readers get one that
 * moves to the next message after the call; a reader copies the parts that it wants to keep.
 */
export class Record {
  /** The bytes that the ranges below refer to. */
  buffer: Uint8Array = empty;
  /** Offset in the partition; undefined content before `append`. */
  offset = -1;
  /** Milliseconds since the epoch. */
  timestampMs = 0;
  /** Range of the key; `keyStart` is -1 if there is none. */
  keyStart = -1;
  keyEnd = -1;
  /** Range of the value; `valueStart` is -1 if it is null (a tombstone for Kafka clients). */
  valueStart = -1;
  valueEnd = -1;
  /**
   * Range of the headers in their stored form (see {@link setEncodedHeaders}); `headersStart` is -1 if they
   * are a list, or if there are none. If a record is read and appended elsewhere, its headers are copied
   * without decoding.
   */
  headersStart = -1;
  headersEnd = -1;
  #headers: readonly Header[] | undefined = noHeaders;

  get key(): Uint8Array | null {
    return this.keyStart < 0 ? null : this.buffer.subarray(this.keyStart, this.keyEnd);
  }

  get value(): Uint8Array | null {
    return this.valueStart < 0 ? null : this.buffer.subarray(this.valueStart, this.valueEnd);
  }

  /**
   * The headers in order; a name may repeat. Values are views that are valid as long as {@link buffer}.
   * Decoded at the first access.
   */
  get headers(): readonly Header[] {
    return (this.#headers ??= decodeHeaders(this.buffer, this.headersStart, this.headersEnd));
  }

  set headers(headers: readonly Header[]) {
    this.#headers = headers;
    this.headersStart = -1;
    this.headersEnd = -1;
  }

  /** Whether there are headers, without decoding them. */
  get hasHeaders(): boolean {
    return this.headersStart >= 0 || this.headers.length > 0;
  }

  /**
   * Sets the headers to `buffer[start, end)`, in the form of RecordBatch v2: a count, then name and value of
   * each, with their lengths in front.
   */
  setEncodedHeaders(start: number, end: number): void {
    this.headersStart = start;
    this.headersEnd = end;
    this.#headers = undefined;
  }
}

/** A header is a name and a value of bytes; null is Kafka's null value. */
export interface Header {
  readonly name: string;
  readonly value: Uint8Array | null;
}

const empty = new Uint8Array(0);

/** The shared empty list, so that a message without headers allocates nothing. */
export const noHeaders: readonly Header[] = Object.freeze([]);

/** `headerCount:varint (nameLength:varint name valueLength:varint value)*`; a value length of -1 is null. */
function decodeHeaders(buffer: Uint8Array, start: number, end: number): readonly Header[] {
  const reader = new ByteReader(buffer, start, end);
  const headers: Header[] = [];
  for (let count = reader.varint(); count > 0; count--) {
    const name = reader.text(reader.varint());
    const length = reader.varint();
    headers.push({ name, value: length < 0 ? null : reader.bytes(length) });
  }
  return headers;
}
