import { connect, type Socket } from 'node:net';
import { Hall, type Listener, Listener as PortListener } from '../../../src/protocols/index.ts';
import {
  HttpError,
  HttpFrontend,
  type HttpFrontendOptions,
  type HttpReply,
  type HttpRequest,
} from '../../../src/protocols/http/index.ts';
import { SystemClock } from '../../../src/util/index.ts';

/** An HTTP frontend on a port of its own, whose refusals are a line `CODE STATUS`. */
export class HttpServer implements AsyncDisposable {
  readonly frontend: HttpFrontend;
  readonly hall: Hall;
  /** The refusals, including answers that broke off. */
  readonly refused: unknown[] = [];
  readonly #listener: Listener;
  port = 0;

  private constructor(
    handle: (request: HttpRequest) => HttpReply | Promise<HttpReply>,
    options: Partial<HttpFrontendOptions>,
  ) {
    this.hall = options.hall ?? new Hall(new SystemClock());
    this.frontend = new HttpFrontend({
      name: 'test',
      authenticates: false,
      hall: this.hall,
      handle,
      refusal: (error) => {
        this.refused.push(error);
        return error instanceof HttpError
          ? { status: error.status, headers: error.headers, body: `${error.code}\n` }
          : { status: 500, body: 'internal\n' };
      },
      ...options,
    });
    this.#listener = PortListener.for((socket) => this.frontend.accept(socket));
  }

  static async start(
    handle: (request: HttpRequest) => HttpReply | Promise<HttpReply>,
    options: Partial<HttpFrontendOptions> = {},
  ): Promise<HttpServer> {
    const server = new HttpServer(handle, options);
    ({ port: server.port } = await server.#listener.listen({ host: '127.0.0.1', port: 0 }));
    return server;
  }

  client(): Client {
    return new Client(this.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#listener.close();
    await this.frontend.close();
    await closed;
  }
}

/** A client that sends any bytes and keeps the answers. */
export class Client implements Disposable {
  readonly socket: Socket;
  text = '';
  readonly closed: Promise<string>;

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port });
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk) => (this.text += chunk.toString('latin1')));
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve(this.text)));
  }

  /** A request with a Host and these further header lines, and the given part of the body. */
  ask(line: string, head: readonly string[] = [], body: string | Uint8Array = ''): void {
    this.socket.write([`${line} HTTP/1.1`, 'Host: localhost', ...head, '', ''].join('\r\n'));
    if (body.length > 0) this.socket.write(body);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** A promise and its resolve function. */
export function latch<T = void>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((given) => (resolve = given));
  return { promise, resolve };
}
