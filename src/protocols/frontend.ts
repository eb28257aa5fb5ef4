import type { Socket } from 'node:net';

/**
 * A frontend turns what the clients of one protocol say into calls of the broker. A door of the hall hands it
 * the connections.
 *
 * Each protocol folder has one implementation.
 */
export interface Frontend {
  /** What the protocol is called in options, logs and metrics: `nats`, `kafka`, … */
  readonly name: string;
  /** False when every client may do everything; the server refuses to listen on a public address then. */
  readonly authenticates: boolean;
  /** Open connections. */
  readonly connections: number;
  /** Takes over a connection that was accepted and not read from (`pauseOnConnect`). */
  accept(socket: Socket): void;
  /** Hears where the clients come in, before the first of them. */
  listening?(address: ListenOptions): void;
  /**
   * Accepts nothing more, tells clients to go elsewhere where the protocol can, writes out what waits, and
   * closes what is still open after `graceMs`.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}
