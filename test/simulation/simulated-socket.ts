import { Duplex } from 'node:stream';

/** A simulated socket is the server's end of a connection that is two streams of bytes in one process. */
export class SimulatedSocket extends Duplex {
  readonly remoteAddress = 'simulated';
  readonly #received: (chunk: Buffer) => void;

  /** `received` is told what the server says. */
  constructor(received: (chunk: Buffer) => void) {
    super();
    this.#received = received;
  }

  /** The client says something. */
  say(bytes: string | Buffer): void {
    this.push(bytes);
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#received(chunk);
    done();
  }
}
