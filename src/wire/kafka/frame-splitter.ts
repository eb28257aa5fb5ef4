import { WireError } from './errors.ts';
import { BlockPool, readI16, readI32 } from '../../util/index.ts';

const noBytes = Buffer.alloc(0);
const sizeBytes = 4;
/** A request begins with the key of its API. */
const headBytes = sizeBytes + 2;
/** Frames from here on get memory of their own when they are copied, so that they keep nothing else alive. */
const ownMemoryMin = 1024;
/** The first memory for an unfinished frame; it grows by `growth` as bytes come. */
const tailBytesMin = 1024;
const growth = 4;
/** Less is not worth a read of its own. */
const roomBytesMin = 2 ** 14;

/**
 * A frame splitter cuts the bytes of one side of a connection into frames: `size:int32 byte*`, the size not
 * counting itself.
 *
 * Frames are views of the chunks they came in, or copies where the chunk is only lent. A frame that is spread
 * over chunks is copied, into a buffer of its own that grows with the bytes received: an announced size alone
 * costs nothing. Its next bytes may be read right there: see {@link room}.
 */
export class FrameSplitter {
  /**
   * Frames announced to be larger are refused; may be changed at any time (a client that has not logged in
   * has little to say).
   */
  frameBytesMax: number;
  readonly #blocks: BlockPool;
  readonly #check: (apiKey: number, bytes: number) => void;
  #chunk: Buffer = noBytes;
  #isLent = false;
  #position = 0;
  /** The beginning of a frame, its size included, from chunks before this one. */
  #tail: Buffer = noBytes;
  #tailBytes = 0;

  /**
   * Large frames that are copied are given memory of `blocks`. `check` is told the API key and the size of
   * each frame as soon as both have come, and throws where a request of that API may not be so large.
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
   * Adds a chunk, which must not change any more, unless it `isLent`: then only until {@link next} has given
   * out all frames of it, which must happen before the next chunk. Frames are fetched by {@link next}, best
   * all before the next chunk.
   */
  push(chunk: Buffer, isLent = false): void {
    const rest = this.#chunk.length - this.#position;
    this.#isLent = isLent;
    this.#chunk = rest === 0 ? chunk : Buffer.concat([this.#chunk.subarray(this.#position), chunk]);
    this.#position = 0;
  }

  /**
   * Where the next bytes of a large frame that has begun belong: who reads them right into it, as many as fit
   * or fewer, calls {@link filled} instead of {@link push}. Undefined while there is no such frame.
   */
  room(): Buffer | undefined {
    if (this.#tailBytes < sizeBytes || this.#position < this.#chunk.length) return undefined;
    if (this.#tailBytes === this.#tail.length) this.#grow(this.#tailBytes + 1);
    const room = this.#tail.subarray(this.#tailBytes);
    return room.length < roomBytesMin ? undefined : room;
  }

  /** So many bytes were read into {@link room}. */
  filled(bytes: number): void {
    this.#tailBytes += bytes;
  }

  /**
   * The next frame without its size, or undefined until there are more bytes. Throws a WireError
   * `frame-size`; the stream is lost then.
   */
  next(): Buffer | undefined {
    return this.#tailBytes > 0 ? this.#finishTail() : this.#cut();
  }

  /** A frame that lies in the chunk at hand. */
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

  /** Adds to the frame begun before what the chunk has of it. */
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
   * Makes room for the frame of which the chunk has the first `bytes`: all of it, if that is in proportion.
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

  /** Gives the tail room for at least so many bytes, and for more in proportion. */
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
