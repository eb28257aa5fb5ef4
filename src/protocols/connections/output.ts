import type { Socket } from 'node:net';
import type { LivePublisher } from '../../broker/index.ts';
import type { AnswerShare } from './answer-share.ts';
import type { Flusher } from './flusher.ts';
import { segmentBytes } from './segment-pool.ts';

/**
 * The bytes of full segments that are handed to the socket at a time, so that the progress of a slow reader
 * can be seen.
 */
const writeBytesMax = 1024 * 1024;

/** The limits of output that waits for one connection to read it. */
export interface OutputLimits {
  /** Above this, the output overflows and drops further messages. */
  readonly outputBytesMax: number;
  /** Above this, the output is overfull: publishers to it are slowed down. */
  readonly outputBytesHold: number;
  /** Above this, the output is congested: messages that need not be sent now wait. */
  readonly outputBytesCongested: number;
}

interface FilledSegment {
  readonly buffer: Buffer;
  readonly bytes: number;
  /** The large buffer that the bytes are a part of, if they were appended without a copy. */
  readonly large: Buffer | undefined;
}

/**
 * The output of a connection: bytes to be sent, collected in one buffer and written once the input at hand
 * has been handled.
 *
 * ```
 *   reserve ─► segment being filled ─► (queue of full segments) ─► socket
 *                     │ idle socket: written whole, usually at once, and filled again
 *                     │ busy socket: waits until the socket has taken the bytes before
 * ```
 * A caller reserves room and fills `buffer` from the returned position before the next call.
 */
export class Output {
  /** The segment being filled. Valid only until the next {@link reserve}. */
  buffer: Buffer = noBytes;
  #length = 0;
  /** Number of messages since the start. */
  messages = 0;
  /** Publishers must be held back: too many bytes wait. */
  overfull = false;
  /** Messages that can wait should wait: many bytes wait already. */
  congested = false;
  /** When the socket last made progress, or became busy: milliseconds of the clock. */
  busySinceMs = 0;
  overfullSinceMs = 0;

  readonly #socket: Socket;
  readonly #flusher: Flusher;
  readonly #limits: OutputLimits;
  readonly #share: AnswerShare;
  readonly #overflow: () => void;
  #sentBytes = 0;
  #queue: FilledSegment[] = [];
  #queueBytes = 0;
  #inFlight: FilledSegment[] = [];
  #inFlightBytes = 0;
  #closed = false;
  #held: Set<LivePublisher> | undefined = undefined;
  #drained: (() => void)[] = [];

  /**
   * `share` is the connection's part of the room for unread output. `overflow` is called when more bytes wait
   * than the limit allows.
   */
  constructor(
    socket: Socket,
    flusher: Flusher,
    limits: OutputLimits,
    share: AnswerShare,
    overflow: () => void,
  ) {
    this.#share = share;
    this.#socket = socket;
    this.#flusher = flusher;
    this.#limits = limits;
    this.#overflow = overflow;
  }

  /** Bytes that wait to be sent. */
  get pendingBytes(): number {
    return this.#length + this.#queueBytes + this.#inFlightBytes;
  }

  get sentBytes(): number {
    return this.#sentBytes + this.pendingBytes;
  }

  get busy(): boolean {
    return this.#inFlightBytes > 0;
  }

  /** Reserves this many bytes in `buffer`; returns their position. */
  reserve(bytes: number): number {
    const position = this.#length;
    if (position + bytes > this.buffer.length) return this.#reserveInNext(bytes);
    this.#length = position + bytes;
    return position;
  }

  append(bytes: Uint8Array): void {
    const position = this.reserve(bytes.length);
    this.buffer.set(bytes, position);
  }

  /**
   * Appends bytes of a large buffer without a copy: see {@link LargeBuffers}. The output is one of its users
   * until they are sent.
   */
  appendLarge(large: Buffer, start: number, end: number): void {
    if (this.#closed) return;
    const { buffer } = this;
    const filled = this.#length;
    const bytes = end - start;
    const isIdle = !this.busy;
    this.#flusher.large.share(large);
    this.buffer = noBytes;
    this.#length = 0;
    if (isIdle) this.#socket.cork(); // one system call for both
    if (filled > 0) this.#put(buffer, filled, undefined, isIdle);
    this.#put(large.subarray(start, end), bytes, large, isIdle);
    if (isIdle) this.#socket.uncork();
    else this.#checkMarks(0);
  }

  /** Writes the segment to the socket. If the socket is busy, that happens once it no longer is. */
  flush(): void {
    if (this.#length === 0 || this.busy || this.#closed) return;
    const { buffer } = this;
    const bytes = this.#length;
    this.buffer = noBytes;
    this.#length = 0;
    this.#write(buffer, bytes, undefined);
  }

  /** Slows a publisher down until this output has drained. */
  holdBack(publisher: LivePublisher): void {
    this.#held ??= new Set();
    if (this.#held.has(publisher)) return;
    this.#held.add(publisher);
    publisher.hold();
  }

  /** Calls back once, when the output is closed or no longer congested. */
  whenDrained(callback: () => void): void {
    if (this.congested && !this.#closed) this.#drained.push(callback);
    else callback();
  }

  /** Writes everything to the socket, busy or not, and ends it. */
  end(): void {
    if (this.#closed) return;
    this.flush(); // a flush, so that the pool gets the segment back: many connections end with a few bytes
    for (const { buffer, bytes } of this.#queue) this.#socket.write(buffer.subarray(0, bytes));
    if (this.#length > 0) this.#socket.write(this.buffer.subarray(0, this.#length));
    this.#socket.end();
    this.close();
  }

  /** Drops the waiting bytes and releases the publishers held back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#sentBytes += this.pendingBytes;
    this.buffer = noBytes;
    this.#length = 0;
    // The system may still send from those in flight.
    for (const { large } of [...this.#queue, ...this.#inFlight])
      if (large !== undefined) this.#flusher.large.drop(large);
    this.#queue = [];
    this.#queueBytes = 0;
    this.#inFlight = [];
    this.#inFlightBytes = 0;
    this.#flusher.idle(this);
    this.#share.drop();
    this.#settle();
  }

  /** Called when the segment is full, or when there is none. */
  #reserveInNext(bytes: number): number {
    if (this.#length > 0) {
      const { buffer } = this;
      const filled = this.#length;
      this.buffer = noBytes;
      this.#length = 0;
      const isIdle = !this.busy && !this.#closed;
      this.#put(buffer, filled, undefined, isIdle);
      if (!isIdle) this.#checkMarks(bytes);
    } else {
      this.#flusher.add(this);
    }
    this.buffer = bytes <= segmentBytes ? this.#flusher.segments.take() : Buffer.allocUnsafeSlow(bytes);
    this.#length = bytes;
    return 0;
  }

  /** Writes the bytes to the idle socket, or queues them for a busy one. */
  #put(buffer: Buffer, bytes: number, large: Buffer | undefined, isIdle: boolean): void {
    if (isIdle) return this.#write(buffer, bytes, large);
    this.#queue.push({ buffer, bytes, large });
    this.#queueBytes += bytes;
    this.#count();
  }

  #write(buffer: Buffer, bytes: number, large: Buffer | undefined): void {
    const socket = this.#socket;
    socket.write(bytes === buffer.length ? buffer : buffer.subarray(0, bytes), this.#written);
    // Usually the kernel takes all of it during the call: then the segment is free again.
    if (socket.writableLength === 0) {
      this.#sentBytes += bytes;
      this.#give(buffer, large);
      return;
    }
    this.#inFlight.push({ buffer, bytes, large });
    this.#inFlightBytes += bytes;
    this.#flusher.busy(this);
    this.#count();
  }

  /**
   * Reports the waiting bytes to the room, except the segment being filled. Only called while the socket is
   * busy: a reader that keeps up costs nothing.
   */
  #count(): void {
    if (!this.#closed) this.#share.waiting(this.#queueBytes + this.#inFlightBytes, this.#sentBytes);
  }

  /**
   * Called when the socket has taken bytes. One function serves all writes, so that a write allocates none.
   */
  readonly #written = (): void => {
    if (!this.busy || this.#closed || this.#socket.writableLength > 0) return;
    for (const { buffer, large } of this.#inFlight) this.#give(buffer, large);
    this.#sentBytes += this.#inFlightBytes;
    this.#inFlight.length = 0;
    this.#inFlightBytes = 0;
    if (this.#queue.length > 0) this.#writeQueue();
    else this.flush();
    if (this.busy) this.#flusher.busy(this);
    else this.#flusher.idle(this);
    this.#count();
    this.#settle();
  };

  /** The bytes were sent: the buffer is free. */
  #give(buffer: Buffer, large: Buffer | undefined): void {
    if (large === undefined) this.#flusher.segments.give(buffer);
    else this.#flusher.large.release(large);
  }

  #writeQueue(): void {
    const socket = this.#socket;
    let count = 0;
    let bytes = 0;
    while (count < this.#queue.length && (count === 0 || bytes < writeBytesMax))
      bytes += this.#queue[count++]!.bytes;
    const segments = this.#queue.splice(0, count);
    this.#queueBytes -= bytes;
    socket.cork();
    for (const { buffer, bytes, large } of segments) this.#write(buffer, bytes, large);
    socket.uncork();
  }

  /** Raises the marks before `more` bytes are added. */
  #checkMarks(more: number): void {
    if (this.#closed) return;
    const pending = this.pendingBytes + more;
    const limits = this.#limits;
    // While the room is full, a busy output counts as far behind.
    const { isRoomFull } = this.#share;
    if (pending > limits.outputBytesCongested || isRoomFull) this.congested = true;
    if ((pending > limits.outputBytesHold || isRoomFull) && !this.overfull) {
      this.overfull = true;
      this.overfullSinceMs = this.#flusher.nowMs();
    }
    if (pending > limits.outputBytesMax) this.#overflow();
  }

  /** Lowers each mark once the waiting bytes fall below half of its limit, and releases its waiters. */
  #settle(): void {
    const pending = this.pendingBytes;
    if (this.overfull && (this.#closed || pending < this.#limits.outputBytesHold / 2)) {
      this.overfull = false;
      const held = this.#held;
      this.#held = undefined;
      if (held) for (const publisher of held) publisher.release();
    }
    if (this.congested && (this.#closed || pending < this.#limits.outputBytesCongested / 2))
      this.congested = false;
    if (this.congested || this.#drained.length === 0) return;
    const drained = this.#drained;
    this.#drained = [];
    for (const callback of drained) callback();
  }
}

const noBytes = Buffer.alloc(0);
