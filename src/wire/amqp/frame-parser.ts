import { readU16, readU32 } from '../../util/index.ts';
import { WireError } from './errors.ts';

/** The types of frames. */
export const FrameType = { method: 1, header: 2, body: 3, heartbeat: 8 } as const;

/** The octet at the end of every frame. */
export const frameEnd = 0xce;
/** The bytes before the payload of a frame: `type:u8 channel:u16 size:u32`. */
export const frameHeadBytes = 7;
/** All bytes of a frame besides its payload. */
export const frameOverheadBytes = 8;
/** The bytes with which a client begins. */
export const protocolHeader: Buffer = Buffer.from('AMQP\x00\x00\x09\x01', 'latin1');

/** Takes the frames of a connection. Ranges of a buffer are valid only during the call. */
export interface FrameSink {
  /** The client has begun with the protocol header. */
  begun(): void;
  method(channel: number, buffer: Buffer, start: number, end: number): void;
  header(channel: number, buffer: Buffer, start: number, end: number): void;
  /** A piece of a body: a body frame, or the part of one that has arrived. */
  body(channel: number, buffer: Buffer, start: number, end: number): void;
  heartbeat(channel: number): void;
}

const noBytes = Buffer.alloc(0);
const tailBytesMin = 256;

/**
 * A frame parser cuts the bytes of a client into frames, which it hands to its sink.
 *
 * ```
 * input => protocolHeader frame*        frame => type:u8 channel:u16 size:u32 payload end:u8
 * ```
 * Frames are ranges of the chunk that they came in. A frame that spans chunks is kept in a buffer that grows
 * with the bytes received; the pieces of a body are handed on as they come.
 */
export class FrameParser {
  /** The largest frame, with its overhead. */
  frameBytesMax: number;
  readonly #sink: FrameSink;
  /** The start of a frame from earlier chunks. */
  #tail: Buffer = noBytes;
  #tailBytes = 0;
  #hasBegun = false;
  #isPaused = false;
  /** Bytes of the current body frame that are yet to come; -1 outside of body frames. */
  #bodyLeft = -1;
  #bodyChannel = 0;

  constructor(sink: FrameSink, frameBytesMax: number) {
    this.#sink = sink;
    this.frameBytesMax = frameBytesMax;
  }

  /** Bytes kept of an unfinished frame. */
  get pendingBytes(): number {
    return this.#tailBytes;
  }

  /** Makes {@link parse} return after the current frame, until {@link resume}. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
  }

  /**
   * Parses a chunk; returns the number of bytes that were used, which is all of them unless the parser was
   * paused. Throws a WireError; the input is unusable then.
   */
  parse(chunk: Buffer): number {
    let at = 0;
    while (at < chunk.length && !this.#isPaused) {
      if (this.#bodyLeft >= 0) at = this.#continueBody(chunk, at);
      else if (!this.#hasBegun) at = this.#begin(chunk, at);
      else if (this.#tailBytes > 0) at = this.#finishTail(chunk, at);
      else at = this.#cut(chunk, at);
    }
    return at;
  }

  #begin(chunk: Buffer, at: number): number {
    const next = this.#keepUpTo(protocolHeader.length, chunk, at);
    const known = this.#tail.subarray(0, this.#tailBytes);
    if (!known.equals(protocolHeader.subarray(0, known.length)))
      throw new WireError('protocol-header', 'The client does not begin with AMQP 0-9-1.');
    if (known.length < protocolHeader.length) return next;
    this.#forgetTail();
    this.#hasBegun = true;
    this.#sink.begun();
    return next;
  }

  /** Hands on the frame that begins at `at`, or keeps its start. */
  #cut(chunk: Buffer, at: number): number {
    const left = chunk.length - at;
    if (left < frameHeadBytes) return this.#keepUpTo(frameHeadBytes, chunk, at);
    const size = this.#sizeOf(chunk, at);
    if (chunk[at] === FrameType.body) return this.#beginBody(chunk, at, size);
    const bytes = size + frameOverheadBytes;
    if (left < bytes) return this.#keepUpTo(bytes, chunk, at);
    this.#handOn(chunk, at, size);
    return at + bytes;
  }

  /** Continues the unfinished frame with bytes of the chunk. */
  #finishTail(chunk: Buffer, at: number): number {
    let next = this.#keepUpTo(frameHeadBytes, chunk, at);
    if (this.#tailBytes < frameHeadBytes) return next;
    const tail = this.#tail;
    const size = this.#sizeOf(tail, 0);
    if (tail[0] === FrameType.body) {
      this.#beginBody(tail, 0, size);
      this.#forgetTail();
      return next;
    }
    const bytes = size + frameOverheadBytes;
    next = this.#keepUpTo(bytes, chunk, next);
    if (this.#tailBytes < bytes) return next;
    const frame = this.#tail;
    this.#forgetTail();
    this.#handOn(frame, 0, size);
    return next;
  }

  #handOn(buffer: Buffer, at: number, size: number): void {
    const start = at + frameHeadBytes;
    const end = start + size;
    checkEnd(buffer[end]!);
    const channel = readU16(buffer, at + 1);
    switch (buffer[at]) {
      case FrameType.method:
        return this.#sink.method(channel, buffer, start, end);
      case FrameType.header:
        return this.#sink.header(channel, buffer, start, end);
      default:
        return this.#sink.heartbeat(channel);
    }
  }

  #beginBody(buffer: Buffer, at: number, size: number): number {
    this.#bodyChannel = readU16(buffer, at + 1);
    this.#bodyLeft = size;
    return at + frameHeadBytes;
  }

  #continueBody(chunk: Buffer, at: number): number {
    const bytes = Math.min(this.#bodyLeft, chunk.length - at);
    const end = at + bytes;
    // A piece is handed on with the end of its frame where that has arrived, so that the sink can be told to
    // pause between two frames only.
    const isWhole = bytes === this.#bodyLeft && end < chunk.length;
    if (isWhole) checkEnd(chunk[end]!);
    this.#bodyLeft = isWhole ? -1 : this.#bodyLeft - bytes;
    if (bytes > 0) this.#sink.body(this.#bodyChannel, chunk, at, end);
    return isWhole ? end + 1 : end;
  }

  #sizeOf(buffer: Buffer, at: number): number {
    const type = buffer[at]!;
    if (
      type !== FrameType.method &&
      type !== FrameType.header &&
      type !== FrameType.body &&
      type !== FrameType.heartbeat
    )
      throw new WireError('frame-type', `A frame of the unknown type ${type}.`);
    const size = readU32(buffer, at + 3);
    if (size > this.frameBytesMax - frameOverheadBytes)
      throw new WireError(
        'frame-too-large',
        `A frame of ${size} bytes; up to ${this.frameBytesMax - frameOverheadBytes} are allowed.`,
      );
    return size;
  }

  /** Keeps bytes of the chunk until there are `bytes` of the frame; returns the position after them. */
  #keepUpTo(bytes: number, chunk: Buffer, at: number): number {
    const count = Math.min(bytes - this.#tailBytes, chunk.length - at);
    if (count <= 0) return at;
    const needed = this.#tailBytes + count;
    if (needed > this.#tail.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(bytes, needed * 2), tailBytesMin));
      this.#tail.copy(grown, 0, 0, this.#tailBytes);
      this.#tail = grown;
    }
    chunk.copy(this.#tail, this.#tailBytes, at, at + count);
    this.#tailBytes = needed;
    return at + count;
  }

  #forgetTail(): void {
    this.#tail = noBytes;
    this.#tailBytes = 0;
  }
}

function checkEnd(octet: number): void {
  if (octet !== frameEnd) throw new WireError('frame-end', `A frame ends with ${octet}, not ${frameEnd}.`);
}
