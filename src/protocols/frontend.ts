import type { Socket } from 'node:net';

/**
 * A frontend turns the requests of one protocol's clients into calls of the broker. A door of the hall hands
 * it the connections.
 *
 * Each protocol folder has one implementation.
 */
export interface Frontend {
  /** The name of the protocol in options, logs and metrics: `nats`, `kafka`, … */
  readonly name: string;
  /** False if every client may do everything; the server then refuses to listen on a public address. */
  readonly authenticates: boolean;
  /** Open connections. */
  readonly connections: number;
  /** Takes over a connection that was accepted but not read from (`pauseOnConnect`). */
  accept(socket: Socket): void;
  /** Tells the frontend the address that clients connect to, before the first client does. */
  listening?(address: ListenOptions): void;
  /**
   * Accepts no more connections and, if the protocol can, tells clients to go elsewhere. Writes the waiting
   * output, and closes the connections that are still open after `graceMs`.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}
