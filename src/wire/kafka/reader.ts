import { readI16, readI32, readI64, textOf } from '../../util/index.ts';
import { WireError } from './errors.ts';
import { uuidBytes, type Uuid } from './uuid.ts';

/** Kafka limits compact strings, too, to the length that an int16 can express. */
export const stringBytesMax = 0x7fff;

const noBytes = Buffer.alloc(0);
const scale28 = 2 ** 28;

/**
 * A reader decodes the primitive types of Kafka's protocol from a frame, front to back, never past its end.
 *
 * ```
 * string  => length:int16 byte*      compactString => length+1:uvarint byte*
 * bytes   => length:int32 byte*      compactBytes  => length+1:uvarint byte*
 * array   => count:int32 element*    compactArray  => count+1:uvarint element*
 * null    => a length or count of -1 (compact: the uvarint 0)
 * tags    => count:uvarint (tag:uvarint size:uvarint byte*)*
 * ```
 * All other integers are big-endian and signed. An int64 beyond 2^53 loses its lowest bits.
 */
export class Reader {
  readonly buffer: Buffer;
  /** Array elements and tags that may still be read: the bound on the objects that a frame can become. */
  elementsLeft: number = Infinity;
  #position: number;
  #end: number;

  constructor(buffer: Buffer, start: number = 0, end: number = buffer.length) {
    this.buffer = buffer;
    this.#position = start;
    this.#end = end;
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  #take(bytes: number): number {
    const at = this.#position;
    if (bytes > this.#end - at) throw this.#beyond(`${bytes} bytes`);
    this.#position = at + bytes;
    return at;
  }

  #beyond(what: string): WireError {
    return new WireError(
      'truncated',
      `${what} announced at ${this.#position}, ${this.remaining} bytes are left.`,
    );
  }

  bool(): boolean {
    return this.buffer[this.#take(1)] !== 0;
  }

  int8(): number {
    return (this.buffer[this.#take(1)]! << 24) >> 24;
  }

  int16(): number {
    return readI16(this.buffer, this.#take(2));
  }

  int32(): number {
    return readI32(this.buffer, this.#take(4));
  }

  int64(): number {
    return readI64(this.buffer, this.#take(8));
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.#take(8));
  }

  /** A value of 32 bits, in at most five bytes. */
  uvarint(): number {
    const buffer = this.buffer;
    let byte = buffer[this.#take(1)]!;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      byte = buffer[this.#take(1)]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    byte = buffer[this.#take(1)]!;
    if (byte > 0x0f)
      throw new WireError('bad-length', `A uvarint of more than 32 bits at ${this.#position - 5}.`);
    return value + byte * scale28;
  }

  uuid(): Uuid {
    const at = this.#take(uuidBytes);
    return this.buffer.toString('base64url', at, at + uuidBytes);
  }

  string(): string | null {
    return this.#text(this.int16());
  }

  compactString(): string | null {
    return this.#text(this.uvarint() - 1);
  }

  #text(length: number): string | null {
    if (length === -1) return null;
    if (length < 0 || length > stringBytesMax) throw this.#badLength(`A string of ${length} bytes`);
    const at = this.#take(length);
    return textOf(this.buffer, at, at + length);
  }

  /** A view, which keeps the whole frame in memory while it is referenced. */
  bytes(): Buffer | null {
    return this.#bytes(this.int32());
  }

  compactBytes(): Buffer | null {
    return this.#bytes(this.uvarint() - 1);
  }

  #bytes(length: number): Buffer | null {
    if (length === -1) return null;
    if (length === 0) return noBytes;
    if (length < 0) throw this.#badLength(`${length} bytes`);
    const at = this.#take(length);
    return this.buffer.subarray(at, at + length);
  }

  /**
   * The count of an array whose elements have at least `bytesMin` bytes each; -1 is null. A count that does
   * not fit into the frame, or exceeds {@link elementsLeft}, is refused.
   */
  count(bytesMin: number): number {
    return this.#checkedCount(this.int32(), bytesMin);
  }

  compactCount(bytesMin: number): number {
    return this.#checkedCount(this.uvarint() - 1, bytesMin);
  }

  #checkedCount(count: number, bytesMin: number): number {
    if (count < -1) throw this.#badLength(`An array of ${count} elements`);
    if (count * bytesMin > this.remaining)
      throw this.#beyond(`${count} elements of at least ${bytesMin} bytes`);
    if (count > 0) this.#charge(count);
    return count;
  }

  /** Called before any object is made for the elements. */
  #charge(elements: number): void {
    if (elements > this.elementsLeft) {
      throw new WireError(
        'too-many-elements',
        `${elements} elements announced before ${this.#position}; ${this.elementsLeft} more are allowed.`,
      );
    }
    this.elementsLeft -= elements;
  }

  /** The number of tagged fields that follow; each has at least two bytes. */
  tagCount(): number {
    return this.#checkedCount(this.uvarint(), 2);
  }

  skip(bytes: number): void {
    this.#take(bytes);
  }

  skipTags(): void {
    for (let count = this.tagCount(); count > 0; count--) {
      this.uvarint();
      this.skip(this.uvarint());
    }
  }

  /** Moves the end of the reader to `bytes` from here. Returns the old end, for {@link widen}. */
  narrow(bytes: number): number {
    if (bytes > this.remaining) throw this.#beyond(`${bytes} bytes`);
    const end = this.#end;
    this.#end = this.#position + bytes;
    return end;
  }

  /** Undoes {@link narrow} and skips the unread bytes within it. */
  widen(end: number): void {
    this.#position = this.#end;
    this.#end = end;
  }

  #badLength(what: string): WireError {
    return new WireError('bad-length', `${what} announced before ${this.#position}.`);
  }
}
