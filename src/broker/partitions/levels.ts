import { OffsetSet, type ByteReader, type ByteWriter } from '../../util/index.ts';
import type { Meter } from '../budgets.ts';

/**
 * The levels of a partition: which of its live messages have a priority above 0, and which one. A message of
 * priority 0, the lowest, is in no set and costs nothing.
 */
export class Levels {
  /** The offsets of each level above 0, by level. */
  readonly #sets: (OffsetSet | undefined)[] = [];
  /** The offsets of all these sets. */
  readonly #raised = new OffsetSet();
  readonly #meter: Meter;
  /** No live message below has priority 0, as {@link lowest} found. */
  #plainFrom = 0;

  /** `meter`: charged for the messages with a priority. */
  constructor(meter: Meter) {
    this.#meter = meter;
  }

  /** Number of messages with a priority above 0. */
  get size(): number {
    return this.#raised.size;
  }

  /** The highest level that has had a message. */
  get highest(): number {
    return this.#sets.length - 1;
  }

  /** Number of messages of a level above 0. */
  sizeOf(level: number): number {
    return this.#sets[level]?.size ?? 0;
  }

  /** The level of a message. */
  of(offset: number): number {
    if (this.#raised.size === 0 || !this.#raised.has(offset)) return 0;
    for (let level = this.#sets.length - 1; level > 0; level--)
      if (this.#sets[level]?.has(offset) === true) return level;
    return 0;
  }

  add(offset: number, level: number): void {
    if (!this.#raised.add(offset)) return; // read back a second time
    (this.#sets[level] ??= new OffsetSet()).add(offset);
    this.#meter.set(this.#raised.size);
  }

  /** The lowest offset of a level above 0, at or above `from`. */
  next(level: number, from: number): number | undefined {
    return this.#sets[level]?.nextPresent(from);
  }

  /**
   * The messages that a limit drops first, `count` of them or fewer: those of the lowest level, and of one
   * level the oldest. The live messages are at or above `first` and below `end`, except the holes.
   */
  lowest(count: number, first: number, end: number, holes: OffsetSet): OffsetSet {
    const found = new OffsetSet();
    let at = this.#nextPlain(Math.max(first, this.#plainFrom), holes);
    this.#plainFrom = at;
    for (; at < end && found.size < count; at = this.#nextPlain(at + 1, holes)) found.add(at);
    for (let level = 1; level <= this.highest && found.size < count; level++) {
      let offset = this.next(level, 0);
      for (; offset !== undefined && found.size < count; offset = this.next(level, offset + 1))
        found.add(offset);
    }
    return found;
  }

  /** The lowest offset at or above `from` that has priority 0 and is no hole. */
  #nextPlain(from: number, holes: OffsetSet): number {
    let at = from;
    for (;;) {
      const next = holes.nextAbsent(this.#raised.nextAbsent(at));
      if (next === at) return at;
      at = next;
    }
  }

  /** Messages in `[from, to)` were removed. */
  remove(from: number, to: number): void {
    const lowest = this.#raised.nextPresent(0);
    if (lowest === undefined || lowest >= to) return;
    if (lowest >= from) {
      this.#raised.deleteBelow(to);
      for (const set of this.#sets) set?.deleteBelow(to);
    } else this.#removeEach(from, to);
    this.#meter.set(this.#raised.size);
  }

  #removeEach(from: number, to: number): void {
    for (
      let offset = this.#raised.nextPresent(from);
      offset !== undefined && offset < to;
      offset = this.#raised.nextPresent(offset + 1)
    ) {
      this.#raised.delete(offset);
      for (const set of this.#sets) if (set?.delete(offset) === true) break;
    }
  }

  /** `uvarint highest level; set of each level from 1 on` */
  encode(writer: ByteWriter): void {
    writer.uvarint(this.highest);
    for (let level = 1; level <= this.highest; level++) (this.#sets[level] ?? new OffsetSet()).encode(writer);
  }

  /** Adds the levels that {@link encode} wrote. */
  restore(reader: ByteReader): void {
    const highest = reader.uvarint();
    for (let level = 1; level <= highest; level++)
      for (const [from, to] of OffsetSet.decode(reader).runs())
        for (let offset = from; offset < to; offset++) this.add(offset, level);
  }

  /** Called when the topic is deleted. */
  close(): void {
    this.#meter.close();
  }
}
