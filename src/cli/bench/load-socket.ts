import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { CliError, exitCode } from '../exit-code.ts';

export interface NatsAddress {
  readonly host: string;
  readonly port: number;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
}

const handshakeMs = 5000;

/**
 * A load socket is a bare NATS connection: the caller reads and writes bytes, so that the benchmark measures
 * the broker and not a client library. It performs the handshake and nothing else.
 */
export class LoadSocket implements Disposable {
  readonly #socket: Socket;
  /** Why the connection ended, if it has. */
  #error: Error | undefined;
  #goOn: () => void = () => {};
  /** Called with every chunk after the handshake. */
  onData: (chunk: Buffer) => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('error', (error) => (this.#error = error));
    socket.on('close', () => {
      this.#error ??= new Error('the broker closed the connection');
      this.#goOn();
    });
    socket.on('drain', () => this.#goOn());
  }

  static async open(address: NatsAddress): Promise<LoadSocket> {
    const { host, port, user, password, token } = address;
    const socket = connect({ host, port });
    const load = new LoadSocket(socket);
    const options = {
      verbose: false,
      headers: true,
      no_responders: true,
      lang: 'pillarbox-bench',
      user,
      pass: password,
    };
    try {
      const signal = AbortSignal.timeout(handshakeMs);
      await once(socket, 'data', { signal });
      socket.write(`CONNECT ${JSON.stringify({ ...options, auth_token: token })}\r\nPING\r\n`);
      const [reply] = (await once(socket, 'data', { signal })) as [Buffer];
      if (!reply.toString('latin1').startsWith('PONG')) throw new Error(reply.toString('latin1').trim());
    } catch (error) {
      socket.destroy();
      throw new CliError(
        exitCode.unavailable,
        `The NATS port at ${host}:${port} does not take this connection (${(error as Error).message}); ` +
          'where it asks for credentials, give them with --nats-url nats://user:password@host:port.',
        error,
      );
    }
    socket.on('data', (chunk: Buffer) => load.onData(chunk));
    return load;
  }

  /** Throws if the connection has ended, so that a loop over it ends too. */
  check(): void {
    if (this.#error)
      throw new CliError(exitCode.failure, `The connection was lost: ${this.#error.message}.`, this.#error);
  }

  send(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Writes the bytes, and waits while the broker is slower. */
  async sendAll(bytes: Uint8Array): Promise<void> {
    this.check();
    if (!this.#socket.write(bytes)) await new Promise<void>((resolve) => (this.#goOn = resolve));
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
