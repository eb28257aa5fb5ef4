import { ByteReader } from '../util/index.ts';

/**
 * A record is one message as ranges of bytes in a buffer it does not own.
 *
 * It is a flyweight: writers fill one and pass it to `append`, which copies at once; readers are handed one
 * that moves on to the next message after the call. Whoever wants to keep a part copies that part.
 */
export class Record {
  /** The bytes the ranges below point into. */
  buffer: Uint8Array = empty;
  /** Offset in the partition. Meaningless before `append`. */
  offset = -1;
  /** Milliseconds since the epoch. */
  timestampMs = 0;
  /** Where the key is; `keyStart` is -1 when there is none. */
  keyStart = -1;
  keyEnd = -1;
  /** Where the value is; `valueStart` is -1 when it is null (a tombstone for Kafka clients). */
  valueStart = -1;
  valueEnd = -1;
  /**
   * Where the headers are in their stored form (see {@link setEncodedHeaders}); `headersStart` is -1 when
   * they are a list, or none. A record that was read and is appended elsewhere has its headers copied from
   * there, undecoded.
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
   * The headers in order; a name may repeat. Values are views that live as long as {@link buffer}. Decoded
   * when first asked for.
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
   * Sets the headers to `buffer[start, end)`, in the form of RecordBatch v2: count, then name and value of
   * each, all with their length in front.
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

/** The one empty list, so that a message without headers allocates nothing. */
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
