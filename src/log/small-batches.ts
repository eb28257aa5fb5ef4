import type { BlockPool } from '../util/index.ts';
import type { BufferPool } from './buffer-pool.ts';

const slabBytes = 2 ** 14;
const smallBytesMax = 2 ** 12;

/**
 * Gives batches that stay in memory a buffer of their own.
 *
 * A batch that nearly fills the buffer it was built in keeps it. A smaller one is copied, and the smallest
 * ones share slabs with neighbours of the same time, which will be dropped at about the same time too.
 */
export class SmallBatches {
  readonly #blocks: BlockPool;
  #slab: Buffer = Buffer.alloc(0);
  #used = 0;

  constructor(blocks: BlockPool) {
    this.#blocks = blocks;
  }

  /** The first `length` bytes of a pooled buffer, which goes back to the pool or becomes the batch's. */
  settle(buffer: Buffer, length: number, pool: BufferPool): Buffer {
    if (length * 4 >= buffer.length * 3) return buffer.subarray(0, length);
    const own = this.#take(length);
    buffer.copy(own, 0, 0, length);
    pool.give(buffer);
    return own;
  }

  copy(bytes: Uint8Array): Buffer {
    const own = this.#take(bytes.length);
    own.set(bytes);
    return own;
  }

  #take(length: number): Buffer {
    if (length > smallBytesMax) return this.#blocks.take(length);
    if (this.#used + length > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(slabBytes);
      this.#used = 0;
    }
    return this.#slab.subarray(this.#used, (this.#used += length));
  }
}
