/**
 * A list of what some of a topic's partitions have, in the order of the partitions: one entry costs memory, a
 * missing one none.
 */
export class ByIndex<T> {
  readonly #items: T[] = [];
  readonly #indexes: number[] = [];

  /** The entries that are there, by index. The list changes under a loop that awaits: loop over a copy. */
  get items(): readonly T[] {
    return this.#items;
  }

  get(index: number): T | undefined {
    const place = this.#placeOf(index);
    return this.#indexes[place] === index ? this.#items[place] : undefined;
  }

  /** Adds the entry of an index that has none yet. */
  add(index: number, item: T): void {
    const place = this.#placeOf(index);
    this.#indexes.splice(place, 0, index);
    this.#items.splice(place, 0, item);
  }

  /**
   * Where the index stands or would stand. The common cases, all there and a next one at the end, take no
   * search.
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
