import { readI16, readI32, readI64, textOf } from '../../util/index.ts';
import { WireError } from './errors.ts';
import { uuidBytes, type Uuid } from './uuid.ts';

/** Kafka holds compact strings, too, to what an int16 can count. */
export const stringBytesMax = 0x7fff;

const noBytes = Buffer.alloc(0);
const scale28 = 2 ** 28;

/**
 * A reader takes the primitive types of Kafka's protocol off a frame, front to back, and never past its end.
 *
 * ```
 * string  => length:int16 byte*      compactString => length+1:uvarint byte*      a length of -1 (compact: the uvarint 0) is null
 * bytes   => length:int32 byte*      compactBytes  => length+1:uvarint byte*
 * array   => count:int32 element*    compactArray  => count+1:uvarint element*
 * tags    => count:uvarint (tag:uvarint size:uvarint byte*)*
 * ```
 * All other integers are big-endian and have their sign. Of an int64 beyond 2^53 the last bits are lost.
 */
export class Reader {
  readonly buffer: Buffer;
  /**
   * Array elements and tags that may still be read: what bounds the objects that a frame's bytes can become.
   */
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

  /** Of 32 bits, in at most five bytes. */
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

  /** A view: it keeps the whole frame in memory for as long as it is kept itself. */
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
   * The count of an array whose elements have at least `bytesMin` bytes each; -1 is null. More than the frame
   * has room for, or than {@link elementsLeft} allows, is refused.
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

  /** Before anything is made of them. */
  #charge(elements: number): void {
    if (elements > this.elementsLeft) {
      throw new WireError(
        'too-many-elements',
        `${elements} elements announced before ${this.#position}; ${this.elementsLeft} more are allowed.`,
      );
    }
    this.elementsLeft -= elements;
  }

  /** How many tagged fields follow; each has at least two bytes. */
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

  /** Ends the reader `bytes` from here; returns where it ended before, for {@link widen}. */
  narrow(bytes: number): number {
    if (bytes > this.remaining) throw this.#beyond(`${bytes} bytes`);
    const end = this.#end;
    this.#end = this.#position + bytes;
    return end;
  }

  /** Undoes {@link narrow}: goes past what was left unread within it. */
  widen(end: number): void {
    this.#position = this.#end;
    this.#end = end;
  }

  #badLength(what: string): WireError {
    return new WireError('bad-length', `${what} announced before ${this.#position}.`);
  }
}
