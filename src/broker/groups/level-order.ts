import type { Levels } from '../partitions/levels.ts';
import type { Ahead } from './ahead.ts';

/**
 * The level order of a position says which message above level 0 is next: the lowest of the highest level
 * that was not delivered yet. When there is none, the message at the cursor is next.
 */
export class LevelOrder {
  /** For each level, an offset below which all its messages were delivered or passed over. */
  #from: number[] = [];
  #level = 0;
  #lowest = Infinity;

  /** The level of the message that was returned last. */
  get level(): number {
    return this.#level;
  }

  /** The lowest offset above level 0 that was not delivered yet, as {@link nextByRank} found. */
  get lowest(): number {
    return this.#lowest;
  }

  /**
   * The offset to deliver before the message at the cursor, if there is one below `end`; it is not taken. It
   * is the same until it is passed, unless one of a higher level came.
   */
  next(levels: Levels, cursor: number, ahead: Ahead | undefined, end: number): number | undefined {
    for (let level = levels.highest; level > 0; level--) {
      const offset = this.#nextOf(level, levels, cursor, ahead);
      if (offset === undefined || offset >= end) continue;
      this.#level = level;
      return offset;
    }
    return undefined;
  }

  /**
   * The same in a topic with ageing: of the next messages of all levels, that of the highest rank. Whether it
   * goes before the message at the cursor depends on the rank of that one.
   */
  nextByRank(
    levels: Levels,
    cursor: number,
    ahead: Ahead | undefined,
    end: number,
    rankOf: (level: number, offset: number) => number,
  ): number | undefined {
    let best: number | undefined;
    let bestRank = -Infinity;
    this.#lowest = Infinity;
    for (let level = 1; level <= levels.highest; level++) {
      const offset = this.#nextOf(level, levels, cursor, ahead);
      if (offset === undefined || offset >= end) continue;
      this.#lowest = Math.min(this.#lowest, offset);
      const rank = rankOf(level, offset);
      if (rank < bestRank) continue;
      best = offset;
      bestRank = rank;
      this.#level = level;
    }
    return best;
  }

  #nextOf(level: number, levels: Levels, cursor: number, ahead: Ahead | undefined): number | undefined {
    if (levels.sizeOf(level) === 0) return undefined;
    let offset = levels.next(level, Math.max(this.#from[level] ?? 0, cursor));
    // Ahead, but not known as passed: it was delivered before a restart.
    while (offset !== undefined && ahead?.has(offset) === true)
      offset = levels.next(level, ahead.stepOver(offset));
    if (offset !== undefined) this.#from[level] = offset;
    return offset;
  }

  /** The message that was returned last is delivered or passed over. */
  pass(offset: number): void {
    this.#from[this.#level] = offset + 1;
  }

  /** The position moved. */
  reset(): void {
    this.#from = [];
  }
}
