const smallest = 256;
const largest = 2 ** 20;

/**
 * A buffer pool lends buffers with sizes of powers of two, so that building a batch allocates nothing once
 * the pool is warm. Buffers above 1 MiB are allocated and dropped.
 */
export class BufferPool {
  readonly #free: Buffer[][] = [];
  readonly #heldBytesMax: number;
  #heldBytes = 0;

  constructor(heldBytesMax: number = 8 * 2 ** 20) {
    this.#heldBytesMax = heldBytesMax;
  }

  take(bytesMin: number): Buffer {
    if (bytesMin > largest) return Buffer.allocUnsafeSlow(bytesMin);
    const index = sizeClass(bytesMin);
    const buffer = this.#free[index]?.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(smallest << index);
    this.#heldBytes -= buffer.length;
    return buffer;
  }

  /** Takes back a buffer that is no longer in use. */
  give(buffer: Buffer): void {
    if (buffer.length > largest || this.#heldBytes + buffer.length > this.#heldBytesMax) return;
    (this.#free[sizeClass(buffer.length)] ??= []).push(buffer);
    this.#heldBytes += buffer.length;
  }
}

/** Index of the smallest power of two, from 256 on, that holds `bytes`. */
function sizeClass(bytes: number): number {
  return bytes <= smallest ? 0 : 32 - Math.clz32(bytes - 1) - 8;
}
