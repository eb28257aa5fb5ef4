/** A client of a protocol. Its protocol adds counters of its own. */
export interface ConnectionJson {
  /** Unique on this server. */
  readonly id: number;
  readonly protocol: string;
  readonly address: string;
  /** The name that the client gives itself. */
  readonly name: string;
  /** The user that it has logged in as; null without a login. */
  readonly user: string | null;
  /** The name and the version of the client library. */
  readonly software: string;
  readonly version: string;
  readonly connectedMs: number;
  readonly inBytes: number;
  readonly outBytes: number;
  /** Bytes that wait for the client to read them. */
  readonly pendingBytes: number;
  /** The counters of its protocol. */
  readonly [counter: string]: string | number | boolean | null;
}

export interface ConnectionsJson {
  readonly protocols: readonly {
    readonly name: string;
    readonly connections: number;
    readonly authenticates: boolean;
  }[];
  /** The number of open connections, including those that are not listed. */
  readonly total: number;
  /** Sorted by `pendingBytes`, the largest first. */
  readonly connections: readonly ConnectionJson[];
}

export interface ConnectionClosedJson {
  /** The id of the connection. */
  readonly closed: number;
  readonly protocol: string;
  readonly address: string;
  readonly name: string;
}
