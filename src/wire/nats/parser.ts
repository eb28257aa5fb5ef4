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

/** More arguments than any verb has. */
const argumentsMax = 6;
/** A size has at most so many digits. */
const sizeDigitsMax = 9;
/** Below this, memory for an unfinished frame is had at once; above it grows as bytes come. */
const tailBytesMin = 1024;
/** A tail buffer larger than this is not kept once its frame is done. */
const tailBytesKept = 16 * 1024;

/** What `#run` found at the head of a frame it could not finish. */
const lineUnfinished = 0;

/**
 * A parser turns the bytes of one side of a connection into frames, and hands each to the handler named as its verb.
 *
 * It works in place on the chunk it is given. Only the bytes of an unfinished frame are kept until the next chunk, in a buffer that grows with
 * the bytes received, up to the known size of the frame. Where chunks are cut makes no difference.
 *
 * The grammar, verbs in either case, blanks = spaces and tabs, a line ends with LF or CRLF, a payload with CRLF:
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
  readonly #payloadMax: number;
  readonly #frame = new Frame();
  readonly #starts = new Int32Array(argumentsMax);
  readonly #ends = new Int32Array(argumentsMax);
  #count = 0;
  #stopped = false;
  /** An unfinished frame, and how long it will be (`lineUnfinished` while its control line is not complete). */
  #tail: Buffer = noBytes;
  #tailBytes = 0;
  #needed = lineUnfinished;

  constructor(handlers: Handlers<Side, Target>, target: Target, limits: ParserLimits) {
    this.#handlers = handlers;
    this.#target = target;
    this.#lineMax = limits.controlLineBytesMax;
    this.#payloadMax = limits.payloadBytesMax;
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

  /** Calls the handlers of all frames that are complete now. Throws a WireError when the bytes are no frame; the parser is of no use then. */
  parse(chunk: Buffer): void {
    let position = 0;
    while (this.#tailBytes > 0 && position < chunk.length && !this.#stopped)
      position = this.#continueTail(chunk, position);
    if (this.#stopped || position === chunk.length) return;
    position = this.#run(chunk, position, chunk.length);
    this.#frame.buffer = noBytes; // an idle connection must not keep the chunk
    if (position < chunk.length && !this.#stopped) this.#appendTail(chunk, position, chunk.length);
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
    // The control line of the publish before, in this buffer: publishers mostly repeat it, and a compared line needs no parsing.
    let lastLine = -1;
    let lineBytes = 0;
    while (position < end && !this.#stopped) {
      if (lastLine >= 0 && position + lineBytes <= end && sameBytes(buffer, lastLine, position, lineBytes)) {
        shift(frame, position - lastLine);
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

  #payloadHandler: (target: Target, frame: Frame) => void = ignore;

  /**
   * Reads a control line. Verbs without payload are handled; of the others the frame is filled in.
   * Returns where the line ends, or -1 when its end is not there yet.
   */
  #readLine(buffer: Buffer, start: number, end: number): number {
    const frame = this.#frame;
    frame.payloadStart = -1;
    switch (buffer[start]! | 0x20) {
      case 0x70: // p
        if (start + 1 === end) return -1;
        switch (buffer[start + 1]! | 0x20) {
          case 0x69:
            return this.#readPlain(buffer, start, end, 'PING');
          case 0x6f:
            return this.#readPlain(buffer, start, end, 'PONG');
          default:
            return this.#verb(buffer, start, end, 'PUB')
              ? this.#readPublish(buffer, start + 3, end, false)
              : -1;
        }
      case 0x68: // h
        if (this.#handlers.HPUB)
          return this.#verb(buffer, start, end, 'HPUB')
            ? this.#readPublish(buffer, start + 4, end, true)
            : -1;
        return this.#verb(buffer, start, end, 'HMSG') ? this.#readMessage(buffer, start + 4, end, true) : -1;
      case 0x6d: // m
        return this.#verb(buffer, start, end, 'MSG') ? this.#readMessage(buffer, start + 3, end, false) : -1;
      case 0x73: // s
        return this.#verb(buffer, start, end, 'SUB') ? this.#readSubscribe(buffer, start + 3, end) : -1;
      case 0x75: // u
        return this.#verb(buffer, start, end, 'UNSUB') ? this.#readUnsubscribe(buffer, start + 5, end) : -1;
      case 0x63: // c
        return this.#readPlain(buffer, start, end, 'CONNECT');
      case 0x69: // i
        return this.#readPlain(buffer, start, end, 'INFO');
      case 0x2b: // +
        return this.#readPlain(buffer, start, end, '+OK');
      case 0x2d: // -
        return this.#readPlain(buffer, start, end, '-ERR');
      default:
        return unknownVerb();
    }
  }

  /** Whether the verb is here in full. Throws when it is another one, or one that this side does not say. */
  #verb(buffer: Buffer, start: number, end: number, verb: Verb): boolean {
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

  /**
   * Splits the arguments from `from` to the end of the line into starts, ends and count. Returns where the line ends, or -1 when its
   * end is not there yet.
   */
  #split(buffer: Buffer, from: number, end: number): number {
    const starts = this.#starts;
    const ends = this.#ends;
    const stop = Math.min(end, from + this.#lineMax + 3);
    let count = 0;
    let tokenStart = -1;
    let at = from;
    for (; at < stop; at++) {
      const byte = buffer[at]!;
      if (byte > blank) {
        if (tokenStart < 0) tokenStart = at;
        continue;
      }
      if (byte === blank || byte === tab) {
        if (tokenStart >= 0) {
          if (count < argumentsMax) {
            starts[count] = tokenStart;
            ends[count] = at;
          }
          count++;
          tokenStart = -1;
        }
        continue;
      }
      if (byte === lf) break;
      if (byte === cr && (at + 1 >= stop || buffer[at + 1] === lf)) continue; // the line end begins
      if (tokenStart < 0) tokenStart = at;
    }
    const complete = at < stop;
    const lineEnd = at > from && buffer[at - 1] === cr ? at - 1 : at;
    if (lineEnd - from > this.#lineMax) {
      throw new WireError(
        'control-line-exceeded',
        `A control line has at most ${this.#lineMax} bytes of arguments.`,
      );
    }
    if (!complete) return -1;
    if (tokenStart >= 0) {
      if (count < argumentsMax) {
        starts[count] = tokenStart;
        ends[count] = lineEnd;
      }
      count++;
    }
    this.#count = count;
    return at + 1;
  }

  /** Arguments must be set off from their verb. Whether the byte that does so is here yet. */
  #setOff(buffer: Buffer, at: number, end: number): boolean {
    if (at >= end) return false;
    const byte = buffer[at];
    if (byte !== blank && byte !== tab) unknownVerb();
    return true;
  }

  /** Verbs with free text or none. */
  #readPlain(
    buffer: Buffer,
    start: number,
    end: number,
    verb: 'CONNECT' | 'INFO' | 'PING' | 'PONG' | '+OK' | '-ERR',
  ): number {
    if (!this.#verb(buffer, start, end, verb)) return -1;
    const from = start + verb.length;
    if (verb === '-ERR' && !this.#setOff(buffer, from, end)) return -1;
    const lineEnd = this.#split(buffer, from, end);
    if (lineEnd < 0) return -1;
    const frame = this.#frame;
    const count = Math.min(this.#count, argumentsMax);
    frame.textStart = count > 0 ? this.#starts[0]! : lineEnd;
    frame.textEnd = count > 0 ? this.#lineTextEnd(buffer, lineEnd) : lineEnd;
    this.#handlers[verb]!(this.#target, frame);
    return lineEnd;
  }

  /** Where the text of a line ends, without the blanks and the line end behind it. */
  #lineTextEnd(buffer: Buffer, lineEnd: number): number {
    let end = lineEnd;
    while (buffer[end - 1]! <= blank) end--;
    return end;
  }

  /** `subject [reply] size` or `subject [reply] header total`. */
  #readPublish(buffer: Buffer, from: number, end: number, withHeaders: boolean): number {
    if (!this.#setOff(buffer, from, end)) return -1;
    const lineEnd = this.#split(buffer, from + 1, end);
    if (lineEnd < 0) return -1;
    const frame = this.#frame;
    const starts = this.#starts;
    const ends = this.#ends;
    const count = this.#count;
    const sizes = withHeaders ? 2 : 1;
    const replies = count - 1 - sizes;
    if (replies !== 0 && replies !== 1) badArguments(withHeaders ? 'HPUB' : 'PUB');
    frame.subjectStart = starts[0]!;
    frame.subjectEnd = ends[0]!;
    frame.replyStart = replies === 1 ? starts[1]! : -1;
    frame.replyEnd = replies === 1 ? ends[1]! : -1;
    this.#readSizes(buffer, lineEnd, withHeaders);
    // Single spaces throughout, CRLF, and a header block where there is a size for one.
    const tight = ends[count - 1]! + 2 === lineEnd && (!withHeaders || frame.headerBytes > 0);
    frame.commonStart = tight && this.#singleSpaces(buffer, count) ? starts[1]! : -1;
    this.#payloadHandler = withHeaders ? this.#handlers.HPUB! : this.#handlers.PUB!;
    return lineEnd;
  }

  #singleSpaces(buffer: Buffer, count: number): boolean {
    for (let i = 1; i < count; i++) {
      const start = this.#starts[i]!;
      if (start - this.#ends[i - 1]! !== 1 || buffer[start - 1] !== blank) return false;
    }
    return true;
  }

  /** `subject sid [reply] size` or `subject sid [reply] header total`. */
  #readMessage(buffer: Buffer, from: number, end: number, withHeaders: boolean): number {
    if (!this.#setOff(buffer, from, end)) return -1;
    const lineEnd = this.#split(buffer, from + 1, end);
    if (lineEnd < 0) return -1;
    const frame = this.#frame;
    const replies = this.#count - 2 - (withHeaders ? 2 : 1);
    if (replies !== 0 && replies !== 1) badArguments(withHeaders ? 'HMSG' : 'MSG');
    frame.subjectStart = this.#starts[0]!;
    frame.subjectEnd = this.#ends[0]!;
    frame.sidStart = this.#starts[1]!;
    frame.sidEnd = this.#ends[1]!;
    frame.replyStart = replies === 1 ? this.#starts[2]! : -1;
    frame.replyEnd = replies === 1 ? this.#ends[2]! : -1;
    frame.commonStart = -1;
    this.#readSizes(buffer, lineEnd, withHeaders);
    this.#payloadHandler = withHeaders ? this.#handlers.HMSG! : this.#handlers.MSG!;
    return lineEnd;
  }

  /** The last one or two arguments, and where the payload is by them. */
  #readSizes(buffer: Buffer, lineEnd: number, withHeaders: boolean): void {
    const frame = this.#frame;
    const last = this.#count - 1;
    const total = sizeOf(buffer, this.#starts[last]!, this.#ends[last]!);
    const headerBytes = withHeaders ? sizeOf(buffer, this.#starts[last - 1]!, this.#ends[last - 1]!) : 0;
    if (total < 0 || headerBytes < 0)
      throw new WireError('bad-arguments', 'A payload size is a decimal number.');
    if (headerBytes > total) {
      throw new WireError(
        'bad-arguments',
        `A header block of ${headerBytes} bytes does not fit a payload of ${total}.`,
      );
    }
    if (total > this.#payloadMax) {
      throw new WireError(
        'payload-exceeded',
        `A payload of ${total} bytes is larger than ${this.#payloadMax}.`,
      );
    }
    frame.headerBytes = headerBytes;
    frame.payloadStart = lineEnd;
    frame.payloadEnd = lineEnd + total;
  }

  /** `subject [queue] sid`. */
  #readSubscribe(buffer: Buffer, from: number, end: number): number {
    if (!this.#setOff(buffer, from, end)) return -1;
    const lineEnd = this.#split(buffer, from + 1, end);
    if (lineEnd < 0) return -1;
    const count = this.#count;
    // `SUB` with blanks only has no argument at all; nats-server reads it as an unknown operation.
    if (count !== 2 && count !== 3) badArguments('SUB');
    const frame = this.#frame;
    frame.subjectStart = this.#starts[0]!;
    frame.subjectEnd = this.#ends[0]!;
    frame.queueStart = count === 3 ? this.#starts[1]! : -1;
    frame.queueEnd = count === 3 ? this.#ends[1]! : -1;
    frame.sidStart = this.#starts[count - 1]!;
    frame.sidEnd = this.#ends[count - 1]!;
    this.#handlers.SUB!(this.#target, frame);
    return lineEnd;
  }

  /** `sid [max]`. */
  #readUnsubscribe(buffer: Buffer, from: number, end: number): number {
    if (!this.#setOff(buffer, from, end)) return -1;
    const lineEnd = this.#split(buffer, from + 1, end);
    if (lineEnd < 0) return -1;
    const count = this.#count;
    if (count !== 1 && count !== 2) badArguments('UNSUB');
    const frame = this.#frame;
    frame.sidStart = this.#starts[0]!;
    frame.sidEnd = this.#ends[0]!;
    frame.maxMessages = count === 2 ? Math.max(0, sizeOf(buffer, this.#starts[1]!, this.#ends[1]!)) : 0;
    this.#handlers.UNSUB!(this.#target, frame);
    return lineEnd;
  }
}

const noBytes = Buffer.alloc(0);

function ignore(): void {
  // no payload verb was read yet
}

/** Moves the arguments and the payload of a publish to where the same control line stands again. */
function shift(frame: Frame, by: number): void {
  frame.subjectStart += by;
  frame.subjectEnd += by;
  if (frame.replyStart >= 0) {
    frame.replyStart += by;
    frame.replyEnd += by;
  }
  if (frame.commonStart >= 0) frame.commonStart += by;
  frame.payloadStart += by;
  frame.payloadEnd += by;
}

/** From the end: lines of one publisher differ in their size or the last token of a reply, if at all. */
function sameBytes(buffer: Buffer, one: number, other: number, length: number): boolean {
  for (let i = length - 1; i >= 0; i--) if (buffer[one + i] !== buffer[other + i]) return false;
  return true;
}

/** A decimal number, or -1. */
function sizeOf(buffer: Buffer, start: number, end: number): number {
  if (end - start > sizeDigitsMax || end === start) return -1;
  let size = 0;
  for (let at = start; at < end; at++) {
    const digit = buffer[at]! - 48;
    if (digit < 0 || digit > 9) return -1;
    size = size * 10 + digit;
  }
  return size;
}

function unknownVerb(): never {
  throw new WireError('unknown-operation', 'This is no verb of the NATS protocol.');
}

function lostFrame(): WireError {
  return new WireError('unknown-operation', 'A payload must end with CRLF exactly where its size says.');
}

function badArguments(verb: string): never {
  throw new WireError('bad-arguments', `${verb} has the wrong number of arguments.`);
}
