import { ByteWriter, textSize, uvarintSize, writeText, writeUvarint } from '../../util/index.ts';
import { stringBytesMax } from './reader.ts';
import { uuidBytes, uuidLength, type Uuid } from './uuid.ts';

/** From this size on, passing bytes to the socket is cheaper than copying them. */
const insertBytesMin = 4096;
/**
 * Output up to this size leaves as a copy, so that the writer keeps its buffer. Larger output takes the
 * buffer along.
 */
const copyBytesMax = 4096;
const startBytes = 1024;
const int64Max = 2 ** 63;
const noBytes = new Uint8Array(0);

/** The content of a records field: one range of bytes, or several batches in order. */
export type RecordsSource = Uint8Array | readonly Uint8Array[];

/**
 * A place where other bytes are inserted into the writer's own output: the output continues to `position`,
 * then with `bytes`, then from `resume` on.
 */
interface Cut {
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly resume: number;
}

/**
 * A writer encodes the primitive types of Kafka's protocol; {@link Reader} has their grammar.
 *
 * Any number of frames are written, each between {@link beginFrame} and {@link endFrame}, and leave together
 * by {@link take}. Large records are not copied: the output is a list of buffers, some of the writer and some
 * of the records, for one vectored write.
 */
export class Writer {
  #bytes = new ByteWriter(startBytes);
  #cuts: Cut[] = [];
  /** Inserted bytes of all cuts. */
  #cutBytes = 0;
  /** The frame being written. */
  #frameStart = 0;
  #frameCuts = 0;
  #frameCutBytes = 0;

  /** Starts a frame and leaves room for its size. */
  beginFrame(): void {
    this.#frameStart = this.#bytes.length;
    this.#frameCuts = this.#cuts.length;
    this.#frameCutBytes = this.#cutBytes;
    this.#bytes.u32(0);
  }

  endFrame(): void {
    const own = this.#bytes.length - this.#frameStart - 4;
    this.#bytes.setU32(this.#frameStart, own + this.#cutBytes - this.#frameCutBytes);
  }

  /** Discards the frame being written. */
  abandonFrame(): void {
    this.#cuts.length = this.#frameCuts;
    this.#cutBytes = this.#frameCutBytes;
    this.#cuts.push({ position: this.#frameStart, bytes: noBytes, resume: this.#bytes.length });
  }

  /** Returns the output in order, and clears the writer. */
  take(): Uint8Array[] {
    const length = this.#bytes.length;
    let own: Buffer;
    if (length <= copyBytesMax) {
      own = this.#bytes.copy();
      this.#bytes.reset(copyBytesMax);
    } else {
      own = this.#bytes.view();
      this.#bytes = new ByteWriter(startBytes);
    }
    if (this.#cuts.length === 0) return length === 0 ? [] : [own];
    const parts: Uint8Array[] = [];
    let start = 0;
    for (const { position, bytes, resume } of this.#cuts) {
      if (position > start) parts.push(own.subarray(start, position));
      if (bytes.length > 0) parts.push(bytes);
      start = resume;
    }
    if (length > start) parts.push(own.subarray(start));
    this.#cuts = [];
    this.#cutBytes = 0;
    return parts;
  }

  bool(value: boolean): void {
    this.#bytes.u8(value ? 1 : 0);
  }

  int8(value: number): void {
    this.#bytes.u8(value);
  }

  int16(value: number): void {
    this.#bytes.i16(value);
  }

  int32(value: number): void {
    this.#bytes.i32(value);
  }

  /** A reader decodes the largest int64 as 2^63, so 2^63 is encoded as that again. */
  int64(value: number): void {
    if (value < int64Max) this.#bytes.i64(value);
    else this.#bytes.u32(0x7fff_ffff).u32(0xffff_ffff);
  }

  float64(value: number): void {
    this.#bytes.f64(value);
  }

  uvarint(value: number): void {
    this.#bytes.uvarint(value);
  }

  uuid(value: Uuid): void {
    if (value.length !== uuidLength)
      throw new TypeError(`A UUID has ${uuidLength} characters of base64url, not "${value}".`);
    const at = this.#bytes.reserve(uuidBytes);
    this.#bytes.buffer.write(value, at, uuidBytes, 'base64url');
  }

  string(value: string | null): void {
    if (value === null) return this.int16(-1);
    const size = checkedTextSize(value);
    this.int16(size);
    this.#text(value, size);
  }

  compactString(value: string | null): void {
    if (value === null) return this.uvarint(0);
    const size = checkedTextSize(value);
    this.uvarint(size + 1);
    this.#text(value, size);
  }

  #text(value: string, size: number): void {
    const at = this.#bytes.reserve(size);
    writeText(this.#bytes.buffer, at, value);
  }

  bytes(value: RecordsSource | null): void {
    if (value === null) return this.int32(-1);
    this.int32(lengthOf(value));
    this.#raw(value);
  }

  compactBytes(value: RecordsSource | null): void {
    if (value === null) return this.uvarint(0);
    this.uvarint(lengthOf(value) + 1);
    this.#raw(value);
  }

  #raw(value: RecordsSource): void {
    if (value instanceof Uint8Array) this.#range(value);
    else for (const range of value) this.#range(range);
  }

  #range(range: Uint8Array): void {
    if (range.length < insertBytesMin) {
      this.#bytes.bytes(range);
      return;
    }
    const position = this.#bytes.length;
    this.#cuts.push({ position, bytes: range, resume: position });
    this.#cutBytes += range.length;
  }

  /** The count of an array; -1 is null. */
  count(count: number): void {
    this.int32(count);
  }

  compactCount(count: number): void {
    this.uvarint(count + 1);
  }

  /**
   * Starts the content of a tagged field, which may not contain records. Returns the argument for {@link
   * endTag}.
   */
  beginTag(tag: number): number {
    this.uvarint(tag);
    return this.#bytes.length;
  }

  /** Inserts the size, which is known now, before the content. */
  endTag(start: number): void {
    const size = this.#bytes.length - start;
    const shift = uvarintSize(size);
    this.#bytes.reserve(shift);
    const buffer = this.#bytes.buffer;
    buffer.copyWithin(start + shift, start, start + size);
    writeUvarint(buffer, start, size);
  }
}

function lengthOf(value: RecordsSource): number {
  if (value instanceof Uint8Array) return value.length;
  let length = 0;
  for (const range of value) length += range.length;
  return length;
}

function checkedTextSize(text: string): number {
  const size = textSize(text);
  if (size > stringBytesMax)
    throw new RangeError(`A string of ${size} bytes: Kafka allows ${stringBytesMax}.`);
  return size;
}
