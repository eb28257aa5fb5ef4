import { OffsetSet } from '../../util/index.ts';

const crowdedMin = 1024;

/**
 * The stand-ins of a partition are messages that replaced an earlier one and keep its place: groups deliver
 * them where that one stood. Readers of the log see them where they were appended.
 *
 * ```
 *   offsets   … place (removed) … messages in between … stand-in …
 * ```
 * The place of a stand-in that is itself replaced goes to the next one.
 */
export class StandIns {
  readonly #places = new OffsetSet();
  readonly #byPlace = new Map<number, number>();
  /** Places by the offsets of their stand-ins. */
  readonly #byOffset = new Map<number, number>();
  #crowdedAt = crowdedMin;

  get size(): number {
    return this.#byOffset.size;
  }

  /** Whether there are twice as many as after the last {@link removeWhere}. */
  get isCrowded(): boolean {
    return this.#byOffset.size >= this.#crowdedAt;
  }

  add(offset: number, place: number): void {
    this.#places.add(place);
    this.#byPlace.set(place, offset);
    this.#byOffset.set(offset, place);
  }

  /** The place that a message keeps; its own if it is no stand-in. */
  placeOf(offset: number): number {
    return this.#byOffset.get(offset) ?? offset;
  }

  /** The stand-in of a place. */
  at(place: number): number | undefined {
    return this.#byPlace.get(place);
  }

  /** The lowest place at or above `from`. */
  next(from: number): number | undefined {
    return this.#places.nextPresent(from);
  }

  /** Messages in `[from, to)` were removed. */
  remove(from: number, to: number): void {
    if (to - from < this.#byOffset.size) for (let offset = from; offset < to; offset++) this.#remove(offset);
    else this.removeWhere((offset) => offset >= from && offset < to);
  }

  removeWhere(isGone: (offset: number) => boolean): void {
    for (const offset of this.#byOffset.keys()) if (isGone(offset)) this.#remove(offset);
    this.#crowdedAt = Math.max(crowdedMin, 2 * this.#byOffset.size);
  }

  #remove(offset: number): void {
    const place = this.#byOffset.get(offset);
    if (place === undefined) return;
    this.#byOffset.delete(offset);
    // In the journal, the next stand-in of the place may come before the removal of this one.
    if (this.#byPlace.get(place) !== offset) return;
    this.#byPlace.delete(place);
    this.#places.delete(place);
  }

  entries(): IterableIterator<[offset: number, place: number]> {
    return this.#byOffset.entries();
  }
}
