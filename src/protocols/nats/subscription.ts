import type { LiveMessage, LiveSubscriber, LiveSubscription } from '../../broker/index.ts';
import { hasWildcards } from '../../util/index.ts';
import {
  copyBytes,
  decimalSize,
  headersSize,
  natsHeaders,
  writeDecimal,
  writeHeaders,
  writeLatin1,
} from '../../wire/nats/index.ts';
import { largeBytesMin, type Output } from '../connections/index.ts';
import type { DeliveryFilter } from './restrictions.ts';
import type { Session } from './session.ts';

/** Marks messages that have the bytes after the subject in the form that PUB and MSG share. */
export const natsEncoding: object = Object.freeze({});

const space = 32;

/**
 * A subscription is one SUB of one connection: it writes the messages it receives into the connection's
 * output.
 */
export class Subscription implements LiveSubscriber {
  /** The name that the client gave it; one character per byte. */
  readonly sid: string;
  /** Its entry in the router. */
  live: LiveSubscription | undefined = undefined;
  /** Messages since SUB. */
  delivered = 0;
  /** The subscription ends after this many messages; 0 = never. */
  deliveredMax = 0;
  /** Keeps back the messages that the client may not have; undefined: it may have all. */
  filter: DeliveryFilter | undefined;
  readonly #session: Session;
  readonly #output: Output;
  /**
   * `HMSG subject sid `, made with the first message; MSG begins one byte later. Only if the pattern is a
   * subject without wildcards.
   */
  #head: Buffer | undefined = undefined;
  readonly #wild: boolean;

  constructor(session: Session, pattern: string, sid: string, filter?: DeliveryFilter) {
    this.#session = session;
    this.#output = session.output;
    this.#wild = hasWildcards(pattern);
    this.sid = sid;
    this.filter = filter;
  }

  get session(): Session {
    return this.#session;
  }

  get connection(): number {
    return this.#session.id;
  }

  get congested(): boolean {
    return this.#output.congested;
  }

  whenDrained(callback: () => void): void {
    this.#output.whenDrained(callback);
  }

  receive(message: LiveMessage): boolean {
    const session = this.#session;
    if (session.closed || (message.origin === session && !session.echo)) return false;
    if (this.filter !== undefined && !this.filter.lets(message)) return false;
    if (message.replyStart >= 0 && session.restrictions?.tracksReplies) session.restrictions.asked(message);
    const output = this.#output;
    if (message.encoding === natsEncoding && (message.headerStart < 0 || session.headers))
      this.#copy(message);
    else this.write(message);
    this.delivered++;
    if (output.overfull && message.origin) output.holdBack(message.origin);
    if (this.delivered === this.deliveredMax) session.remove(this);
    return true;
  }

  /**
   * Sends a message from a NATS publisher to a NATS subscriber: the bytes after the subject are the same. A
   * large message is sent from where it is.
   */
  #copy(message: LiveMessage): void {
    const output = this.#output;
    const { encodedStart, encodedEnd, valueBuffer } = message;
    const skip = message.headerStart < 0 ? 1 : 0;
    const isLarge = encodedEnd - encodedStart >= largeBytesMin;
    const commonBytes = isLarge ? 0 : encodedEnd - encodedStart;
    let at: number;
    let target: Buffer;
    if (this.#wild) {
      const { subjectBuffer, subjectStart, subjectEnd } = message;
      at = output.reserve(5 - skip + subjectEnd - subjectStart + this.sid.length + 2 + commonBytes);
      target = output.buffer;
      at = this.#writeHead(target, at, skip, subjectBuffer, subjectStart, subjectEnd);
    } else {
      const head = (this.#head ??= this.#makeHead(message));
      const headBytes = head.length;
      at = output.reserve(headBytes - skip + commonBytes);
      target = output.buffer;
      for (let i = skip; i < headBytes; i++) target[at++] = head[i]!;
    }
    if (isLarge) {
      // Only sessions publish messages in this encoding.
      const { buffer, start } = (message.origin as Session).largeOf(message);
      output.appendLarge(buffer, start, start + encodedEnd - encodedStart);
    } else copyBytes(target, at, valueBuffer, encodedStart, encodedEnd);
    output.messages++;
  }

  /**
   * Writes a message of any source:
   * `[H]MSG subject sid [reply] [#header] #total CRLF [header block] value CRLF`.
   */
  write(message: LiveMessage): void {
    const output = this.#output;
    const { subjectBuffer, subjectStart, subjectEnd, replyBuffer, replyStart, replyEnd } = message;
    const { headerBuffer, headerStart, headerEnd, valueBuffer, valueStart, valueEnd } = message;
    const withHeaders = this.#session.headers && (headerStart >= 0 || message.headers.length > 0);
    const ownBlock = withHeaders && headerStart >= 0 && message.headerCodec === natsHeaders;
    const list = withHeaders && !ownBlock ? message.decodeHeaders() : noHeaders;
    let headerBytes = 0;
    if (withHeaders) headerBytes = ownBlock ? headerEnd - headerStart : headersSize(list);
    const replyBytes = replyStart < 0 ? 0 : replyEnd - replyStart + 1;
    const valueBytes = valueEnd - valueStart;
    const total = headerBytes + valueBytes;
    const skip = withHeaders ? 0 : 1;
    const headBytes = 5 - skip + subjectEnd - subjectStart + 1 + this.sid.length + 1;
    const sizesBytes = decimalSize(total) + (withHeaders ? decimalSize(headerBytes) + 1 : 0);
    let at = output.reserve(headBytes + replyBytes + sizesBytes + 2 + total + 2);
    const target = output.buffer;
    at = this.#writeHead(target, at, skip, subjectBuffer, subjectStart, subjectEnd);
    if (replyBytes > 0) {
      at = copyBytes(target, at, replyBuffer, replyStart, replyEnd);
      target[at++] = space;
    }
    if (withHeaders) {
      at = writeDecimal(target, at, headerBytes);
      target[at++] = space;
    }
    at = writeLineEnd(target, writeDecimal(target, at, total));
    if (ownBlock) at = copyBytes(target, at, headerBuffer, headerStart, headerEnd);
    else if (withHeaders) at = writeHeaders(target, at, list);
    writeLineEnd(target, copyBytes(target, at, valueBuffer, valueStart, valueEnd));
    output.messages++;
  }

  /** `[H]MSG subject sid ` */
  #writeHead(
    target: Buffer,
    position: number,
    skip: number,
    subject: Uint8Array,
    subjectStart: number,
    subjectEnd: number,
  ): number {
    let at = position;
    if (skip === 0) target[at++] = 72; // H
    target[at] = 77; // M
    target[at + 1] = 83; // S
    target[at + 2] = 71; // G
    target[at + 3] = space;
    at = copyBytes(target, at + 4, subject, subjectStart, subjectEnd);
    target[at++] = space;
    at = writeLatin1(target, at, this.sid);
    target[at++] = space;
    return at;
  }

  #makeHead(message: LiveMessage): Buffer {
    const { subjectBuffer, subjectStart, subjectEnd } = message;
    const head = Buffer.allocUnsafe(5 + subjectEnd - subjectStart + 1 + this.sid.length + 1);
    this.#writeHead(head, 0, 0, subjectBuffer, subjectStart, subjectEnd);
    return head;
  }
}

const noHeaders: readonly never[] = [];

function writeLineEnd(target: Buffer, position: number): number {
  target[position] = 13;
  target[position + 1] = 10;
  return position + 2;
}
