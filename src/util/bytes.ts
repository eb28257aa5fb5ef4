/*
 * Integers as bytes. Fixed widths are big-endian. A uvarint has seven bits per byte, lowest first. A varint
 * is the uvarint of the zigzag form (0, -1, 1, -2, …), as in Kafka and Protocol Buffers. All values are safe
 * integers; 64-bit values beyond 2^53 lose their lowest bits.
 */
const two32 = 2 ** 32;
const smallMax = 2 ** 30;

/** Bytes of the uvarint of `value`, which must be ≥ 0. */
export function uvarintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  if (value < 0x1000_0000) return 4;
  let size = 5;
  for (let rest = value / 0x8_0000_0000; rest >= 1; rest /= 0x80) size++;
  return size;
}

/** 0, -1, 1, -2, … as 0, 1, 2, 3, … */
export function zigzag(value: number): number {
  if (value < smallMax && value > -smallMax) return (value << 1) ^ (value >> 31);
  return value >= 0 ? value * 2 : value * -2 - 1;
}

export function unzigzag(value: number): number {
  if (value < smallMax) return (value >>> 1) ^ -(value & 1);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Bytes of the varint of `value`. */
export function varintSize(value: number): number {
  return uvarintSize(zigzag(value));
}

/** Writes a uvarint and returns the position after it. */
export function writeUvarint(target: Uint8Array, position: number, value: number): number {
  let rest = value;
  // Shifts work on 32 bits only, so larger values are divided first.
  while (rest >= smallMax) {
    target[position++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  while (rest >= 0x80) {
    target[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[position++] = rest;
  return position;
}

export function writeVarint(target: Uint8Array, position: number, value: number): number {
  return writeUvarint(target, position, zigzag(value));
}

export function writeU16(target: Uint8Array, position: number, value: number): void {
  target[position] = value >>> 8;
  target[position + 1] = value;
}

export function writeU32(target: Uint8Array, position: number, value: number): void {
  target[position] = value >>> 24;
  target[position + 1] = value >>> 16;
  target[position + 2] = value >>> 8;
  target[position + 3] = value;
}

/** Writes a safe integer; negative ones in two's complement. */
export function writeI64(target: Uint8Array, position: number, value: number): void {
  writeU32(target, position, Math.floor(value / two32));
  writeU32(target, position + 4, value >>> 0);
}

export function readU16(source: Uint8Array, position: number): number {
  return (source[position]! << 8) | source[position + 1]!;
}

export function readI16(source: Uint8Array, position: number): number {
  return (readU16(source, position) << 16) >> 16;
}

export function readI32(source: Uint8Array, position: number): number {
  return (
    (source[position]! << 24) |
    (source[position + 1]! << 16) |
    (source[position + 2]! << 8) |
    source[position + 3]!
  );
}

export function readU32(source: Uint8Array, position: number): number {
  return readI32(source, position) >>> 0;
}

export function readI64(source: Uint8Array, position: number): number {
  return readI32(source, position) * two32 + readU32(source, position + 4);
}

const utf8 = new TextDecoder();

/**
 * Decodes UTF-8; invalid bytes become replacement characters. For short ASCII a loop is faster than a call
 * out of the engine.
 */
export function textOf(source: Uint8Array, start: number, end: number): string {
  if (end - start <= 24) {
    let text = '';
    for (let at = start; at < end; at++) {
      const byte = source[at]!;
      if (byte >= 0x80) return utf8.decode(source.subarray(start, end));
      text += String.fromCharCode(byte);
    }
    return text;
  }
  return Buffer.isBuffer(source)
    ? source.toString('utf8', start, end)
    : utf8.decode(source.subarray(start, end));
}

/** Length of a text in UTF-8, in bytes. */
export function textSize(text: string): number {
  if (text.length > 24) return Buffer.byteLength(text);
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return Buffer.byteLength(text);
  return text.length;
}

/** Writes a text as UTF-8 and returns the position after it. The caller makes sure that it fits. */
export function writeText(target: Buffer, position: number, text: string): number {
  if (text.length <= 24) {
    let i = 0;
    for (; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) break;
      target[position + i] = code;
    }
    if (i === text.length) return position + i;
  }
  return position + target.write(text, position);
}

/**
 * A byte writer is a growing buffer that is written front to back. Every call returns the writer, so that
 * code reads like the grammar of its format.
 */
export class ByteWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(capacity: number = 256) {
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(16, capacity));
  }

  /** Bytes written so far; the position of the next one. */
  get length(): number {
    return this.#length;
  }

  /** Bytes of the writer's buffer. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** A view of the written bytes; the next write may overwrite it. */
  view(start: number = 0, end: number = this.#length): Buffer {
    return this.#buffer.subarray(start, end);
  }

  /** A copy of the written bytes. */
  copy(): Buffer {
    return Buffer.from(this.view());
  }

  /** Starts over, keeping the buffer unless it is larger than `capacityMax`. */
  reset(capacityMax: number = Infinity): this {
    this.#length = 0;
    if (this.#buffer.length > capacityMax) this.#buffer = Buffer.allocUnsafeSlow(capacityMax);
    return this;
  }

  /**
   * Makes room for `bytes` more and returns their position. The caller then writes all of them through {@link
   * buffer}.
   */
  reserve(bytes: number): number {
    const start = this.#length;
    if (start + bytes > this.#buffer.length) this.#grow(start + bytes);
    this.#length = start + bytes;
    return start;
  }

  /** The current buffer; the next write may replace it. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }

  u8(value: number): this {
    const at = this.reserve(1);
    this.#buffer[at] = value;
    return this;
  }

  u16(value: number): this {
    const at = this.reserve(2);
    writeU16(this.#buffer, at, value);
    return this;
  }

  i16(value: number): this {
    return this.u16(value);
  }

  u32(value: number): this {
    const at = this.reserve(4);
    writeU32(this.#buffer, at, value);
    return this;
  }

  i32(value: number): this {
    return this.u32(value);
  }

  i64(value: number): this {
    const at = this.reserve(8);
    writeI64(this.#buffer, at, value);
    return this;
  }

  f64(value: number): this {
    const at = this.reserve(8);
    this.#buffer.writeDoubleBE(value, at);
    return this;
  }

  uvarint(value: number): this {
    const at = this.reserve(9);
    this.#length = writeUvarint(this.#buffer, at, value);
    return this;
  }

  varint(value: number): this {
    return this.uvarint(zigzag(value));
  }

  bytes(source: Uint8Array, start: number = 0, end: number = source.length): this {
    const at = this.reserve(end - start);
    this.#buffer.set(start === 0 && end === source.length ? source : source.subarray(start, end), at);
    return this;
  }

  /** UTF-8 without a length prefix. */
  text(text: string): this {
    const at = this.reserve(textSize(text));
    writeText(this.#buffer, at, text);
    return this;
  }

  zeros(count: number): this {
    const at = this.reserve(count);
    this.#buffer.fill(0, at, at + count);
    return this;
  }

  /** Zeros up to the next multiple of `bytes`. */
  align(bytes: number): this {
    const over = this.#length % bytes;
    return over === 0 ? this : this.zeros(bytes - over);
  }

  /** Overwrites four bytes written before, for lengths and checksums that are known only later. */
  setU32(position: number, value: number): this {
    writeU32(this.#buffer, position, value);
    return this;
  }
}

/**
 * A byte reader reads integers and ranges from a buffer, front to back. Reading past the end throws a
 * RangeError.
 */
export class ByteReader {
  readonly buffer: Uint8Array;
  readonly end: number;
  position: number;

  constructor(buffer: Uint8Array, start: number = 0, end: number = buffer.length) {
    this.buffer = buffer;
    this.position = start;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  #take(bytes: number): number {
    const at = this.position;
    if (bytes < 0 || bytes > this.end - at) {
      throw new RangeError(`${bytes} bytes wanted at ${at}, ${this.end - at} there`);
    }
    this.position = at + bytes;
    return at;
  }

  u8(): number {
    return this.buffer[this.#take(1)]!;
  }

  u16(): number {
    return readU16(this.buffer, this.#take(2));
  }

  i16(): number {
    return readI16(this.buffer, this.#take(2));
  }

  u32(): number {
    return readU32(this.buffer, this.#take(4));
  }

  i32(): number {
    return readI32(this.buffer, this.#take(4));
  }

  i64(): number {
    return readI64(this.buffer, this.#take(8));
  }

  f64(): number {
    const at = this.#take(8);
    return new DataView(this.buffer.buffer, this.buffer.byteOffset + at, 8).getFloat64(0);
  }

  /** At most ten bytes, enough for 64 bits. */
  uvarint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.buffer[this.#take(1)]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw new RangeError(`a varint of more than 10 bytes at ${this.position - 10}`);
  }

  varint(): number {
    return unzigzag(this.uvarint());
  }

  /** A view of the next bytes. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.buffer.subarray(at, at + length);
  }

  text(length: number): string {
    const at = this.#take(length);
    return textOf(this.buffer, at, at + length);
  }

  skip(bytes: number): void {
    this.#take(bytes);
  }
}
