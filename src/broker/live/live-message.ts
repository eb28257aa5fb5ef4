import { noHeaders, type Header } from '../../log/index.ts';
import { textOf } from '../../util/index.ts';

/**
 * A live message is one message on its way to the current subscribers: never stored, delivered at most once.
 *
 * It is a flyweight of byte ranges. The publisher fills one and hands it to the router; subscribers copy the
 * parts that they need before `receive` returns. Each part has its own buffer, so that the subject and the
 * value can come from different places without a copy.
 */
export class LiveMessage {
  /** The publisher. Subscribers compare it to skip their own messages, and slow subscribers slow it down. */
  origin: LivePublisher | undefined = undefined;

  subjectBuffer: Uint8Array = noBytes;
  subjectStart = 0;
  subjectEnd = 0;

  /** The range of the reply subject; `replyStart` is -1 if there is none. */
  replyBuffer: Uint8Array = noBytes;
  replyStart = -1;
  replyEnd = -1;

  /**
   * The headers in the encoding of the publisher's protocol; `headerStart` is -1 if there are none or they
   * are in {@link headers}.
   */
  headerBuffer: Uint8Array = noBytes;
  headerStart = -1;
  headerEnd = -1;
  headerCodec: HeaderCodec | undefined = undefined;
  /** The headers as a list, if {@link headerStart} is -1. */
  headers: readonly Header[] = noHeaders;

  valueBuffer: Uint8Array = noBytes;
  valueStart = 0;
  valueEnd = 0;

  /**
   * All of the message after its subject, in the format of `encoding`, in `valueBuffer`. A subscriber with
   * the same protocol copies it unchanged. `encoding` is undefined if there is none.
   */
  encoding: object | undefined = undefined;
  encodedStart = 0;
  encodedEnd = 0;

  /** The current Route of its subject, if the publisher has looked it up. */
  route: object | undefined = undefined;

  /** Empties all parts, for the next message, and drops the references to their buffers. */
  clear(): void {
    this.origin = undefined;
    this.subjectBuffer = noBytes;
    this.subjectStart = 0;
    this.subjectEnd = 0;
    this.replyBuffer = noBytes;
    this.headerBuffer = noBytes;
    this.valueBuffer = noBytes;
    this.replyStart = -1;
    this.headerStart = -1;
    this.headerCodec = undefined;
    this.headers = noHeaders;
    this.valueStart = 0;
    this.valueEnd = 0;
    this.encoding = undefined;
    this.route = undefined;
  }

  setSubject(buffer: Uint8Array, start: number, end: number): void {
    this.subjectBuffer = buffer;
    this.subjectStart = start;
    this.subjectEnd = end;
  }

  /** `start` is -1 for none. */
  setReply(buffer: Uint8Array, start: number, end: number): void {
    this.replyBuffer = buffer;
    this.replyStart = start;
    this.replyEnd = end;
  }

  /** Sets headers that are already in the encoding of `codec`. */
  setHeaderBlock(codec: HeaderCodec, buffer: Uint8Array, start: number, end: number): void {
    this.headerCodec = codec;
    this.headerBuffer = buffer;
    this.headerStart = start;
    this.headerEnd = end;
    this.encoding = undefined;
  }

  setValue(buffer: Uint8Array, start: number, end: number): void {
    this.valueBuffer = buffer;
    this.valueStart = start;
    this.valueEnd = end;
    this.encoding = undefined;
  }

  get subject(): string {
    return textOf(this.subjectBuffer, this.subjectStart, this.subjectEnd);
  }

  get reply(): string | undefined {
    return this.replyStart < 0 ? undefined : textOf(this.replyBuffer, this.replyStart, this.replyEnd);
  }

  get value(): Uint8Array {
    return this.valueBuffer.subarray(this.valueStart, this.valueEnd);
  }

  /** The headers as a list, decoded if necessary. Their values are views. */
  decodeHeaders(): readonly Header[] {
    if (this.headerStart < 0 || this.headerCodec === undefined) return this.headers;
    return this.headerCodec.decode(this.headerBuffer, this.headerStart, this.headerEnd);
  }
}

/** The encoding of a block of headers. Codecs are compared by identity, so each protocol has one. */
export interface HeaderCodec {
  decode(buffer: Uint8Array, start: number, end: number): readonly Header[];
}

/**
 * A publisher of live messages. After `hold` it stops reading its input until `release` was called as often
 * as `hold`.
 */
export interface LivePublisher {
  hold(): void;
  release(): void;
}

const noBytes = new Uint8Array(0);
