import { Arguments } from './arguments.ts';
import { WireError } from './errors.ts';
import { Frame, type Handlers, type Verb } from './frame.ts';

/** How large the parts of a frame may be, in bytes. */
export interface ParserLimits {
  /** The arguments of a verb. */
  readonly controlLineBytesMax: number;
  /** A payload with its headers. */
  readonly payloadBytesMax: number;
}

const blank = 32;
const tab = 9;
const cr = 13;
const lf = 10;

/** Below this, memory for an unfinished frame is had at once; above it grows as bytes come. */
const tailBytesMin = 1024;
/** A tail buffer larger than this is not kept once its frame is done. */
const tailBytesKept = 16 * 1024;

/** How long an unfinished frame will be is known only when its control line is complete. */
const lineUnfinished = 0;

/**
 * A parser turns the bytes of one side of a connection into frames, and hands each to the handler named as
 * its verb.
 *
 * It works in place on the chunk it is given. Only the bytes of an unfinished frame are kept until the next
 * chunk, in a buffer that grows with the bytes received, up to the known size of the frame. Where chunks are
 * cut makes no difference.
 *
 * The grammar, verbs in either case, blanks = spaces and tabs, a line ends with LF or CRLF, a payload with
 * CRLF:
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
  /** What to call for the payload that follows the control line at hand. */
  #payloadHandler: (target: Target, frame: Frame) => void = ignore;
  #stopped = false;
  #paused = false;
  /**
   * An unfinished frame, and how long it will be (`lineUnfinished` while its control line is not complete).
   */
  #tail: Buffer = noBytes;
  #tailBytes = 0;
  #needed = lineUnfinished;

  constructor(handlers: Handlers<Side, Target>, target: Target, limits: ParserLimits) {
    this.#handlers = handlers;
    this.#target = target;
    this.#lineMax = limits.controlLineBytesMax;
    this.#arguments = new Arguments(limits);
  }

  /** Bytes kept of a frame that is not complete. */
  get unfinishedBytes(): number {
    return this.#tailBytes;
  }

  /** No handler is called any more, also for what the chunk at hand still holds. */
  stop(): void {
    this.#stopped = true;
    this.#tail = noBytes;
    this.#tailBytes = 0;
  }

  /** No handler is called after the one at hand, until {@link resume}. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  /**
   * Calls the handlers of all frames that are complete now. Returns how many bytes are done with: fewer than
   * there are only when a handler has paused it, and the rest is to be given again. Throws a WireError when
   * the bytes are no frame; the parser is of no use then.
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

  /** Adds to the unfinished frame what may belong to it; where to go on in the chunk. */
  #continueTail(chunk: Buffer, position: number): number {
    let end: number;
    if (this.#needed === lineUnfinished) {
      const lineEnd = chunk.indexOf(lf, position) + 1;
      // A line that never ends is noticed by its length when the longest allowed one is here.
      const bytesMax = this.#lineMax + 16 - this.#tailBytes;
      end = Math.min(lineEnd > 0 ? lineEnd : chunk.length, position + Math.max(1, bytesMax));
    } else {
      end = Math.min(chunk.length, position + this.#needed - this.#tailBytes);
    }
    this.#appendTail(chunk, position, end);
    // One byte short is enough to see whether the payload ends where it should.
    if (this.#needed !== lineUnfinished && this.#tailBytes < this.#needed - 1) return end;
    const done = this.#run(this.#tail, 0, this.#tailBytes);
    if (done > 0) {
      this.#tailBytes = 0;
      this.#needed = lineUnfinished;
      if (this.#tail.length > tailBytesKept) this.#tail = noBytes;
    }
    return end;
  }

  #appendTail(chunk: Buffer, start: number, end: number): void {
    const bytes = this.#tailBytes + end - start;
    if (bytes > this.#tail.length) {
      const room = Math.max(tailBytesMin, bytes, Math.min(this.#needed || this.#lineMax, bytes * 2));
      const larger = Buffer.allocUnsafeSlow(room);
      this.#tail.copy(larger, 0, 0, this.#tailBytes);
      this.#tail = larger;
    }
    chunk.copy(this.#tail, this.#tailBytes, start, end);
    this.#tailBytes = bytes;
  }

  /** Handles the complete frames in a range; where the first one begins that is not complete. */
  #run(buffer: Buffer, start: number, end: number): number {
    const frame = this.#frame;
    frame.buffer = buffer;
    let position = start;
    // The control line of the publish before, in this buffer: publishers mostly repeat it, and a compared
    // line needs no parsing.
    let lastLine = -1;
    let lineBytes = 0;
    while (position < end && !this.#stopped && !this.#paused) {
      if (lastLine >= 0 && position + lineBytes <= end && sameBytes(buffer, lastLine, position, lineBytes)) {
        // Subject, reply and sid may stay where they are: the same bytes in the same buffer.
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
          // A verb without payload, handled.
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
   * Reads a control line. Verbs without payload are handled; of the others the frame is filled in.
   * Returns where the line ends, or -1 when its end is not there yet.
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

  /** Verbs with free text or none. */
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
   * Splits the arguments of a verb that must have some. Where the line ends, or -1 when it is not complete.
   */
  #readArguments(buffer: Buffer, start: number, end: number, verb: Verb): number {
    if (!this.#isHere(buffer, start, end, verb)) return -1;
    const from = start + verb.length;
    return isSetOff(buffer, from, end) ? this.#arguments.split(buffer, from + 1, end) : -1;
  }

  /** Whether the verb is here in full. Throws when it is another one, or one that this side does not say. */
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
  // no payload verb was read yet
}

/** Arguments must be set off from their verb. False when the byte that does so is not here yet. */
function isSetOff(buffer: Buffer, at: number, end: number): boolean {
  if (at >= end) return false;
  const byte = buffer[at];
  if (byte !== blank && byte !== tab) unknownVerb();
  return true;
}

/** From the end: lines of one publisher differ in their size or the last token of a reply, if at all. */
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
