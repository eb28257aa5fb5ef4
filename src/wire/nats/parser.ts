import { Arguments } from './arguments.ts';
import { WireError } from './errors.ts';
import { Frame, type Handlers, type Verb } from './frame.ts';

/** Limits on the parts of a frame, in bytes. */
export interface ParserLimits {
  /** The arguments of a verb. */
  readonly controlLineBytesMax: number;
  /** A payload with its headers. */
  readonly payloadBytesMax: number;
}

/** Where a parser gets memory for large unfinished frames from. */
export interface FrameMemory {
  /** At least `bytes` bytes, and up to `wanted`. */
  take(bytes: number, wanted: number): Buffer;
  /** The frame is complete, or has moved to a larger buffer. */
  release(buffer: Buffer): void;
  /** The buffer may still be read into. */
  drop(buffer: Buffer): void;
}

const blank = 32;
const tab = 9;
const cr = 13;
const lf = 10;

/**
 * Up to this size, memory for an unfinished frame is allocated at once; beyond it, memory grows as bytes
 * arrive.
 */
const tailBytesMin = 1024;
/** A larger tail buffer is from {@link FrameMemory}, and goes back when its frame is complete. */
const tailBytesKept = 16 * 1024;
/** From this size on the rest of an unfinished frame is worth a read of its own. */
const roomBytesMin = 32 * 1024;

/** The length of an unfinished frame whose control line is not complete. */
const lineUnfinished = 0;

/**
 * A parser turns the bytes of one side of a connection into frames, and passes each to the handler named as
 * its verb.
 *
 * It works in place on the current chunk. Only the bytes of an unfinished frame are kept until the next
 * chunk, in a buffer that grows with the bytes received, up to the known size of the frame. The result does
 * not depend on where chunks are cut.
 *
 * The grammar. Verbs may be in either case, blanks are spaces and tabs, a line ends with LF or CRLF, a
 * payload with CRLF:
 * ```
 * CONNECT {json}            PUB subject [reply] size            SUB subject [queue] sid     PING
 * INFO {json}               HPUB subject [reply] header total   UNSUB sid [max]             PONG
 * +OK                       MSG subject sid [reply] size
 * -ERR 'text'               HMSG subject sid [reply] header total
 * ```
 */
export class Parser<Side extends Verb, Target> {
  readonly #handlers: { readonly [V in Verb]?: (target: Target, frame: Frame) => void };
  readonly #target: Target;
  readonly #lineMax: number;
  readonly #arguments: Arguments;
  readonly #frame = new Frame();
  /** The handler for the payload that follows the current control line. */
  #payloadHandler: (target: Target, frame: Frame) => void = ignore;
  #stopped = false;
  #paused = false;
  /** An unfinished frame, and its length (`lineUnfinished` until its control line is complete). */
  #tail: Buffer = noBytes;
  #tailBytes = 0;
  #needed = lineUnfinished;
  readonly #memory: FrameMemory;

  constructor(
    handlers: Handlers<Side, Target>,
    target: Target,
    limits: ParserLimits,
    memory: FrameMemory = freshMemory,
  ) {
    this.#memory = memory;
    this.#handlers = handlers;
    this.#target = target;
    this.#lineMax = limits.controlLineBytesMax;
    this.#arguments = new Arguments(limits);
  }

  /** Bytes kept of an incomplete frame. */
  get unfinishedBytes(): number {
    return this.#tailBytes;
  }

  /** Ends the parser: no handler is called any more, not even for the rest of the current chunk. */
  stop(): void {
    this.#stopped = true;
    if (this.#tail.length > tailBytesKept) this.#memory.drop(this.#tail);
    this.#tail = noBytes;
    this.#tailBytes = 0;
  }

  /** The buffer of a large frame that is being handled, if it is from {@link FrameMemory}. */
  get large(): Buffer | undefined {
    return this.#tail.length > tailBytesKept ? this.#tail : undefined;
  }

  /**
   * Room for the rest of a large unfinished frame, to be read into instead of a chunk; undefined if there is
   * no such frame. After the read comes {@link filled}, with no {@link parse} in between.
   */
  room(): Buffer | undefined {
    if (this.#stopped || this.#needed - this.#tailBytes < roomBytesMin) return undefined;
    if (this.#tail.length - this.#tailBytes < roomBytesMin) this.#grow(this.#tailBytes + roomBytesMin);
    return this.#tail.subarray(this.#tailBytes, Math.min(this.#needed, this.#tail.length));
  }

  /** So many bytes were read into the {@link room}. Throws as {@link parse} does. */
  filled(bytes: number): void {
    this.#tailBytes += bytes;
    this.#runTail();
    this.#frame.buffer = noBytes;
  }

  /** Calls no handler after the current one, until {@link resume}. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  /**
   * Calls the handlers of all frames that are complete. Returns the number of bytes consumed. If a handler
   * has paused the parser there may be more; the caller passes the rest again. Throws a WireError for invalid
   * bytes; the parser is unusable then.
   */
  parse(chunk: Buffer): number {
    let position = 0;
    while (this.#tailBytes > 0 && position < chunk.length && !this.#stopped && !this.#paused)
      position = this.#continueTail(chunk, position);
    if (this.#stopped || position === chunk.length) return chunk.length;
    if (this.#paused) return position;
    position = this.#run(chunk, position, chunk.length);
    this.#frame.buffer = noBytes; // an idle connection must not keep the chunk
    if (this.#paused && !this.#stopped) return position;
    if (position < chunk.length && !this.#stopped) this.#appendTail(chunk, position, chunk.length);
    return chunk.length;
  }

  /** Adds bytes of the chunk to the unfinished frame. Returns the position in the chunk after them. */
  #continueTail(chunk: Buffer, position: number): number {
    let end: number;
    if (this.#needed === lineUnfinished) {
      const lineEnd = chunk.indexOf(lf, position) + 1;
      // A line that never ends is detected by its length, once the longest allowed one is here.
      const bytesMax = this.#lineMax + 16 - this.#tailBytes;
      end = Math.min(lineEnd > 0 ? lineEnd : chunk.length, position + Math.max(1, bytesMax));
    } else {
      end = Math.min(chunk.length, position + this.#needed - this.#tailBytes);
    }
    this.#appendTail(chunk, position, end);
    this.#runTail();
    return end;
  }

  /** Handles the frame in the tail, if it is complete. */
  #runTail(): void {
    // Without the last byte it can be seen already whether the payload ends where it should.
    if (this.#needed !== lineUnfinished && this.#tailBytes < this.#needed - 1) return;
    const done = this.#run(this.#tail, 0, this.#tailBytes);
    if (done === 0) return;
    this.#tailBytes = 0;
    this.#needed = lineUnfinished;
    if (this.#tail.length <= tailBytesKept) return;
    this.#memory.release(this.#tail);
    this.#tail = noBytes;
  }

  #appendTail(chunk: Buffer, start: number, end: number): void {
    const bytes = this.#tailBytes + end - start;
    if (bytes > this.#tail.length) this.#grow(bytes);
    chunk.copy(this.#tail, this.#tailBytes, start, end);
    this.#tailBytes = bytes;
  }

  #grow(bytes: number): void {
    const room = Math.max(tailBytesMin, bytes, Math.min(this.#needed || this.#lineMax, bytes * 2));
    const before = this.#tail;
    this.#tail =
      room > tailBytesKept
        ? this.#memory.take(bytes, Math.max(room, this.#needed))
        : Buffer.allocUnsafeSlow(room);
    before.copy(this.#tail, 0, 0, this.#tailBytes);
    if (before.length > tailBytesKept) this.#memory.release(before);
  }

  /** Handles the complete frames in a range. Returns the start of the first incomplete one. */
  #run(buffer: Buffer, start: number, end: number): number {
    const frame = this.#frame;
    frame.buffer = buffer;
    let position = start;
    // The control line of the previous publish in this buffer. Publishers mostly repeat it, and comparing a
    // line is cheaper than parsing it.
    let lastLine = -1;
    let lineBytes = 0;
    while (position < end && !this.#stopped && !this.#paused) {
      if (lastLine >= 0 && position + lineBytes <= end && sameBytes(buffer, lastLine, position, lineBytes)) {
        // Subject, reply and sid stay where they are: the same bytes in the same buffer.
        const by = position - lastLine;
        frame.payloadStart += by;
        frame.payloadEnd += by;
        if (frame.commonStart >= 0) frame.commonStart += by;
        lastLine = position;
        frame.repeated = true;
      } else {
        const lineEnd = this.#readLine(buffer, position, end);
        if (lineEnd < 0) {
          this.#needed = lineUnfinished;
          return position;
        }
        frame.repeated = false;
        if (frame.payloadStart < 0) {
          // A verb without payload, which has been handled.
          position = lineEnd;
          lastLine = -1;
          continue;
        }
        lastLine = position;
        lineBytes = lineEnd - position;
      }
      const { payloadEnd } = frame;
      if (payloadEnd < end && buffer[payloadEnd] !== cr) throw lostFrame();
      if (payloadEnd + 1 >= end) {
        this.#needed = payloadEnd + 2 - position;
        return position;
      }
      if (buffer[payloadEnd + 1] !== lf) throw lostFrame();
      position = payloadEnd + 2;
      this.#payloadHandler(this.#target, frame);
    }
    return position;
  }

  /**
   * Reads a control line. A verb without payload is handled; for others the frame is filled in. Returns the
   * end of the line, or -1 if it is not complete yet.
   */
  #readLine(buffer: Buffer, start: number, end: number): number {
    this.#frame.payloadStart = -1;
    switch (buffer[start]! | 0x20) {
      case 0x70: // p
        if (start + 1 === end) return -1;
        switch (buffer[start + 1]! | 0x20) {
          case 0x69:
            return this.#readText(buffer, start, end, 'PING');
          case 0x6f:
            return this.#readText(buffer, start, end, 'PONG');
          default:
            return this.#readPublish(buffer, start, end, 'PUB');
        }
      case 0x68: // h
        if (this.#handlers.HPUB) return this.#readPublish(buffer, start, end, 'HPUB');
        return this.#readMessage(buffer, start, end, 'HMSG');
      case 0x6d: // m
        return this.#readMessage(buffer, start, end, 'MSG');
      case 0x73: // s
        return this.#readSubscribe(buffer, start, end);
      case 0x75: // u
        return this.#readUnsubscribe(buffer, start, end);
      case 0x63: // c
        return this.#readText(buffer, start, end, 'CONNECT');
      case 0x69: // i
        return this.#readText(buffer, start, end, 'INFO');
      case 0x2b: // +
        return this.#readText(buffer, start, end, '+OK');
      case 0x2d: // -
        return this.#readText(buffer, start, end, '-ERR');
      default:
        return unknownVerb();
    }
  }

  #readPublish(buffer: Buffer, start: number, end: number, verb: 'PUB' | 'HPUB'): number {
    const lineEnd = this.#readArguments(buffer, start, end, verb);
    if (lineEnd < 0) return -1;
    this.#arguments.publish(buffer, lineEnd, verb === 'HPUB', this.#frame);
    this.#payloadHandler = this.#handlers[verb]!;
    return lineEnd;
  }

  #readMessage(buffer: Buffer, start: number, end: number, verb: 'MSG' | 'HMSG'): number {
    const lineEnd = this.#readArguments(buffer, start, end, verb);
    if (lineEnd < 0) return -1;
    this.#arguments.message(buffer, lineEnd, verb === 'HMSG', this.#frame);
    this.#payloadHandler = this.#handlers[verb]!;
    return lineEnd;
  }

  #readSubscribe(buffer: Buffer, start: number, end: number): number {
    const lineEnd = this.#readArguments(buffer, start, end, 'SUB');
    if (lineEnd < 0) return -1;
    this.#arguments.subscribe(this.#frame);
    this.#handlers.SUB!(this.#target, this.#frame);
    return lineEnd;
  }

  #readUnsubscribe(buffer: Buffer, start: number, end: number): number {
    const lineEnd = this.#readArguments(buffer, start, end, 'UNSUB');
    if (lineEnd < 0) return -1;
    this.#arguments.unsubscribe(buffer, this.#frame);
    this.#handlers.UNSUB!(this.#target, this.#frame);
    return lineEnd;
  }

  /** Reads a verb with free text, or without arguments. */
  #readText(buffer: Buffer, start: number, end: number, verb: TextVerb): number {
    if (verb === '-ERR') {
      if (!this.#isHere(buffer, start, end, verb) || !isSetOff(buffer, start + verb.length, end)) return -1;
    } else if (!this.#isHere(buffer, start, end, verb)) {
      return -1;
    }
    const lineEnd = this.#arguments.split(buffer, start + verb.length, end);
    if (lineEnd < 0) return -1;
    this.#arguments.text(buffer, lineEnd, this.#frame);
    this.#handlers[verb]!(this.#target, this.#frame);
    return lineEnd;
  }

  /**
   * Splits the arguments of a verb that needs some. Returns the end of the line, or -1 if it is not complete
   * yet.
   */
  #readArguments(buffer: Buffer, start: number, end: number, verb: Verb): number {
    if (!this.#isHere(buffer, start, end, verb)) return -1;
    const from = start + verb.length;
    return isSetOff(buffer, from, end) ? this.#arguments.split(buffer, from + 1, end) : -1;
  }

  /** Whether the whole verb is here. Throws if it is another verb, or one that this side does not send. */
  #isHere(buffer: Buffer, start: number, end: number, verb: Verb): boolean {
    if (this.#handlers[verb] === undefined) unknownVerb();
    const length = verb.length;
    for (let i = 0; i < length; i++) {
      if (start + i >= end) return false;
      const expected = verb.charCodeAt(i);
      const byte = buffer[start + i]!;
      if (byte !== expected && !(expected >= 0x41 && byte === (expected | 0x20))) unknownVerb();
    }
    return true;
  }
}

type TextVerb = 'CONNECT' | 'INFO' | 'PING' | 'PONG' | '+OK' | '-ERR';

const noBytes = Buffer.alloc(0);

function ignore(): void {
  // no verb with a payload has been read yet
}

/** Whether a blank separates the verb from its arguments. False if that byte is not here yet. */
function isSetOff(buffer: Buffer, at: number, end: number): boolean {
  if (at >= end) return false;
  const byte = buffer[at];
  if (byte !== blank && byte !== tab) unknownVerb();
  return true;
}

/**
 * Compares from the end: the lines of one publisher differ in their size or the last token of a reply, if at
 * all.
 */
function sameBytes(buffer: Buffer, one: number, other: number, length: number): boolean {
  for (let i = length - 1; i >= 0; i--) if (buffer[one + i] !== buffer[other + i]) return false;
  return true;
}

function unknownVerb(): never {
  throw new WireError('unknown-operation', 'This is no verb of the NATS protocol.');
}

function lostFrame(): WireError {
  return new WireError('unknown-operation', 'A payload must end with CRLF exactly where its size says.');
}

/** New memory for each frame, in proportion to the bytes that have come. */
const freshMemory: FrameMemory = {
  take: (bytes, wanted) => Buffer.allocUnsafeSlow(Math.max(bytes, Math.min(wanted, bytes * 2))),
  release: () => undefined,
  drop: () => undefined,
};
