import { readI32, readI64, writeI64, writeU32 } from '../util/index.ts';
import { offsetIndexEntryBytes, timeIndexEntryBytes } from './format.ts';

/**
 * An offset index says, for some batches of a segment, at which position they start: Kafka's sparse index, an
 * entry per so many bytes.
 *
 * An entry is the last offset of a batch, relative to the segment's base, and the batch's position. Both
 * rise. The file is a cache: never synced, checked against the batch it leads to whenever it is used, and
 * made anew from the segment when it is wrong.
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

  /** Adds an entry; false when it does not lie beyond the last one. */
  add(relativeOffset: number, position: number): boolean {
    const last = this.length - 1;
    if (last >= 0 && (relativeOffset <= this.#offsets[last]! || position <= this.#positions[last]!))
      return false;
    this.#offsets.push(relativeOffset);
    this.#positions.push(position);
    return true;
  }

  /** Index of the last entry whose offset is `relativeOffset` or less; -1 when there is none. */
  floor(relativeOffset: number): number {
    return floorOf(this.#offsets, relativeOffset);
  }

  /** Index of the last entry at or before `position`; -1 when there is none. */
  floorOfPosition(position: number): number {
    return floorOf(this.#positions, position);
  }

  /** Forgets the entries from `length` on. */
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

  /** Takes entries as long as they rise and lie within the segment. */
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
 * A time index says by which offset of a segment a timestamp had been reached: Kafka's, an entry of the
 * latest timestamp so far and the last offset of the batch that has it, relative to the segment's base. Both
 * rise.
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

  /** Adds an entry, unless it says nothing new. */
  add(timestampMs: number, relativeOffset: number): boolean {
    const last = this.length - 1;
    if (last >= 0 && (timestampMs <= this.#timestampsMs[last]! || relativeOffset <= this.#offsets[last]!))
      return false;
    this.#timestampsMs.push(timestampMs);
    this.#offsets.push(relativeOffset);
    return true;
  }

  /**
   * Index of the last entry with a time before `timestampMs`; -1 when there is none. Everything up to its
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

/** Index of the last of the rising `values` that is `wanted` or less; -1 when there is none. */
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
