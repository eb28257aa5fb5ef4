/** Smaller memory is cheap to allocate and to collect. */
const blockBytesMin = 2 ** 13;
const blockBytesMax = 2 ** 23;
/** Block sizes between two powers of two: a block is at most an eighth larger than the request. */
const sizesPerDoubling = 8;

/**
 * A block pool lends large blocks of memory and reuses those that are returned.
 *
 * Fresh blocks cost a page fault for every 4 KiB, and the engine scans the heap after every 64 MB of them.
 * For a stream of megabytes that costs more than all other work. Returning a block is optional: one that is
 * dropped is collected like any other memory.
 */
export class BlockPool {
  readonly #bytesMin: number;
  readonly #heldBytesMax: number;
  readonly #free = new Map<number, ArrayBufferLike[]>();
  readonly #lent = new WeakSet<ArrayBufferLike>();
  #heldBytes = 0;

  /** `heldBytesMax` limits the bytes of free blocks. */
  constructor(heldBytesMax: number = 2 ** 25, bytesMin: number = blockBytesMin) {
    this.#heldBytesMax = heldBytesMax;
    this.#bytesMin = bytesMin;
  }

  /** Bytes of free blocks. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** A buffer of `bytes` bytes with arbitrary content, taken from a block if it is large enough for one. */
  take(bytes: number): Buffer {
    if (bytes < this.#bytesMin || bytes > blockBytesMax) return Buffer.allocUnsafeSlow(bytes);
    const size = sizeFor(bytes);
    let block = this.#free.get(size)?.pop();
    if (block === undefined) block = Buffer.allocUnsafeSlow(size).buffer;
    else this.#heldBytes -= size;
    this.#lent.add(block);
    return Buffer.from(block, 0, bytes);
  }

  /** Whether the memory is a block on loan from this pool. */
  lent(block: ArrayBufferLike): boolean {
    return this.#lent.has(block);
  }

  /** Takes back a block that is no longer in use. */
  give(block: ArrayBufferLike): void {
    if (!this.#lent.delete(block)) return;
    const size = block.byteLength;
    // Free blocks of sizes that are no longer requested must not keep out those of today.
    if (this.#heldBytes + size > this.#heldBytesMax) this.#empty();
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [block]);
    else free.push(block);
    this.#heldBytes += size;
  }

  #empty(): void {
    this.#free.clear();
    this.#heldBytes = 0;
  }
}

/** The size of the smallest block that holds `bytes` bytes. */
function sizeFor(bytes: number): number {
  const step = 2 ** (31 - Math.clz32(bytes - 1)) / sizesPerDoubling;
  return Math.ceil(bytes / step) * step;
}
