import { corrupt } from './zstd-error.ts';

/** The number of bits that four bytes hold for certain, at any bit position. */
const bitsAtOnceMax = 24;

/**
 * Backward bits are a stream that is read from its end. The highest set bit of the last byte marks the start.
 * Reading past the first byte yields zeros, and {@link left} is negative then.
 */
export class BackwardBits {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  #left: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    const last = end > start ? bytes[end - 1]! : 0;
    if (last === 0) throw corrupt('a bit stream without an end');
    this.#bytes = bytes;
    this.#start = start;
    this.#left = (end - start - 1) * 8 + 31 - Math.clz32(last);
  }

  /** Bits not read yet; negative if more bits were read than there were. */
  get left(): number {
    return this.#left;
  }

  read(count: number): number {
    if (count > bitsAtOnceMax) {
      const high = this.read(count - bitsAtOnceMax);
      return high * 2 ** bitsAtOnceMax + this.read(bitsAtOnceMax);
    }
    const left = (this.#left -= count);
    if (left >= 0) return this.#at(left, count);
    return left + count <= 0 ? 0 : this.#at(0, left + count) << -left;
  }

  #at(bit: number, count: number): number {
    const bytes = this.#bytes;
    const at = this.#start + (bit >>> 3);
    const four = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    return (four >>> (bit & 7)) & ((1 << count) - 1);
  }
}
