import { WireError } from './errors.ts';
import type { Frame } from './frame.ts';

const blank = 32;
const tab = 9;
const cr = 13;
const lf = 10;

/** More than the number of arguments of any verb. */
const argumentsMax = 6;
/** The most digits of a size. */
const sizeDigitsMax = 9;

/**
 * The arguments of a control line: where each starts and ends, and how those of each verb are put into a
 * frame.
 *
 * A parser has one instance and splits every line into it.
 */
export class Arguments {
  readonly #starts = new Int32Array(argumentsMax);
  readonly #ends = new Int32Array(argumentsMax);
  readonly #lineMax: number;
  readonly #payloadMax: number;
  #count = 0;

  constructor(limits: { readonly controlLineBytesMax: number; readonly payloadBytesMax: number }) {
    this.#lineMax = limits.controlLineBytesMax;
    this.#payloadMax = limits.payloadBytesMax;
  }

  /**
   * Splits the rest of the line, starting at `from`. Returns the end of the line, or -1 if it is not complete
   * yet.
   */
  split(buffer: Buffer, from: number, end: number): number {
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
      if (byte === cr && (at + 1 >= stop || buffer[at + 1] === lf)) continue; // the line end starts here
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

  /** Free text: from the first argument to the last, with everything between. */
  text(buffer: Buffer, lineEnd: number, frame: Frame): void {
    let end = lineEnd;
    if (this.#count > 0) while (buffer[end - 1]! <= blank) end--;
    frame.textStart = this.#count > 0 ? this.#starts[0]! : lineEnd;
    frame.textEnd = end;
  }

  /** `subject [reply] total` or `subject [reply] header total`. */
  publish(buffer: Buffer, lineEnd: number, withHeaders: boolean, frame: Frame): void {
    const starts = this.#starts;
    const ends = this.#ends;
    const count = this.#count;
    const replies = count - (withHeaders ? 3 : 2);
    if (replies !== 0 && replies !== 1) badArguments(withHeaders ? 'HPUB' : 'PUB');
    frame.subjectStart = starts[0]!;
    frame.subjectEnd = ends[0]!;
    frame.replyStart = replies === 1 ? starts[1]! : -1;
    frame.replyEnd = replies === 1 ? ends[1]! : -1;
    this.#sizes(buffer, lineEnd, withHeaders, frame);
    // Single spaces throughout, CRLF, and a header block if there is a size for one.
    const tight = ends[count - 1]! + 2 === lineEnd && (!withHeaders || frame.headerBytes > 0);
    frame.commonStart = tight && this.#singleSpaces(buffer, count) ? starts[1]! : -1;
  }

  /** `subject sid [reply] total` or `subject sid [reply] header total`. */
  message(buffer: Buffer, lineEnd: number, withHeaders: boolean, frame: Frame): void {
    const replies = this.#count - (withHeaders ? 4 : 3);
    if (replies !== 0 && replies !== 1) badArguments(withHeaders ? 'HMSG' : 'MSG');
    frame.subjectStart = this.#starts[0]!;
    frame.subjectEnd = this.#ends[0]!;
    frame.sidStart = this.#starts[1]!;
    frame.sidEnd = this.#ends[1]!;
    frame.replyStart = replies === 1 ? this.#starts[2]! : -1;
    frame.replyEnd = replies === 1 ? this.#ends[2]! : -1;
    frame.commonStart = -1;
    this.#sizes(buffer, lineEnd, withHeaders, frame);
  }

  /** `subject [queue] sid`. */
  subscribe(frame: Frame): void {
    const count = this.#count;
    if (count !== 2 && count !== 3) badArguments('SUB');
    frame.subjectStart = this.#starts[0]!;
    frame.subjectEnd = this.#ends[0]!;
    frame.queueStart = count === 3 ? this.#starts[1]! : -1;
    frame.queueEnd = count === 3 ? this.#ends[1]! : -1;
    frame.sidStart = this.#starts[count - 1]!;
    frame.sidEnd = this.#ends[count - 1]!;
  }

  /** `sid [max]`; a max that is not a number counts as 0. */
  unsubscribe(buffer: Buffer, frame: Frame): void {
    const count = this.#count;
    if (count !== 1 && count !== 2) badArguments('UNSUB');
    frame.sidStart = this.#starts[0]!;
    frame.sidEnd = this.#ends[0]!;
    frame.maxMessages = count === 2 ? Math.max(0, this.#size(buffer, 1)) : 0;
  }

  /** Reads the last one or two arguments, and finds the payload by them. */
  #sizes(buffer: Buffer, lineEnd: number, withHeaders: boolean, frame: Frame): void {
    const last = this.#count - 1;
    const total = this.#size(buffer, last);
    const headerBytes = withHeaders ? this.#size(buffer, last - 1) : 0;
    if (total < 0 || headerBytes < 0) {
      throw new WireError('bad-arguments', 'A payload size is a decimal number.');
    }
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

  #singleSpaces(buffer: Buffer, count: number): boolean {
    for (let i = 1; i < count; i++) {
      const start = this.#starts[i]!;
      if (start - this.#ends[i - 1]! !== 1 || buffer[start - 1] !== blank) return false;
    }
    return true;
  }

  /** An argument as a decimal number, or -1. */
  #size(buffer: Buffer, index: number): number {
    const start = this.#starts[index]!;
    const end = this.#ends[index]!;
    if (end - start > sizeDigitsMax || end === start) return -1;
    let size = 0;
    for (let at = start; at < end; at++) {
      const digit = buffer[at]! - 48;
      if (digit < 0 || digit > 9) return -1;
      size = size * 10 + digit;
    }
    return size;
  }
}

function badArguments(verb: string): never {
  throw new WireError('bad-arguments', `${verb} has the wrong number of arguments.`);
}
