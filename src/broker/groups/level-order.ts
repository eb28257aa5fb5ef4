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

  /** The level of the message that {@link next} returned last. */
  get level(): number {
    return this.#level;
  }

  /**
   * The offset to deliver before the message at the cursor, if there is one below `end`; it is not taken. It
   * is the same until it is passed, unless one of a higher level came.
   */
  next(levels: Levels, cursor: number, ahead: Ahead | undefined, end: number): number | undefined {
    for (let level = levels.highest; level > 0; level--) {
      if (levels.sizeOf(level) === 0) continue;
      const from = Math.max(this.#from[level] ?? 0, cursor);
      let offset = levels.next(level, from);
      // Ahead, but not known as passed: it was delivered before a restart.
      while (offset !== undefined && ahead?.has(offset) === true)
        offset = levels.next(level, ahead.stepOver(offset));
      if (offset === undefined) continue;
      this.#from[level] = offset;
      if (offset >= end) continue;
      this.#level = level;
      return offset;
    }
    return undefined;
  }

  /** The message that {@link next} returned last is delivered or passed over. */
  pass(offset: number): void {
    this.#from[this.#level] = offset + 1;
  }

  /** The position moved. */
  reset(): void {
    this.#from = [];
  }
}
