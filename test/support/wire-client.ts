import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';

const DEADLINE_MS = 30_000;

/** A line that the server may send at any time, which no transcript wants to see, and the answer to it. */
export interface KeepAlive {
  readonly ping: string;
  readonly pong: string;
}

/**
 * A wire client is a TCP socket for transcripts: it sends exactly the bytes it is given and compares exactly
 * the bytes that come back. Bytes are Latin-1 strings, so that one character is one byte and a difference
 * reads well.
 */
export class WireClient implements Disposable {
  readonly #socket: Socket;
  #received = '';
  #isClosed = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket, keepAlive: KeepAlive | undefined) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#received += text;
      if (keepAlive !== undefined) this.#answer(keepAlive);
      this.#wake?.();
    });
    // A reset is one of the ways in which a server closes; bytes received before it count.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#isClosed = true;
      this.#wake?.();
    });
  }

  static async open(port: number, keepAlive?: KeepAlive): Promise<WireClient> {
    const socket = connect({ port, host: '127.0.0.1' });
    const client = new WireClient(socket, keepAlive);
    await once(socket, 'connect');
    return client;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  send(bytes: string | Uint8Array): void {
    this.#socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Stops reading from the socket, as a client that hangs does. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Sends nothing more; the server sees the end of the stream. */
  end(): void {
    this.#socket.end();
  }

  /** The next line, without its CRLF. */
  async line(): Promise<string> {
    await this.#until(() => this.#received.includes('\r\n'), 'a line');
    return this.#take(this.#received.indexOf('\r\n') + 2).slice(0, -2);
  }

  /** Reads as many bytes as expected and compares them. */
  async expect(expected: string): Promise<void> {
    await this.#until(
      () => this.#received.length >= expected.length,
      JSON.stringify(expected),
      () => {
        // A difference shows at its first byte: do not wait for the rest.
        return !expected.startsWith(this.#received);
      },
    );
    assert.equal(this.#take(expected.length), expected);
  }

  /** Reads up to and including the text, and returns all that was read. */
  async readThrough(text: string): Promise<string> {
    await this.#until(() => this.#received.includes(text), JSON.stringify(text));
    return this.#take(this.#received.indexOf(text) + text.length);
  }

  async exchange(bytes: string, expected: string): Promise<void> {
    this.send(bytes);
    await this.expect(expected);
  }

  /** Waits until the server has closed the connection and returns the bytes received before. */
  async closed(): Promise<string> {
    if (!this.#isClosed) await this.#until(() => this.#isClosed, 'the connection to be closed');
    return this.#take(this.#received.length);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  /** Removes the pings from the received bytes. They start at the start of a line. */
  #answer({ ping, pong }: KeepAlive): void {
    for (;;) {
      const position = `\r\n${this.#received}`.indexOf(`\r\n${ping}`);
      if (position < 0) return;
      this.#received = this.#received.slice(0, position) + this.#received.slice(position + ping.length);
      this.send(pong);
    }
  }

  #take(length: number): string {
    const taken = this.#received.slice(0, length);
    this.#received = this.#received.slice(length);
    return taken;
  }

  async #until(isDone: () => boolean, what: string, isHopeless: () => boolean = () => false): Promise<void> {
    const deadline = Date.now() + DEADLINE_MS;
    while (!isDone()) {
      const problem = this.#isClosed
        ? 'the connection was closed'
        : Date.now() >= deadline
          ? 'time is up'
          : undefined;
      if (problem !== undefined)
        assert.fail(
          `expected ${what}, but ${problem} after ${JSON.stringify(this.#received.slice(0, 2000))}`,
        );
      if (isHopeless()) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadline - Date.now());
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
  }
}
