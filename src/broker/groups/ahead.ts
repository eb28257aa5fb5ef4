import { OffsetSet, type ByteReader, type ByteWriter } from '../../util/index.ts';

/**
 * The messages at or above a position's cursor that were delivered before their turn. They are pending or
 * done. The cursor steps over them, and they are then forgotten: an offset costs two bits at most.
 *
 * ```
 *   offsets   … pending and done │ cursor … not delivered, with ahead ones in between … │ end
 * ```
 */
export class Ahead {
  readonly #live = new OffsetSet();
  /** Delivered ahead and removed since. Groups with a filter must not count these as removed again. */
  readonly #removed = new OffsetSet();

  /** Number of live messages that are ahead. */
  get size(): number {
    return this.#live.size;
  }

  has(offset: number): boolean {
    return this.#live.has(offset) || this.#removed.has(offset);
  }

  add(offset: number): void {
    this.#live.add(offset);
  }

  /** The lowest offset at or above `cursor` that is not ahead. */
  stepOver(cursor: number): number {
    let at = cursor;
    for (;;) {
      const next = this.#removed.nextAbsent(this.#live.nextAbsent(at));
      if (next === at) return at;
      at = next;
    }
  }

  /** The cursor has passed everything below `cursor`. */
  forgetBelow(cursor: number): void {
    this.#live.deleteBelow(cursor);
    this.#removed.deleteBelow(cursor);
  }

  /** Messages in `[from, to)` were removed from the topic. */
  noteRemoved(from: number, to: number): void {
    const lowest = this.#live.nextPresent(0);
    if (lowest === undefined || lowest >= to) return;
    if (lowest >= from) {
      for (const [start, end] of this.#live.runs()) {
        if (start >= to) break;
        this.#removed.addRange(start, Math.min(end, to));
      }
      this.#live.deleteBelow(to);
      return;
    }
    for (
      let offset = this.#live.nextPresent(from);
      offset !== undefined && offset < to;
      offset = this.#live.nextPresent(offset + 1)
    ) {
      this.#live.delete(offset);
      this.#removed.add(offset);
    }
  }

  /** The live messages, as they are stored. */
  encode(writer: ByteWriter): void {
    this.#live.encode(writer);
  }

  static decode(reader: ByteReader): Ahead {
    const ahead = new Ahead();
    for (const [from, to] of OffsetSet.decode(reader).runs()) ahead.#live.addRange(from, to);
    return ahead;
  }
}
