import { writeHeaders, headersSize, type NatsHeader } from './headers.ts';
import type { ConnectOptions, ServerInfo } from './json.ts';

/** The parts of a publish or a delivery. */
export interface MessageParts {
  readonly subject: string;
  readonly reply?: string | undefined;
  /** Absent: PUB and MSG. Present, even if empty: HPUB and HMSG. */
  readonly headers?: readonly NatsHeader[] | undefined;
  /** The status in the first line of the header block: `503`, `404 No Messages`. */
  readonly status?: string | undefined;
  readonly value?: Uint8Array | string;
}

/**
 * A frame writer appends verbs of either side to one buffer: `new FrameWriter().ping().subscribe('a',
 * '1').take()`.
 *
 * It is for code that is not hot: clients, tests, the greeting. Sessions write deliveries straight into their
 * output.
 */
export class FrameWriter {
  #buffer: Buffer = Buffer.allocUnsafe(512);
  #bytes = 0;

  connect(options: ConnectOptions): this {
    return this.#text(`CONNECT ${JSON.stringify(options)}\r\n`);
  }

  info(info: ServerInfo): this {
    return this.#text(`INFO ${JSON.stringify(info)}\r\n`);
  }

  publish(message: MessageParts): this {
    return this.#message(message, 'PUB', undefined);
  }

  message(sid: string, message: MessageParts): this {
    return this.#message(message, 'MSG', sid);
  }

  subscribe(subject: string, sid: string, queue?: string): this {
    return this.#text(
      queue === undefined ? `SUB ${subject} ${sid}\r\n` : `SUB ${subject} ${queue} ${sid}\r\n`,
    );
  }

  unsubscribe(sid: string, maxMessages?: number): this {
    return this.#text(maxMessages === undefined ? `UNSUB ${sid}\r\n` : `UNSUB ${sid} ${maxMessages}\r\n`);
  }

  ping(): this {
    return this.#text('PING\r\n');
  }

  pong(): this {
    return this.#text('PONG\r\n');
  }

  ok(): this {
    return this.#text('+OK\r\n');
  }

  error(text: string): this {
    return this.#text(`-ERR '${text}'\r\n`);
  }

  /** Returns the output, and clears the writer. */
  take(): Buffer {
    const bytes = Buffer.from(this.#buffer.subarray(0, this.#bytes));
    this.#bytes = 0;
    return bytes;
  }

  #message(message: MessageParts, verb: 'PUB' | 'MSG', sid: string | undefined): this {
    const { subject, reply, status } = message;
    const value =
      typeof message.value === 'string' ? Buffer.from(message.value, 'utf8') : (message.value ?? noBytes);
    const headers = message.headers ?? (status === undefined ? undefined : []);
    const words = [subject];
    if (sid !== undefined) words.push(sid);
    if (reply !== undefined) words.push(reply);
    if (headers === undefined) {
      this.#text(`${verb} ${words.join(' ')} ${value.length}\r\n`);
    } else {
      const headerBytes = headersSize(headers, status);
      this.#text(`H${verb} ${words.join(' ')} ${headerBytes} ${headerBytes + value.length}\r\n`);
      this.#ensure(headerBytes);
      this.#bytes = writeHeaders(this.#buffer, this.#bytes, headers, status);
    }
    this.#ensure(value.length);
    this.#buffer.set(value, this.#bytes);
    this.#bytes += value.length;
    return this.#text('\r\n');
  }

  #text(text: string): this {
    const size = Buffer.byteLength(text, 'utf8');
    this.#ensure(size);
    this.#bytes += this.#buffer.write(text, this.#bytes, 'utf8');
    return this;
  }

  #ensure(bytes: number): void {
    if (this.#bytes + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes + bytes, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#bytes);
    this.#buffer = larger;
  }
}

const noBytes = Buffer.alloc(0);
