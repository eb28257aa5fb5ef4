import { token } from './encode.ts';
import { dollar, letterM, lineFeed, readFrame, space, type MessageFrame } from './frame.ts';
import type { Link } from './nats-socket.ts';

/** Options of a pull subscription; `subject` is that of the consumer's next-message request. */
export interface PullOptions {
  readonly link: Link;
  readonly subject: string;
  readonly inbox: string;
  readonly batch: number;
  readonly onMessages: (messages: number) => void;
}

const acksBytes = 256 * 1024;
const ackHead = Buffer.from('PUB ', 'latin1');
const ackTail = Buffer.from(' 4\r\n+ACK\r\n', 'latin1');
const expiresNs = 60e9;

/**
 * A pull subscription keeps two pull requests in flight and acks its messages: all acks of one read leave in
 * one write. A message has the size of the previous one, unless a number in its reply subject has one more
 * digit. So its parts are looked for in the same places, and it is parsed in full if they are not there.
 */
export class PullSubscription {
  readonly #options: PullOptions;
  #due = 0;
  #pulls = 0;
  #stopped = false;
  #acks: Buffer = Buffer.allocUnsafeSlow(acksBytes);
  #acksEnd = 0;
  // The shape of the last message: its size, and the position of its reply subject.
  #frameBytes = 0;
  #replyOffset = 0;
  #replyBytes = 0;

  constructor(options: PullOptions) {
    this.#options = options;
    options.link.reader = (buffer, end) => this.#read(buffer, end);
  }

  start(): void {
    this.#pull();
    this.#pull();
  }

  /** Sends no more requests; messages of earlier requests still arrive and are acked. */
  stop(): void {
    this.#stopped = true;
  }

  get isIdle(): boolean {
    return this.#due <= 0;
  }

  #pull(): void {
    const { link, subject, inbox, batch } = this.#options;
    const request = JSON.stringify({ batch, expires: expiresNs });
    link.write(`PUB ${subject} ${inbox}.${token(this.#pulls++)} ${request.length}\r\n${request}\r\n`);
    this.#due += batch;
  }

  #read(buffer: Buffer, end: number): number {
    let position = 0;
    let messages = 0;
    this.#startAcks();
    while (position < end) {
      const next = position + this.#frameBytes;
      const reply = position + this.#replyOffset;
      // Without this branch the generator splits every MSG line, and is slower than the servers that it
      // measures.
      if (
        next <= end &&
        this.#frameBytes > 0 &&
        buffer[position] === letterM &&
        buffer[reply] === dollar &&
        buffer[reply + this.#replyBytes] === space &&
        buffer[next - 1] === lineFeed
      ) {
        this.#ack(buffer, reply, this.#replyBytes);
        messages++;
        position = next;
        continue;
      }
      const frame = readFrame(buffer, position, end);
      if (frame === undefined) break;
      if (frame.kind === 'message') messages += this.#readMessage(buffer, position, frame);
      else this.#options.link.handleControl(frame);
      position = frame.end;
    }
    this.#sendAcks();
    this.#due -= messages;
    while (!this.#stopped && this.#due <= this.#options.batch) this.#pull();
    if (messages > 0) this.#options.onMessages(messages);
    return position;
  }

  #readMessage(buffer: Buffer, position: number, frame: MessageFrame): number {
    if (frame.status !== '') throw new Error(`a pull request was answered with status ${frame.status}`);
    if (!frame.reply.startsWith('$JS.ACK.'))
      throw new Error(`a message without an ack subject: ${frame.subject}`);
    this.#frameBytes = frame.end - position;
    this.#replyOffset = frame.replyPosition - position;
    this.#replyBytes = frame.reply.length;
    this.#ack(buffer, frame.replyPosition, this.#replyBytes);
    return 1;
  }

  /** A buffer that the kernel has not taken yet must not be overwritten. */
  #startAcks(): void {
    if (!this.#options.link.isDrained) this.#acks = Buffer.allocUnsafeSlow(acksBytes);
    this.#acksEnd = 0;
  }

  #sendAcks(): void {
    if (this.#acksEnd > 0) this.#options.link.write(this.#acks.subarray(0, this.#acksEnd));
  }

  /** `PUB <reply> 4\r\n+ACK\r\n`, byte by byte, which is faster for so few bytes than a call of copy. */
  #ack(buffer: Buffer, reply: number, replyBytes: number): void {
    if (this.#acksEnd + replyBytes + ackHead.length + ackTail.length > acksBytes) {
      this.#sendAcks();
      this.#startAcks();
    }
    const acks = this.#acks;
    let end = this.#acksEnd;
    for (let index = 0; index < ackHead.length; index++) acks[end++] = ackHead[index] ?? 0;
    for (let index = reply; index < reply + replyBytes; index++) acks[end++] = buffer[index] ?? 0;
    for (let index = 0; index < ackTail.length; index++) acks[end++] = ackTail[index] ?? 0;
    this.#acksEnd = end;
  }
}
