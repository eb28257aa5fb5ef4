import { readI32, readI64, writeI64, writeU32 } from '../util/index.ts';
import { offsetIndexEntryBytes, timeIndexEntryBytes } from './format.ts';

/**
 * An offset index gives the positions of some batches of a segment: Kafka's sparse index, with one entry per
 * interval of bytes.
 *
 * An entry is the last offset of a batch, relative to the segment's base, and the batch's position. Both
 * increase. The file is a cache: it is never synced, an entry is checked against its batch whenever it is
 * used, and a wrong index is rebuilt from the segment.
 */
export class OffsetIndex {
  readonly #offsets: number[] = [];
  readonly #positions: number[] = [];

  get length(): number {
    return this.#offsets.length;
  }

  get lastPosition(): number {
    return this.#positions[this.#positions.length - 1] ?? -1;
  }

  offsetAt(entry: number): number {
    return this.#offsets[entry]!;
  }

  positionAt(entry: number): number {
    return this.#positions[entry]!;
  }

  /** Adds an entry; returns false if it does not lie beyond the last one. */
  add(relativeOffset: number, position: number): boolean {
    const last = this.length - 1;
    if (last >= 0 && (relativeOffset <= this.#offsets[last]! || position <= this.#positions[last]!))
      return false;
    this.#offsets.push(relativeOffset);
    this.#positions.push(position);
    return true;
  }

  /** Index of the last entry with an offset of at most `relativeOffset`; -1 if there is none. */
  floor(relativeOffset: number): number {
    return floorOf(this.#offsets, relativeOffset);
  }

  /** Index of the last entry at or before `position`; -1 if there is none. */
  floorOfPosition(position: number): number {
    return floorOf(this.#positions, position);
  }

  /** Drops the entries from `length` on. */
  truncate(length: number): void {
    this.#offsets.length = length;
    this.#positions.length = length;
  }

  /** The entries from `from` on as bytes. */
  encode(from: number = 0): Uint8Array {
    const bytes = new Uint8Array((this.length - from) * offsetIndexEntryBytes);
    for (let entry = from, at = 0; entry < this.length; entry++, at += offsetIndexEntryBytes) {
      writeU32(bytes, at, this.#offsets[entry]!);
      writeU32(bytes, at + 4, this.#positions[entry]!);
    }
    return bytes;
  }

  /** Reads entries as long as they increase and lie within the segment. */
  static decode(bytes: Uint8Array, segmentBytes: number): OffsetIndex {
    const index = new OffsetIndex();
    for (let at = 0; at + offsetIndexEntryBytes <= bytes.length; at += offsetIndexEntryBytes) {
      const position = readI32(bytes, at + 4);
      if (position < 0 || position >= segmentBytes || !index.add(readI32(bytes, at), position)) break;
    }
    return index;
  }
}

/**
 * A time index tells up to which offset of a segment all timestamps are lower than a given one. It is
 * Kafka's: an entry is the latest timestamp so far and the last offset of its batch, relative to the
 * segment's base. Both increase.
 */
export class TimeIndex {
  readonly #timestampsMs: number[] = [];
  readonly #offsets: number[] = [];

  get length(): number {
    return this.#offsets.length;
  }

  offsetAt(entry: number): number {
    return this.#offsets[entry]!;
  }

  /** Adds an entry, unless it adds no information. */
  add(timestampMs: number, relativeOffset: number): boolean {
    const last = this.length - 1;
    if (last >= 0 && (timestampMs <= this.#timestampsMs[last]! || relativeOffset <= this.#offsets[last]!))
      return false;
    this.#timestampsMs.push(timestampMs);
    this.#offsets.push(relativeOffset);
    return true;
  }

  /**
   * Index of the last entry with a time before `timestampMs`; -1 if there is none. Everything up to its
   * offset is older.
   */
  before(timestampMs: number): number {
    return floorOf(this.#timestampsMs, timestampMs - 1);
  }

  encode(from: number = 0): Uint8Array {
    const bytes = new Uint8Array((this.length - from) * timeIndexEntryBytes);
    for (let entry = from, at = 0; entry < this.length; entry++, at += timeIndexEntryBytes) {
      writeI64(bytes, at, this.#timestampsMs[entry]!);
      writeU32(bytes, at + 8, this.#offsets[entry]!);
    }
    return bytes;
  }

  static decode(bytes: Uint8Array): TimeIndex {
    const index = new TimeIndex();
    for (let at = 0; at + timeIndexEntryBytes <= bytes.length; at += timeIndexEntryBytes) {
      if (!index.add(readI64(bytes, at), readI32(bytes, at + 8))) break;
    }
    return index;
  }
}

/** Index of the last of the increasing `values` that is at most `wanted`; -1 if there is none. */
function floorOf(values: readonly number[], wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
