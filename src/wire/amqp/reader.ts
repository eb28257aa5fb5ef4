import { readI32, readI64, readU16, readU32, textOf } from '../../util/index.ts';
import { WireError } from './errors.ts';

/**
 * A reader decodes the primitive types of AMQP from a range of bytes, front to back, never past its end. All
 * integers are big-endian.
 *
 * ```
 * shortstr => length:u8 byte*      longstr => length:u32 byte*
 * ```
 */
export class Reader {
  readonly buffer: Buffer;
  #position: number;
  readonly #end: number;

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

  u8(): number {
    return this.buffer[this.#take(1)]!;
  }

  u16(): number {
    return readU16(this.buffer, this.#take(2));
  }

  u32(): number {
    return readU32(this.buffer, this.#take(4));
  }

  i8(): number {
    return (this.u8() << 24) >> 24;
  }

  i16(): number {
    return (this.u16() << 16) >> 16;
  }

  i32(): number {
    return readI32(this.buffer, this.#take(4));
  }

  /** A number if it is a safe integer, else a bigint. */
  i64(): number | bigint {
    const at = this.#take(8);
    const number = readI64(this.buffer, at);
    return Number.isSafeInteger(number) ? number : this.buffer.readBigInt64BE(at);
  }

  /** A number if it is a safe integer, else a bigint. */
  u64(): number | bigint {
    const at = this.#take(8);
    const value = this.buffer.readBigUInt64BE(at);
    return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  }

  f32(): number {
    return this.buffer.readFloatBE(this.#take(4));
  }

  f64(): number {
    return this.buffer.readDoubleBE(this.#take(8));
  }

  shortstr(): string {
    const length = this.u8();
    const at = this.#take(length);
    return textOf(this.buffer, at, at + length);
  }

  /** A view of the buffer. */
  longstr(): Buffer {
    return this.bytes(this.u32());
  }

  /** A view of the buffer. */
  bytes(length: number): Buffer {
    const at = this.#take(length);
    return this.buffer.subarray(at, at + length);
  }

  /** A reader of the next bytes, which this one skips. */
  part(length: number): Reader {
    const at = this.#take(length);
    return new Reader(this.buffer, at, at + length);
  }

  #take(bytes: number): number {
    const at = this.#position;
    if (bytes > this.#end - at)
      throw new WireError('truncated', `${bytes} bytes announced at ${at}, ${this.remaining} are left.`);
    this.#position = at + bytes;
    return at;
  }
}
