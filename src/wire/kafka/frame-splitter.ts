import { WireError } from './errors.ts';
import { readI32 } from '../../util/index.ts';

const noBytes = Buffer.alloc(0);
const sizeBytes = 4;
/** Frames from here on get memory of their own when they are copied, so that they keep nothing else alive. */
const ownMemoryMin = 1024;
/** The first memory for an unfinished frame; it grows by `growth` as bytes come. */
const tailBytesMin = 1024;
const growth = 4;

/**
 * A frame splitter cuts the bytes of one side of a connection into frames: `size:int32 byte*`, the size not counting itself.
 *
 * Frames are views of the chunks they came in, or copies where the chunk is only lent. A frame that is spread over chunks is copied, into a buffer of
 * its own that grows with the bytes received: an announced size alone costs nothing.
 */
export class FrameSplitter {
  /** Frames announced to be larger are refused; may be changed at any time (a client that has not logged in has little to say). */
  frameBytesMax: number;
  #chunk: Buffer = noBytes;
  #isLent = false;
  #position = 0;
  /** The beginning of a frame, its size included, from chunks before this one. */
  #tail: Buffer = noBytes;
  #tailBytes = 0;

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax;
  }

  /** Bytes pushed that are not part of a frame returned so far. */
  get pendingBytes(): number {
    return this.#tailBytes + this.#chunk.length - this.#position;
  }

  /**
   * Adds a chunk, which must not change any more, unless it `isLent`: then only until {@link next} has given out all frames of it, which must happen
   * before the next chunk. Frames are fetched by {@link next}, best all before the next chunk.
   */
  push(chunk: Buffer, isLent = false): void {
    const rest = this.#chunk.length - this.#position;
    this.#isLent = isLent;
    this.#chunk = rest === 0 ? chunk : Buffer.concat([this.#chunk.subarray(this.#position), chunk]);
    this.#position = 0;
  }

  /** The next frame without its size, or undefined until there are more bytes. Throws a WireError `frame-size`; the stream is lost then. */
  next(): Buffer | undefined {
    return this.#tailBytes > 0 ? this.#finishTail() : this.#cut();
  }

  /** A frame that lies in the chunk at hand. */
  #cut(): Buffer | undefined {
    const chunk = this.#chunk;
    const start = this.#position;
    if (chunk.length - start >= sizeBytes) {
      const end = start + sizeBytes + this.#checked(readI32(chunk, start));
      if (end <= chunk.length) {
        this.#position = end;
        const frame = chunk.subarray(start + sizeBytes, end);
        return this.#isLent ? copyOf(frame) : frame;
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
    const bytes = sizeBytes + this.#checked(readI32(this.#tail, 0));
    this.#keep(Math.min(bytes - this.#tailBytes, this.#chunk.length - this.#position));
    if (this.#tailBytes < bytes) return undefined;
    const frame = this.#tail.subarray(sizeBytes, bytes);
    this.#tail = noBytes;
    this.#tailBytes = 0;
    return frame;
  }

  /** Makes room for the frame of which the chunk has the first `bytes`: all of it, if that is in proportion. */
  #startTail(bytes: number, frameBytes: number): void {
    this.#tail = Buffer.allocUnsafeSlow(Math.min(frameBytes, Math.max(tailBytesMin, bytes * growth)));
  }

  /** Moves the next bytes of the chunk to the tail. */
  #keep(count: number): void {
    if (count <= 0) return;
    const bytes = this.#tailBytes + count;
    if (bytes > this.#tail.length) {
      const frameBytes = this.#tailBytes >= sizeBytes ? sizeBytes + readI32(this.#tail, 0) : Infinity;
      const grown = Buffer.allocUnsafeSlow(
        Math.max(bytes, Math.min(frameBytes, Math.max(tailBytesMin, bytes * growth))),
      );
      this.#tail.copy(grown, 0, 0, this.#tailBytes);
      this.#tail = grown;
    }
    this.#chunk.copy(this.#tail, this.#tailBytes, this.#position, this.#position + count);
    this.#tailBytes = bytes;
    this.#position += count;
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

function copyOf(bytes: Buffer): Buffer {
  if (bytes.length < ownMemoryMin) return Buffer.from(bytes);
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
