import type { Socket } from 'node:net';
import { connectLoopback } from './connect-loopback.ts';

/** Takes the body of an answer, `buffer[start, end)`. */
export type AnswerReader = (buffer: Buffer, start: number, end: number) => void;

export interface HttpSocketOptions {
  readonly port: number;
  /** The longest answer, head and body. */
  readonly answerBytesMax?: number;
  readonly onFailure: (error: Error) => void;
}

const headEnd = Buffer.from('\r\n\r\n');
/** `HTTP/1.1 200` */
const statusAt = 9;
const shownBytes = 300;

/**
 * An HTTP socket is a keep-alive connection of a very cheap client, with one request under way at most.
 * Answers end by their Content-Length. Any status but 200 is a failure.
 */
export class HttpSocket {
  readonly #socket: Socket;
  readonly #buffer: Buffer;
  readonly #onFailure: (error: Error) => void;
  #held = 0;
  /** The bytes of the answer that is being read, once its head is there. */
  #answerBytes = 0;
  #bodyAt = 0;
  #reader: AnswerReader | undefined;
  #hasEnded = false;

  private constructor({ port, answerBytesMax = 64 * 1024, onFailure }: HttpSocketOptions) {
    this.#buffer = Buffer.allocUnsafeSlow(answerBytesMax);
    this.#onFailure = onFailure;
    this.#socket = connectLoopback(port, {
      buffer: () => this.#buffer.subarray(this.#held),
      onBytes: (bytes) => this.#onBytes(bytes),
      onFailure: (error) => this.#fail(error),
    });
  }

  static connect(options: HttpSocketOptions): Promise<HttpSocket> {
    return new Promise((resolve, reject) => {
      let isOpen = false;
      const onFailure = (error: Error): void => (isOpen ? options.onFailure(error) : reject(error));
      const socket = new HttpSocket({ ...options, onFailure });
      socket.#socket.once('connect', () => {
        isOpen = true;
        resolve(socket);
      });
    });
  }

  /** Opens so many sockets, some at a time. */
  static async connectAll(count: number, options: HttpSocketOptions): Promise<HttpSocket[]> {
    const sockets: HttpSocket[] = [];
    while (sockets.length < count) {
      const opening = Array.from({ length: Math.min(50, count - sockets.length) }, () =>
        HttpSocket.connect(options),
      );
      sockets.push(...(await Promise.all(opening)));
    }
    return sockets;
  }

  /** Sends a whole request. The answer to the last one must have come. */
  ask(request: Uint8Array, reader: AnswerReader): void {
    if (this.#reader) throw new Error('a request is under way');
    this.#reader = reader;
    this.#socket.write(request);
  }

  end(): void {
    this.#hasEnded = true;
    this.#socket.destroy();
  }

  #onBytes(bytes: number): boolean {
    this.#held += bytes;
    try {
      this.#read();
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
    return true;
  }

  #read(): void {
    if (this.#answerBytes === 0 && !this.#readHead()) return this.#requireRoom();
    if (this.#held < this.#answerBytes) return this.#requireRoom();
    const [reader, start, end] = [this.#reader, this.#bodyAt, this.#answerBytes];
    if (reader === undefined || this.#held > end) throw new Error('the server sent more than one answer');
    this.#reader = undefined;
    this.#held = 0;
    this.#answerBytes = 0;
    if (this.#buffer.toString('latin1', statusAt, statusAt + 3) !== '200')
      throw new Error(
        `the server said ${this.#buffer.toString('latin1', statusAt, statusAt + 3)}: ${this.#buffer.toString('utf8', start, Math.min(end, start + shownBytes))}`,
      );
    reader(this.#buffer, start, end);
  }

  /** Returns whether the head is complete. */
  #readHead(): boolean {
    const at = this.#buffer.subarray(0, this.#held).indexOf(headEnd);
    if (at < 0) return false;
    const head = this.#buffer.toString('latin1', 0, at);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) throw new Error(`an answer without a Content-Length: ${head}`);
    this.#bodyAt = at + headEnd.length;
    this.#answerBytes = this.#bodyAt + Number(length);
    return true;
  }

  #requireRoom(): void {
    if (this.#held === this.#buffer.length)
      throw new Error(`an answer is longer than ${this.#buffer.length} bytes`);
  }

  #fail(error: Error): void {
    if (this.#hasEnded) return;
    this.end();
    this.#onFailure(error);
  }
}
