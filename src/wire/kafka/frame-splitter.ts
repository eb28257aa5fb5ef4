import { WireError } from './errors.ts';
import { BlockPool, readI16, readI32 } from '../../util/index.ts';

const noBytes = Buffer.alloc(0);
const sizeBytes = 4;
/** The size and the API key, which start every request. */
const headBytes = sizeBytes + 2;
/**
 * When frames of this size or more are copied, they get memory of their own, so that they keep no other
 * memory alive.
 */
const ownMemoryMin = 1024;
/** The initial memory for an unfinished frame; it grows by `growth` as bytes arrive. */
const tailBytesMin = 1024;
const growth = 4;
/** The least free room that is worth a read of its own. */
const roomBytesMin = 2 ** 14;

/**
 * A frame splitter cuts the bytes of one side of a connection into frames: `size:int32 byte*`, where the size
 * does not count itself.
 *
 * Frames are views of the chunks they came in, or copies if the chunk is only lent. A frame that spans chunks
 * is copied into a buffer of its own. The buffer grows with the bytes received, so an announced size alone
 * costs nothing. The next bytes can be read directly into it: see {@link room}.
 */
export class FrameSplitter {
  /**
   * Larger frames are refused. May be changed at any time: a client that has not logged in needs only small
   * ones.
   */
  frameBytesMax: number;
  readonly #blocks: BlockPool;
  readonly #check: (apiKey: number, bytes: number) => void;
  #chunk: Buffer = noBytes;
  #isLent = false;
  #position = 0;
  /** The start of a frame from earlier chunks, its size included. */
  #tail: Buffer = noBytes;
  #tailBytes = 0;

  /**
   * Large frames that are copied get memory from `blocks`. `check` is called with the API key and the size of
   * each frame as soon as both are known, and throws if a request of that API may not be so large.
   */
  constructor(
    frameBytesMax: number,
    blocks: BlockPool = new BlockPool(0),
    check: (apiKey: number, bytes: number) => void = () => {},
  ) {
    this.frameBytesMax = frameBytesMax;
    this.#blocks = blocks;
    this.#check = check;
  }

  /** Bytes pushed that are not part of a frame returned so far. */
  get pendingBytes(): number {
    return this.#tailBytes + this.#chunk.length - this.#position;
  }

  /**
   * Adds a chunk. The chunk must not change any more. If it `isLent`, that holds only until {@link next} has
   * returned all frames of it, which must happen before the next chunk.
   */
  push(chunk: Buffer, isLent = false): void {
    const rest = this.#chunk.length - this.#position;
    this.#isLent = isLent;
    this.#chunk = rest === 0 ? chunk : Buffer.concat([this.#chunk.subarray(this.#position), chunk]);
    this.#position = 0;
  }

  /**
   * Room for the next bytes of a large frame that has started, undefined if there is no such frame. A caller
   * may read bytes directly into it, as many as fit or fewer, and then call {@link filled} instead of {@link
   * push}.
   */
  room(): Buffer | undefined {
    if (this.#tailBytes < sizeBytes || this.#position < this.#chunk.length) return undefined;
    if (this.#tailBytes === this.#tail.length) this.#grow(this.#tailBytes + 1);
    const room = this.#tail.subarray(this.#tailBytes);
    return room.length < roomBytesMin ? undefined : room;
  }

  /** Adds `bytes` bytes that were read into {@link room}. */
  filled(bytes: number): void {
    this.#tailBytes += bytes;
  }

  /**
   * The next frame without its size, or undefined until more bytes arrive. Throws a WireError `frame-size`;
   * the stream is unusable then.
   */
  next(): Buffer | undefined {
    return this.#tailBytes > 0 ? this.#finishTail() : this.#cut();
  }

  /** Cuts a frame out of the current chunk. */
  #cut(): Buffer | undefined {
    const chunk = this.#chunk;
    const start = this.#position;
    if (chunk.length - start >= sizeBytes) {
      const size = this.#checked(readI32(chunk, start));
      const end = start + sizeBytes + size;
      if (size >= 2 && chunk.length - start >= headBytes)
        this.#check(readI16(chunk, start + sizeBytes), size);
      if (end <= chunk.length) {
        this.#position = end;
        const frame = chunk.subarray(start + sizeBytes, end);
        return this.#isLent ? this.#copyOf(frame) : frame;
      }
      this.#startTail(chunk.length - start, end - start);
    }
    this.#keep(chunk.length - start);
    return undefined;
  }

  /** Continues the unfinished frame with bytes of the chunk. */
  #finishTail(): Buffer | undefined {
    if (this.#tailBytes < sizeBytes)
      this.#keep(Math.min(sizeBytes - this.#tailBytes, this.#chunk.length - this.#position));
    if (this.#tailBytes < sizeBytes) return undefined;
    const size = this.#checked(readI32(this.#tail, 0));
    const bytes = sizeBytes + size;
    if (size >= 2 && this.#tailBytes < headBytes) {
      this.#keep(Math.min(headBytes - this.#tailBytes, this.#chunk.length - this.#position));
      if (this.#tailBytes < headBytes) return undefined;
    }
    if (size >= 2) this.#check(readI16(this.#tail, sizeBytes), size);
    this.#keep(Math.min(bytes - this.#tailBytes, this.#chunk.length - this.#position));
    if (this.#tailBytes < bytes) return undefined;
    const frame = this.#tail.subarray(sizeBytes, bytes);
    this.#tail = noBytes;
    this.#tailBytes = 0;
    return frame;
  }

  /**
   * Makes room for a frame of which the chunk has the first `bytes`: for all of it, if that is in proportion.
   */
  #startTail(bytes: number, frameBytes: number): void {
    this.#tail = this.#blocks.take(Math.min(frameBytes, Math.max(tailBytesMin, bytes * growth)));
  }

  /** Moves the next bytes of the chunk to the tail. */
  #keep(count: number): void {
    if (count <= 0) return;
    const bytes = this.#tailBytes + count;
    if (bytes > this.#tail.length) this.#grow(bytes);
    this.#chunk.copy(this.#tail, this.#tailBytes, this.#position, this.#position + count);
    this.#tailBytes = bytes;
    this.#position += count;
  }

  /** Grows the tail by at least `bytes`, and by more in proportion to its size. */
  #grow(bytes: number): void {
    const frameBytes = this.#tailBytes >= sizeBytes ? sizeBytes + readI32(this.#tail, 0) : Infinity;
    const wanted = Math.min(frameBytes, Math.max(tailBytesMin, bytes * growth));
    const outgrown = this.#tail;
    this.#tail = this.#blocks.take(Math.max(bytes, wanted));
    outgrown.copy(this.#tail, 0, 0, this.#tailBytes);
    this.#blocks.give(outgrown.buffer);
  }

  #copyOf(frame: Buffer): Buffer {
    if (frame.length < ownMemoryMin) return Buffer.from(frame);
    const copy = this.#blocks.take(frame.length);
    copy.set(frame);
    return copy;
  }

  #checked(size: number): number {
    if (size < 0 || size > this.frameBytesMax) {
      throw new WireError(
        'frame-size',
        `A frame of ${size} bytes was announced; up to ${this.frameBytesMax} are allowed.`,
      );
    }
    return size;
  }
}
