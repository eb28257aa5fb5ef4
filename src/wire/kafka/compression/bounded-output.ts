import { WireError } from '../errors.ts';

/** Shorter copies go byte by byte: a call out of the engine costs more. */
const nativeCopyMin = 32;

/**
 * A bounded output is the buffer for decompressed bytes. It grows as they are written, up to `bytesMax`;
 * beyond that it throws a WireError `decompressed-size`.
 */
export class BoundedOutput {
  readonly bytesMax: number;
  #buffer: Uint8Array;
  #length = 0;

  constructor(bytesMax: number, expectedBytes: number) {
    this.bytesMax = bytesMax;
    this.#buffer = new Uint8Array(Math.min(bytesMax, expectedBytes));
  }

  get length(): number {
    return this.#length;
  }

  /** The bytes written so far. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Makes room for `bytes` more. Throws if they would exceed `bytesMax`. */
  reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    if (needed > this.bytesMax) {
      throw new WireError('decompressed-size', `Compressed bytes become more than ${this.bytesMax} bytes.`);
    }
    const grown = new Uint8Array(Math.min(this.bytesMax, Math.max(needed, this.#buffer.length * 2)));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }

  /** Appends `source[start, end)`. */
  literal(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.reserve(length);
    const buffer = this.#buffer;
    let to = this.#length;
    this.#length += length;
    if (length < nativeCopyMin) for (let from = start; from < end; from++) buffer[to++] = source[from]!;
    else buffer.set(source.subarray(start, end), to);
  }

  /** Appends one byte `length` times. */
  repeat(byte: number, length: number): void {
    this.reserve(length);
    this.#buffer.fill(byte, this.#length, this.#length + length);
    this.#length += length;
  }

  /**
   * Appends `length` bytes from `distance` back. If the ranges overlap, bytes just written are read again.
   */
  match(distance: number, length: number): void {
    if (distance <= 0 || distance > this.#length) {
      throw new WireError(
        'bad-compression',
        `A match ${distance} bytes back, where ${this.#length} were written.`,
      );
    }
    this.reserve(length);
    const buffer = this.#buffer;
    let to = this.#length;
    let from = to - distance;
    this.#length += length;
    if (length < nativeCopyMin) {
      for (const end = to + length; to < end;) buffer[to++] = buffer[from++]!;
      return;
    }
    // Every turn doubles the bytes already written.
    let left = length;
    for (let run = distance; left > 0; run *= 2) {
      const count = Math.min(run, left);
      buffer.copyWithin(to, from, from + count);
      to += count;
      left -= count;
    }
  }
}
