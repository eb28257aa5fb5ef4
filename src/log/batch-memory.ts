import type { BlockPool } from '../util/index.ts';

/**
 * Batch memory is a block of a pool that contains batches: one that came complete, or a run that was read
 * back. It has holders (the list or cache that contains the batches; an answer on its way to a socket). When
 * the last holder has released it, the block goes back to the pool.
 *
 * ```
 *   held by its list ──► dropped ──► no holder left ──► back to the pool
 *        │ hold … release: an answer, until it was sent
 *        └ shown to a reader that may keep it: never back, left to the garbage collector
 * ```
 *
 * That is why there are only two ways to get a batch of a partition: `cached` and `load` show it, `borrow`
 * holds it.
 */
export class BatchMemory {
  readonly #pool: BlockPool;
  readonly #block: ArrayBufferLike;
  #holders = 1;
  #isShown = false;

  private constructor(pool: BlockPool, block: ArrayBufferLike) {
    this.#pool = pool;
    this.#block = block;
  }

  /** The memory of bytes, with one holder; undefined if they are not in a block of the pool. */
  static of(bytes: Uint8Array, pool: BlockPool): BatchMemory | undefined {
    return pool.lent(bytes.buffer) ? new BatchMemory(pool, bytes.buffer) : undefined;
  }

  /** Marks the memory as used by a reader that will not release it. */
  show(): void {
    this.#isShown = true;
  }

  hold(): void {
    this.#holders++;
  }

  /** To be called once by each holder. */
  release(): void {
    if (--this.#holders === 0 && !this.#isShown) this.#pool.give(this.#block);
  }
}
