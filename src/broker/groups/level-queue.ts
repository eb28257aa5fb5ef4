import { Queue } from '../../util/index.ts';

/** An item with a level of priority: 0 or higher. */
interface Leveled {
  readonly level: number;
}

/**
 * A level queue returns the items of the highest level first, and those of one level in the order in which
 * they were added. Without items above level 0 it is a plain queue.
 */
export class LevelQueue<T extends Leveled> extends Queue<T> {
  /** The queues of the levels from 1 on, by level; the last one is not empty. Undefined if all are empty. */
  #raised: (Queue<T> | undefined)[] | undefined = undefined;

  override get size(): number {
    let size = super.size;
    for (const queue of this.#raised ?? []) size += queue?.size ?? 0;
    return size;
  }

  /** The highest level that has an item; 0 if there is none. */
  get level(): number {
    return this.#raised === undefined ? 0 : this.#raised.length - 1;
  }

  override push(item: T): void {
    if (item.level === 0) super.push(item);
    else ((this.#raised ??= [])[item.level] ??= new Queue()).push(item);
  }

  override peek(): T | undefined {
    return this.#raised === undefined ? super.peek() : this.#raised.at(-1)!.peek();
  }

  override shift(): T | undefined {
    if (this.#raised === undefined) return super.shift();
    return this.shiftOf(this.#raised.length - 1);
  }

  /** The first item of a level. */
  peekOf(level: number): T | undefined {
    return level === 0 ? super.peek() : this.#raised?.[level]?.peek();
  }

  shiftOf(level: number): T | undefined {
    if (level === 0) return super.shift();
    const item = this.#raised?.[level]?.shift();
    this.#dropEmpty();
    return item;
  }

  /**
   * The item of the highest rank among the first ones of each level; of equal ones that of the highest level.
   * Drops first items that are of no use.
   */
  best(isUseful: (item: T, level: number) => boolean, rankOf: (item: T) => number): T | undefined {
    let best: T | undefined;
    let bestRank = -Infinity;
    for (let level = this.level; level >= 0; level--) {
      let item = this.peekOf(level);
      for (; item !== undefined && !isUseful(item, level); item = this.peekOf(level)) this.shiftOf(level);
      if (item === undefined) continue;
      const rank = rankOf(item);
      if (best !== undefined && rank <= bestRank) continue;
      best = item;
      bestRank = rank;
    }
    return best;
  }

  /** The levels that have items, from the highest to the lowest. The first item of a level may be taken. */
  *levels(): Iterable<number> {
    for (let level = (this.#raised?.length ?? 0) - 1; level > 0; level--)
      if ((this.#raised?.[level]?.size ?? 0) > 0) yield level;
    if (super.peek() !== undefined) yield 0;
  }

  override clear(): void {
    super.clear();
    this.#raised = undefined;
  }

  #dropEmpty(): void {
    const raised = this.#raised;
    if (raised === undefined) return;
    while (raised.length > 0 && (raised.at(-1)?.size ?? 0) === 0) raised.pop();
    if (raised.length === 0) this.#raised = undefined;
  }
}
