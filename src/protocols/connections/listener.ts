import { createServer, type Server, type ServerOpts, type Socket } from 'node:net';
import type { ListenOptions } from '../frontend.ts';
import { copiesOfHandle, type ListeningHandle } from './handle-copies.ts';

/**
 * The limit of connections in the system's queue, including those whose client has left: a long queue is a
 * long wait. A client that finds the queue full is not refused; its system retries after a second.
 */
const backlogMax = 256;

/** Node accepts one connection per turn of its loop from each handle (libuv since 1.45). */
const copiesWanted = 15;
/** This many connections within `crowdMs` make the listener add handles. */
const crowd = 64;
const crowdMs = 1_000;

const socketOptions = { noDelay: true, keepAlive: true } as const;

/**
 * A listener accepts the connections of one port and hands them on.
 *
 * It begins with one handle. On the first rush of connections it adds copies of the handle, all on the one
 * queue of the port. Each turn of the event loop then accepts as many connections as there are handles
 * (decision 13).
 */
export class Listener {
  readonly #server: Server;
  readonly #socketOptions: ServerOpts;
  readonly #copies: Server[] = [];
  #isClosed = false;
  #hasCopied = false;
  /** Connections since `#sinceMs`. */
  #recent = 0;
  #sinceMs = 0;

  /** The server emits `connection` for each connection; `options` are the options it was made with. */
  constructor(server: Server, options: ServerOpts = {}) {
    this.#server = server;
    this.#socketOptions = options;
    server.on('connection', () => this.#count());
  }

  /** `accept` gets sockets that have not been read from. */
  static for(accept: (socket: Socket) => void): Listener {
    const options = { ...socketOptions, pauseOnConnect: true };
    return new Listener(createServer(options, accept), options);
  }

  /** Number of handles that accept connections. */
  get handles(): number {
    return 1 + this.#copies.length;
  }

  /** Rejects with the error of the system (`EADDRINUSE`, `EACCES`, …). */
  listen({ host, port }: ListenOptions): Promise<{ readonly port: number }> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, backlog: backlogMax }, () => {
        server.off('error', reject);
        // Usually there is no file descriptor left: that connection is refused, and the others continue.
        server.on('error', () => {});
        const address = server.address();
        resolve({ port: typeof address === 'object' && address !== null ? address.port : port });
      });
    });
  }

  /** Stops accepting. Resolves when all accepted connections are gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(
      [this.#server, ...this.#copies]
        .filter(({ listening }) => listening)
        .map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
    );
  }

  #count(): void {
    if (this.#hasCopied) return;
    const nowMs = performance.now();
    if (nowMs - this.#sinceMs >= crowdMs) {
      this.#sinceMs = nowMs;
      this.#recent = 0;
    }
    if (++this.#recent < crowd) return;
    this.#hasCopied = true;
    // Without copies the listener continues with one connection a turn.
    copiesOfHandle(this.#server, copiesWanted).then(
      (copies) => {
        for (const copy of copies) this.#listenOn(copy);
      },
      () => {},
    );
  }

  #listenOn(handle: ListeningHandle): void {
    const copy = createServer(this.#socketOptions, (socket) => this.#server.emit('connection', socket));
    copy.on('error', () => {});
    this.#copies.push(copy);
    copy.listen(handle, backlogMax);
    if (this.#isClosed) copy.close();
  }
}
