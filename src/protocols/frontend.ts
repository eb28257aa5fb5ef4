/**
 * A frontend is a protocol the server speaks: it listens, and turns what its clients say into calls of the broker.
 *
 * Each protocol folder exports one implementation.
 */
export interface Frontend {
  /** What the protocol is called in options, logs and metrics: `nats`, `kafka`, … */
  readonly name: string;
  /** False when anybody who can connect may do everything; the server refuses to listen on a public address then. */
  readonly authenticates: boolean;
  /** Open connections. */
  readonly connections: number;
  /** Starts to accept connections. Rejects with the error of the system (`EADDRINUSE`, `EACCES`, …). */
  listen(options: ListenOptions): Promise<{ readonly port: number }>;
  /** Stops accepting, tells clients to go elsewhere where the protocol can, writes out what waits, and closes what is still open after `graceMs`. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}
