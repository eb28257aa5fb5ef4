/** From this size on a buffer is pooled: in fresh memory each 4 KiB cost a page fault. */
export const largeBytesMin: number = 32 * 1024;

/** Sizes are powers of two, and this much more, so that a frame with a payload of a power of two fits. */
const extraBytes = 4096;
/** Free buffers are kept up to this size altogether. */
const keptBytesMax = 16 * 1024 * 1024;
/** Room for what is still to come, as a multiple of what has come: while little is lent, and otherwise. */
const growth = { fast: 16, slow: 2, lentBytesMax: 32 * 1024 * 1024 } as const;

/**
 * A pool of the large buffers of all connections of a protocol. A large message is put together in one of
 * them, and the outputs of its subscribers send it from there without a copy. A buffer has users, and is free
 * again when the last of them has released it.
 */
export class LargeBuffers {
  /** Free buffers by size. */
  readonly #free = new Map<number, Buffer[]>();
  #freeBytes = 0;
  /** The buffers in use, with the number of their users. */
  readonly #users = new Map<Buffer, number>();
  #lentBytes = 0;

  /** Bytes of the buffers in use. */
  get lentBytes(): number {
    return this.#lentBytes;
  }

  /**
   * A buffer for one user, of at least `bytes` bytes, and up to `wanted` in proportion to them. While all
   * buffers in use take less than 32 MiB, a message of 1 MiB gets all of its room with its first 64 KiB.
   */
  take(bytes: number, wanted: number = bytes): Buffer {
    const factor = this.#lentBytes < growth.lentBytesMax ? growth.fast : growth.slow;
    const size = sizeFor(Math.max(bytes, Math.min(wanted, bytes * factor)));
    const free = this.#free.get(size)?.pop();
    if (free !== undefined) this.#freeBytes -= size;
    const buffer = free ?? Buffer.allocUnsafeSlow(size);
    this.#users.set(buffer, 1);
    this.#lentBytes += size;
    return buffer;
  }

  /** One more user uses the buffer. */
  share(buffer: Buffer): void {
    const users = this.#users.get(buffer);
    if (users !== undefined) this.#users.set(buffer, users + 1);
  }

  /** One user less uses the buffer. */
  release(buffer: Buffer): void {
    const users = this.#users.get(buffer);
    if (users === undefined) return;
    if (users > 1) return void this.#users.set(buffer, users - 1);
    this.drop(buffer);
    const { length } = buffer;
    if (this.#freeBytes + length > keptBytesMax) return;
    this.#freeBytes += length;
    const free = this.#free.get(length);
    if (free === undefined) this.#free.set(length, [buffer]);
    else free.push(buffer);
  }

  /**
   * The buffer is never used again: the system may still read from it, or write to it, for a connection that
   * has ended.
   */
  drop(buffer: Buffer): void {
    if (this.#users.delete(buffer)) this.#lentBytes -= buffer.length;
  }
}

/** The size of the smallest buffer that holds so many bytes. */
function sizeFor(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(largeBytesMin, bytes - extraBytes))) + extraBytes;
}
