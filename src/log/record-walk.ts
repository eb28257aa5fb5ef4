import { unzigzag } from '../util/index.ts';

/**
 * A record walk steps through the records of a batch built by a client, looking at lengths only, and counts
 * those that are complete and in order. Code that reads the records later relies on this check.
 */
class RecordWalk {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  /**
   * The number of complete records at the start of `bytes[start, end)`, at most `count`, with offset deltas
   * ascending within `[0, offsets)`.
   */
  count(bytes: Uint8Array, start: number, end: number, count: number, offsets: number): number {
    this.#bytes = bytes;
    this.#at = start;
    let lastDelta = -1;
    for (let whole = 0; whole < count; whole++) {
      this.#end = end;
      const length = this.#varint();
      if (!(length >= 6) || this.#at + length > end) return whole;
      this.#end = this.#at + length;
      this.#at++; // attributes
      this.#varint(); // timestamp
      const delta = this.#varint();
      if (!(delta > lastDelta && delta < offsets)) return whole;
      lastDelta = delta;
      if (!this.#passBlob() || !this.#passBlob() || !this.#passHeaders() || this.#at !== this.#end)
        return whole;
    }
    return count;
  }

  /** Skips a length and its bytes; a length of -1 is null. */
  #passBlob(): boolean {
    const length = this.#varint();
    if (length > 0) this.#at += length;
    return length >= -1;
  }

  #passHeaders(): boolean {
    const count = this.#varint();
    for (let left = count; left > 0; left--) {
      const nameLength = this.#varint();
      if (!(nameLength >= 0)) return false;
      this.#at += nameLength;
      if (!this.#passBlob()) return false;
    }
    return count >= 0;
  }

  /** Returns NaN beyond the end, which makes every comparison false. */
  #varint(): number {
    if (this.#at >= this.#end) return Number.NaN;
    const byte = this.#bytes[this.#at++]!;
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    let value = byte & 0x7f;
    for (let scale = 0x80; this.#at < this.#end && scale <= 2 ** 63; scale *= 0x80) {
      const next = this.#bytes[this.#at++]!;
      value += (next & 0x7f) * scale;
      if (next < 0x80) return unzigzag(value);
    }
    return Number.NaN;
  }
}

const walk = new RecordWalk();

/**
 * The number of complete records at the start of `bytes[start, end)`: at most `count`, with offset deltas
 * ascending within `[0, offsets)`.
 */
export function countWholeRecords(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
  offsets: number,
): number {
  return walk.count(bytes, start, end, count, offsets);
}
