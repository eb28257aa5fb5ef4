/** A client of a protocol. Its protocol adds counters of its own. */
export interface ConnectionJson {
  /** Unique on this server. */
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

export interface ConnectionsJson {
  readonly protocols: readonly {
    readonly name: string;
    readonly connections: number;
    readonly authenticates: boolean;
  }[];
  /** Open connections, those that are not listed included. */
  readonly total: number;
  /** Those with the most `pendingBytes` come first. */
  readonly connections: readonly ConnectionJson[];
}

export interface ConnectionClosedJson {
  /** Its id. */
  readonly closed: number;
  readonly protocol: string;
  readonly address: string;
  readonly name: string;
}
