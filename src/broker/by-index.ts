/**
 * A sparse list of entries by partition index, in the order of the partitions. A missing entry takes no
 * memory.
 */
export class ByIndex<T> {
  readonly #items: T[] = [];
  readonly #indexes: number[] = [];

  /** The existing entries, by index. A loop that awaits must use a copy, because the list can change. */
  get items(): readonly T[] {
    return this.#items;
  }

  get(index: number): T | undefined {
    const place = this.#placeOf(index);
    return this.#indexes[place] === index ? this.#items[place] : undefined;
  }

  /** Adds an entry for an index that has none yet. */
  add(index: number, item: T): void {
    const place = this.#placeOf(index);
    this.#indexes.splice(place, 0, index);
    this.#items.splice(place, 0, item);
  }

  /**
   * The place of the index in the list, or the place to insert it. The common cases need no search: all
   * entries exist, or the new one goes at the end.
   */
  #placeOf(index: number): number {
    const indexes = this.#indexes;
    if (indexes[index] === index) return index;
    let low = 0;
    let high = indexes.length;
    if (high === 0 || indexes[high - 1]! < index) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (indexes[middle]! < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
