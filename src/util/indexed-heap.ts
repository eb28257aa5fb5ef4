/** An item of an {@link IndexedHeap} carries its index in the heap, or -1 when it is in none. */
export interface HeapItem {
  heapIndex: number;
}

/**
 * An indexed heap is a binary heap whose items know their index. Any item can be removed, or moved after its
 * key has changed, in O(log n). An item is in at most one heap. Items that compare equal come in no
 * particular order.
 */
export class IndexedHeap<T extends HeapItem> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The least item, which stays in the heap. */
  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    this.#items.push(item);
    this.#up(item, this.#items.length - 1);
  }

  /** Removes the item; does nothing when it is in no heap. */
  remove(item: T): void {
    const at = item.heapIndex;
    if (at < 0) return;
    item.heapIndex = -1;
    const last = this.#items.pop()!;
    if (last === item) return;
    this.#place(last, at);
  }

  /** Moves the item to its new place after its key has changed. */
  moved(item: T): void {
    this.#place(item, item.heapIndex);
  }

  clear(): void {
    for (const item of this.#items) item.heapIndex = -1;
    this.#items.length = 0;
  }

  /** `at` is a gap, or the item's own place. */
  #place(item: T, at: number): void {
    if (at > 0 && this.#before(item, this.#items[(at - 1) >> 1]!)) this.#up(item, at);
    else this.#down(item, at);
  }

  #up(item: T, from: number): void {
    const items = this.#items;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(item, items[parent]!)) break;
      this.#put(items[parent]!, at);
      at = parent;
    }
    this.#put(item, at);
  }

  #down(item: T, from: number): void {
    const items = this.#items;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && this.#before(items[child + 1]!, items[child]!)) child++;
      if (!this.#before(items[child]!, item)) break;
      this.#put(items[child]!, at);
      at = child;
    }
    this.#put(item, at);
  }

  #put(item: T, at: number): void {
    this.#items[at] = item;
    item.heapIndex = at;
  }
}
