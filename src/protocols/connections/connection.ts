/** A connection is one client of one protocol, as the rest of the server sees it. */
export interface Connection {
  /** Unique among all connections of a server, across protocols. */
  readonly id: number;
  info(): ConnectionInfo;
  /** Ends the connection at the request of an operator. */
  kick(): void;
}

/** A connection as the admin HTTP shows it. Protocols add counters of their own. */
export interface ConnectionInfo {
  readonly id: number;
  readonly protocol: string;
  readonly address: string;
  /** The name that the client gives itself. */
  readonly name: string;
  /** The user that the client has logged in as; null without a login. */
  readonly user: string | null;
  /** The client library and its version. */
  readonly software: string;
  readonly version: string;
  readonly connectedMs: number;
  readonly inBytes: number;
  readonly outBytes: number;
  /** Bytes that wait for the client to read them. */
  readonly pendingBytes: number;
}
