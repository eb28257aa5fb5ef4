import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type * as tls from 'node:tls';

/** What TLS needs, as PEM. */
export interface TlsIdentity {
  readonly certificate: string | Uint8Array;
  readonly key: string | Uint8Array;
  /** Certificates that those of clients must be signed by; absent: clients need none. */
  readonly ca?: string | Uint8Array;
  /** With `ca`: clients may do without a certificate, but one that they show must be right. Default: required. */
  readonly clientCertificates?: 'required' | 'requested';
}

interface Handshake {
  readonly socket: Socket;
  readonly done: (secured: Socket) => void;
}

/** A handshake takes no longer. */
const handshakeTimeoutMs = 10_000;

/**
 * A TLS guard makes the TLS connections of one protocol: handshake, certificates of clients, and a new
 * identity when the files have changed.
 */
export class TlsGuard {
  /** Whether clients need a certificate. */
  readonly asksForCertificates: boolean;
  readonly #server: tls.Server;
  /** What follows a handshake, by the addresses of its connection. */
  readonly #pending = new Map<string, Handshake>();

  /** Throws an Error when certificate and key do not fit. */
  constructor(identity: TlsIdentity) {
    // Loaded only where it is used.
    const { createServer } = createRequire(import.meta.url)('node:tls') as typeof tls;
    const asks = (this.asksForCertificates = identity.ca !== undefined);
    // It listens nowhere: connections are handed to it.
    this.#server = createServer({
      ...contextOf(identity),
      noDelay: true,
      keepAlive: true,
      requestCert: asks,
      rejectUnauthorized: asks && identity.clientCertificates !== 'requested',
      handshakeTimeout: handshakeTimeoutMs,
    });
    this.#server.on('secureConnection', (secured) => this.#secured(secured));
    // A client without TLS, or with none that we speak, or without a certificate: its socket is closed by
    // then.
    this.#server.on('tlsClientError', () => {});
  }

  /** Handshakes under way. */
  get handshakes(): number {
    return this.#pending.size;
  }

  /**
   * Connections from now on are made with this identity. Throws an Error, and keeps the old one, when it does
   * not fit.
   */
  renew(identity: TlsIdentity): void {
    this.#server.setSecureContext(contextOf(identity));
  }

  /**
   * Begins TLS on a connection that was not read from; calls back when the handshake is over. A failed one is
   * closed.
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

  /** Cuts the connections whose handshakes are under way. */
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

/** Whether the client has shown a certificate that is not signed as asked; one that is required has been checked. */
function showsWrongCertificate(secured: tls.TLSSocket): boolean {
  return !secured.authorized && secured.getPeerX509Certificate() !== undefined;
}

/** The four parts of an address pair tell a connection from all others. */
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
