/** A connection is one client of one protocol, as the rest of the server sees it. */
export interface Connection {
  /** Unique among all connections of a server, of whatever protocol. */
  readonly id: number;
  info(): ConnectionInfo;
  /** Ends the connection because an operator asks for it. */
  kick(): void;
}

/** A connection as the admin HTTP shows it. A protocol adds counters of its own. */
export interface ConnectionInfo {
  readonly id: number;
  readonly protocol: string;
  readonly address: string;
  /** The name that the client gives itself. */
  readonly name: string;
  /** The user it has logged in as; null without a login. */
  readonly user: string | null;
  /** The client library, and its version. */
  readonly software: string;
  readonly version: string;
  readonly connectedMs: number;
  readonly inBytes: number;
  readonly outBytes: number;
  /** Bytes that wait for the client to read them. */
  readonly pendingBytes: number;
}
