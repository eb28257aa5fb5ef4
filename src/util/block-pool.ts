/** Smaller memory is cheap to make and to collect. */
const blockBytesMin = 2 ** 13;
const blockBytesMax = 2 ** 23;
/** Sizes between two powers of two: a block is at most an eighth larger than what was asked for. */
const sizesPerDoubling = 8;

/**
 * A block pool lends large blocks of memory. Fresh ones cost a fault for every page of 4 KiB, and the engine
 * looks through the heap for every 64 MB of them; in a stream of megabytes that is more than all other work.
 * What comes back is lent again.
 *
 * Nobody has to give a block back: one that is forgotten is collected like any other memory.
 */
export class BlockPool {
  readonly #bytesMin: number;
  readonly #heldBytesMax: number;
  readonly #free = new Map<number, ArrayBufferLike[]>();
  readonly #lent = new WeakSet<ArrayBufferLike>();
  #heldBytes = 0;

  /** `heldBytesMax` is what waits here to be lent, at most. */
  constructor(heldBytesMax: number = 2 ** 25, bytesMin: number = blockBytesMin) {
    this.#heldBytesMax = heldBytesMax;
    this.#bytesMin = bytesMin;
  }

  /** Bytes that wait to be lent. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** So many bytes, of a block where they are worth one, with anything in them. */
  take(bytes: number): Buffer {
    if (bytes < this.#bytesMin || bytes > blockBytesMax) return Buffer.allocUnsafeSlow(bytes);
    const size = sizeFor(bytes);
    let block = this.#free.get(size)?.pop();
    if (block === undefined) block = Buffer.allocUnsafeSlow(size).buffer;
    else this.#heldBytes -= size;
    this.#lent.add(block);
    return Buffer.from(block, 0, bytes);
  }

  /** Whether the memory is a block that this pool lends. */
  lent(block: ArrayBufferLike): boolean {
    return this.#lent.has(block);
  }

  /** Takes back a block that nobody looks at any more. */
  give(block: ArrayBufferLike): void {
    if (!this.#lent.delete(block)) return;
    const size = block.byteLength;
    // Sizes that were wanted once must not keep out those of today.
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

/** The size of the smallest block that holds so many bytes. */
function sizeFor(bytes: number): number {
  const step = 2 ** (31 - Math.clz32(bytes - 1)) / sizesPerDoubling;
  return Math.ceil(bytes / step) * step;
}
