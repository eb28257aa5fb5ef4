/** The SQL that a database speaks. MariaDB is `mysql`; PGlite is `postgres`. */
export type Dialect = 'postgres' | 'mysql' | 'sqlite';

export type SqlValue = string | number | Uint8Array | null;

export interface SqlRow {
  readonly [column: string]: unknown;
}

export interface SqlResult {
  /** Empty for a statement that returns no rows. */
  readonly rows: readonly SqlRow[];
  /** Number of rows that a write changed; 0 where the driver does not tell. */
  readonly changed: number;
}

/**
 * An SQL database is the user's own client for it: a connection, a pool or a query builder. `Tx` is the
 * transaction that the client hands to its user. Clients that work synchronously (SQLite) return results, the
 * others promises of results.
 */
export interface SqlDatabase<Tx> {
  readonly dialect: Dialect;
  /** Runs `work` in a transaction, which commits if it returns, and is rolled back if it throws. */
  transaction<T>(work: (tx: Tx) => T | Promise<T>): T | Promise<T>;
  /** Runs one statement. `?` is a place for a value; a statement has no other question mark. */
  execute(tx: Tx, text: string, values: readonly SqlValue[]): SqlResult | Promise<SqlResult>;
  /**
   * Calls back at each notice on a channel (PostgreSQL: LISTEN). Absent: the client cannot listen. `onLost`
   * is called if the connection is lost, and no notice comes any more.
   */
  listen?(channel: string, onNotice: () => void, onLost: () => void): Promise<Listening>;
}

export interface Listening {
  close(): Promise<void>;
}
