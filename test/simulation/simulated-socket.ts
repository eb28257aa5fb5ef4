import { Duplex } from 'node:stream';

/** A simulated socket is the server's end of a connection that is two streams of bytes in one process. */
export class SimulatedSocket extends Duplex {
  readonly remoteAddress = 'simulated';
  bytesWritten = 0;
  readonly #received: (chunk: Buffer) => void;
  readonly #ended: () => void;

  /** `received` is called with the server's bytes, `ended` when no more will come. */
  constructor(received: (chunk: Buffer) => void, ended: () => void = () => {}) {
    super();
    this.#received = received;
    this.#ended = ended;
  }

  /** The client says something. */
  say(bytes: string | Buffer): void {
    this.push(bytes);
  }

  /** The client says nothing more. */
  hangUp(): void {
    this.push(null);
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.bytesWritten += chunk.length;
    this.#received(chunk);
    done();
  }

  override _final(done: () => void): void {
    this.#ended();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#ended();
    done(error);
  }
}
