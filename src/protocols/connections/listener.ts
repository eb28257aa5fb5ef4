import { createServer, type Server, type Socket } from 'node:net';
import type { ListenOptions } from '../frontend.ts';
import { createTlsServer, type TlsIdentity } from './tls.ts';

/**
 * Connections that wait in the system's queue at most. Node takes one of them per turn of its loop, those included
 * that were left again: a long queue is a long wait. A client that finds it full is not refused; its system asks again
 * after a second.
 */
const backlogMax = 256;

const socketOptions = { noDelay: true, keepAlive: true } as const;

/** A listener accepts the connections of one port and hands them on. */
export class Listener {
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  /** `accept` gets sockets that were not read from, or whose TLS handshake is over. */
  static for(accept: (socket: Socket) => void, tls?: TlsIdentity): Listener {
    return new Listener(
      tls
        ? createTlsServer(tls, socketOptions, accept)
        : createServer({ ...socketOptions, pauseOnConnect: true }, accept),
    );
  }

  /** Rejects with the error of the system (`EADDRINUSE`, `EACCES`, …). */
  listen({ host, port }: ListenOptions): Promise<{ readonly port: number }> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, backlog: backlogMax }, () => {
        server.off('error', reject);
        // Out of file descriptors, mostly: the connection is refused, the others live on.
        server.on('error', () => {});
        const address = server.address();
        resolve({ port: typeof address === 'object' && address !== null ? address.port : port });
      });
    });
  }

  /** Accepts nothing more. Connections that were accepted live on. */
  close(): void {
    if (this.#server.listening) this.#server.close();
  }
}
