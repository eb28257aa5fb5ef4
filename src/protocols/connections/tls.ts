import { createRequire } from 'node:module';
import type { Server, Socket } from 'node:net';
import type * as tls from 'node:tls';

/** What TLS needs, as PEM. */
export interface TlsIdentity {
  readonly certificate: string | Uint8Array;
  readonly key: string | Uint8Array;
}

/** A handshake takes no longer. */
const handshakeTimeoutMs = 10_000;

/** A server that speaks TLS; `accept` gets sockets whose handshake is over. Throws an Error when certificate and key do not fit. */
export function createTlsServer(
  { certificate, key }: TlsIdentity,
  socketOptions: { readonly noDelay: boolean; readonly keepAlive: boolean },
  accept: (socket: Socket) => void,
): Server {
  const cert = typeof certificate === 'string' ? certificate : Buffer.from(certificate);
  const privateKey = typeof key === 'string' ? key : Buffer.from(key);
  // Loaded only where it is used.
  const { createServer } = createRequire(import.meta.url)('node:tls') as typeof tls;
  const server = createServer(
    { ...socketOptions, cert, key: privateKey, minVersion: 'TLSv1.2', handshakeTimeout: handshakeTimeoutMs },
    accept,
  );
  // A client without TLS, or with none that we speak: its socket is closed by then.
  server.on('tlsClientError', () => {});
  return server;
}
