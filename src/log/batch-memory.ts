import type { BlockPool } from '../util/index.ts';

/**
 * Batch memory is a block of a pool in which batches lie: one that came whole, or a run that was read back.
 * It has holders (the list or cache that it is in; an answer on its way to a socket), and when the last of
 * them has let go, the block is lent again.
 *
 * ```
 *   held by its list ──► dropped ──► nobody holds it ──► back to the pool
 *        │ hold … release: an answer, until it was sent
 *        └ shown to a reader that may keep it for as long as it likes: never back, the garbage collector has it
 * ```
 *
 * That is why only two ways lead to a batch of a partition: `cached` and `load` show it, `borrow` holds it.
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

  /** The memory of bytes, held once; undefined where they lie in no block of the pool. */
  static of(bytes: Uint8Array, pool: BlockPool): BatchMemory | undefined {
    return pool.lent(bytes.buffer) ? new BatchMemory(pool, bytes.buffer) : undefined;
  }

  /** Somebody has it who will not say when he is done. */
  show(): void {
    this.#isShown = true;
  }

  hold(): void {
    this.#holders++;
  }

  /** Each holder lets go once. */
  release(): void {
    if (--this.#holders === 0 && !this.#isShown) this.#pool.give(this.#block);
  }
}
