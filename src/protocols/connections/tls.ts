import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type * as tls from 'node:tls';

/** Certificate and key of the server, and the CA for clients, as PEM. */
export interface TlsIdentity {
  readonly certificate: string | Uint8Array;
  readonly key: string | Uint8Array;
  /** Certificates that client certificates must be signed by; absent: clients need no certificate. */
  readonly ca?: string | Uint8Array;
  /**
   * With `ca`: `requested` admits clients without a certificate; a certificate that is shown must be valid.
   * Default: required.
   */
  readonly clientCertificates?: 'required' | 'requested';
}

interface Handshake {
  readonly socket: Socket;
  readonly done: (secured: Socket) => void;
}

/** The timeout of a handshake. */
const handshakeTimeoutMs = 10_000;

/**
 * A TLS guard makes the TLS connections of one protocol. It does the handshakes, checks client certificates,
 * and takes a new identity when the files have changed.
 */
export class TlsGuard {
  /** Whether clients are asked for a certificate. */
  readonly asksForCertificates: boolean;
  readonly #server: tls.Server;
  /** Handshakes under way, by the addresses of their connection. */
  readonly #pending = new Map<string, Handshake>();

  /** Throws an Error if certificate and key do not fit together. */
  constructor(identity: TlsIdentity) {
    // Loaded only if TLS is used.
    const { createServer } = createRequire(import.meta.url)('node:tls') as typeof tls;
    const asks = (this.asksForCertificates = identity.ca !== undefined);
    // This server does not listen: connections are handed to it.
    this.#server = createServer({
      ...contextOf(identity),
      noDelay: true,
      keepAlive: true,
      requestCert: asks,
      rejectUnauthorized: asks && identity.clientCertificates !== 'requested',
      handshakeTimeout: handshakeTimeoutMs,
    });
    this.#server.on('secureConnection', (secured) => this.#secured(secured));
    // The client speaks no TLS or no supported version, or has no valid certificate. Its socket is already
    // closed.
    this.#server.on('tlsClientError', () => {});
  }

  /** Number of handshakes under way. */
  get handshakes(): number {
    return this.#pending.size;
  }

  /**
   * Uses this identity for connections from now on. If certificate and key do not fit, throws an Error and
   * keeps the old identity.
   */
  renew(identity: TlsIdentity): void {
    this.#server.setSecureContext(contextOf(identity));
  }

  /**
   * Begins TLS on a connection that has not been read from. Calls back after the handshake. A connection
   * whose handshake fails is closed.
   */
  secure(socket: Socket, done: (secured: Socket) => void): void {
    const key = keyOf(socket);
    const handshake = { socket, done };
    this.#pending.set(key, handshake);
    socket.once('close', () => {
      if (this.#pending.get(key) === handshake) this.#pending.delete(key);
    });
    this.#server.emit('connection', socket);
  }

  /** Closes the connections whose handshakes are under way. */
  close(): void {
    for (const { socket } of this.#pending.values()) socket.destroy();
  }

  #secured(secured: tls.TLSSocket): void {
    const key = keyOf(secured);
    const handshake = this.#pending.get(key);
    this.#pending.delete(key);
    if (handshake && !showsWrongCertificate(secured)) handshake.done(secured);
    else secured.destroy();
  }
}

/**
 * Whether the client has shown a certificate that is not signed by the CA. If a certificate is required, the
 * handshake has checked that already.
 */
function showsWrongCertificate(secured: tls.TLSSocket): boolean {
  return !secured.authorized && secured.getPeerX509Certificate() !== undefined;
}

/** The addresses and ports of both ends identify a connection. */
function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function contextOf({ certificate, key, ca }: TlsIdentity): tls.SecureContextOptions {
  return {
    cert: pem(certificate),
    key: pem(key),
    ...(ca === undefined ? {} : { ca: pem(ca) }),
    minVersion: 'TLSv1.2',
  };
}

function pem(bytes: string | Uint8Array): string | Buffer {
  return typeof bytes === 'string' ? bytes : Buffer.from(bytes);
}
