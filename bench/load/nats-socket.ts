import type { Socket } from 'node:net';
import { readFrame, type ControlFrame } from './frame.ts';
import { connectLoopback } from './connect-loopback.ts';

/** Consumes bytes of `buffer[0, end)` and returns how many; the rest comes again with the next bytes. */
export type Reader = (buffer: Buffer, end: number) => number;

/** A link is a connection as its readers need it. */
export interface Link {
  set reader(reader: Reader);
  readonly isDrained: boolean;
  write(bytes: Buffer | string): boolean;
  handleControl(frame: ControlFrame): void;
}

const hello = {
  verbose: false,
  pedantic: false,
  echo: true,
  headers: true,
  no_responders: true,
  protocol: 1,
  name: 'bench',
  lang: 'bench',
  version: '1',
};

/** The buffer has this size, or more once a frame needs it. */
const readBufferBytes = 256 * 1024;
/** nats-server's largest payload, and some bytes in front of it. */
const frameBytesMax = 65 * 1024 * 1024;

/**
 * A NATS socket is a raw connection: it does the handshake, then passes every read to one reader. All reads
 * go into one buffer, after the incomplete frame left by the last read, so frames are always contiguous.
 */
export class NatsSocket implements Link {
  readonly #socket: Socket;
  #buffer: Buffer = Buffer.allocUnsafeSlow(readBufferBytes);
  readonly #onFailure: (error: Error) => void;
  readonly #pongs: (() => void)[] = [];
  #held = 0;
  #ended = false;
  #reader: Reader = (buffer, end) => this.readControl(buffer, 0, end);

  private constructor(port: number, onFailure: (error: Error) => void) {
    this.#onFailure = onFailure;
    this.#socket = connectLoopback(port, {
      buffer: () => this.#buffer.subarray(this.#held),
      onBytes: (bytes) => this.#onBytes(bytes),
      onFailure: (error) => this.#fail(error),
    });
  }

  /** Resolves when the server has answered the first PING, and so serves this connection. */
  static async connect(port: number, onFailure: (error: Error) => void): Promise<NatsSocket> {
    let fail: (error: Error) => void = () => {};
    const failed = new Promise<never>((_, reject) => (fail = reject));
    let open = false;
    const socket = new NatsSocket(port, (error) => (open ? onFailure : fail)(error));
    const ready = socket.flush(`CONNECT ${JSON.stringify(hello)}\r\n`);
    await Promise.race([ready, failed]);
    open = true;
    return socket;
  }

  set reader(reader: Reader) {
    this.#reader = reader;
  }

  /** Returns false if the bytes wait for the kernel: the next write should wait for `onDrain`. */
  write(bytes: Buffer | string): boolean {
    return typeof bytes === 'string' ? this.#socket.write(bytes, 'latin1') : this.#socket.write(bytes);
  }

  /** Whether no written bytes are left in our memory, so that a written buffer may be used again. */
  get isDrained(): boolean {
    return this.#socket.writableLength === 0;
  }

  onDrain(listener: () => void): void {
    this.#socket.on('drain', listener);
  }

  /** Resolves when the server has handled everything written before. */
  flush(bytes = ''): Promise<void> {
    this.write(`${bytes}PING\r\n`);
    return new Promise((resolve) => void this.#pongs.push(resolve));
  }

  /** Reads frames up to the first with a message, and returns the position after them. */
  readControl(buffer: Buffer, position: number, end: number): number {
    for (;;) {
      const frame = position < end ? readFrame(buffer, position, end) : undefined;
      if (frame === undefined || frame.kind === 'message') return position;
      this.handleControl(frame);
      position = frame.end;
    }
  }

  handleControl(frame: ControlFrame): void {
    if (frame.kind === 'ping') this.write('PONG\r\n');
    if (frame.kind === 'pong') this.#pongs.shift()?.();
  }

  end(): void {
    this.#ended = true;
    this.#socket.destroy();
  }

  #onBytes(bytes: number): boolean {
    const end = this.#held + bytes;
    try {
      const used = this.#reader(this.#buffer, end);
      if (used < end) this.#buffer.copyWithin(0, used, end);
      this.#held = end - used;
      if (this.#held === this.#buffer.length) this.#grow();
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
    return true;
  }

  #grow(): void {
    const before = this.#buffer;
    if (before.length > frameBytesMax) throw new Error(`a frame is larger than ${frameBytesMax} bytes`);
    this.#buffer = Buffer.allocUnsafeSlow(before.length * 2);
    before.copy(this.#buffer);
  }

  #fail(error: Error): void {
    if (this.#ended) return;
    this.end();
    this.#onFailure(error);
  }
}
