import { noHeaders, type Header } from '../../log/index.ts';
import { textOf } from '../../util/index.ts';

/**
 * A live message is one message on its way to whoever subscribes now: never stored, at most once.
 *
 * It is a flyweight of byte ranges: whoever publishes fills one and hands it to the router; subscribers copy
 * what they need before `receive` returns. Each part has its own buffer, so that a subject from one place and
 * a value from another need no copy.
 */
export class LiveMessage {
  /**
   * Who publishes: a subscriber that does not want its own messages compares it, and a slow subscriber slows
   * it down.
   */
  origin: LivePublisher | undefined = undefined;

  subjectBuffer: Uint8Array = noBytes;
  subjectStart = 0;
  subjectEnd = 0;

  /** Where the reply subject is; `replyStart` is -1 when none was given. */
  replyBuffer: Uint8Array = noBytes;
  replyStart = -1;
  replyEnd = -1;

  /**
   * The headers as the publisher's protocol encodes them; `headerStart` is -1 when there are none or they are
   * in {@link headers}.
   */
  headerBuffer: Uint8Array = noBytes;
  headerStart = -1;
  headerEnd = -1;
  headerCodec: HeaderCodec | undefined = undefined;
  /** The headers as a list, when {@link headerStart} is -1. */
  headers: readonly Header[] = noHeaders;

  valueBuffer: Uint8Array = noBytes;
  valueStart = 0;
  valueEnd = 0;

  /**
   * All of the message that follows its subject, as `encoding` writes it, in `valueBuffer`. A subscriber that
   * speaks the same protocol copies it as it is. `encoding` is undefined when there is none.
   */
  encoding: object | undefined = undefined;
  encodedStart = 0;
  encodedEnd = 0;

  /** The current Route of its subject, where the publisher has looked it up. */
  route: object | undefined = undefined;

  /** Points every part at nothing, for the next message; what it pointed at is let go. */
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

  /** `start` -1 for none. */
  setReply(buffer: Uint8Array, start: number, end: number): void {
    this.replyBuffer = buffer;
    this.replyStart = start;
    this.replyEnd = end;
  }

  /** Headers that are already in the encoding of `codec`. */
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

  /** The headers as a list, decoded when they came encoded. Their values are views. */
  decodeHeaders(): readonly Header[] {
    if (this.headerStart < 0 || this.headerCodec === undefined) return this.headers;
    return this.headerCodec.decode(this.headerBuffer, this.headerStart, this.headerEnd);
  }
}

/** How a protocol writes a block of headers; compared by identity, so each protocol has one. */
export interface HeaderCodec {
  decode(buffer: Uint8Array, start: number, end: number): readonly Header[];
}

/**
 * Who publishes live messages. It stops reading its input after `hold` until `release` was called as often.
 */
export interface LivePublisher {
  hold(): void;
  release(): void;
}

const noBytes = new Uint8Array(0);
