import {
  chain,
  inTurn,
  nowMs,
  numberPlace,
  textPlace,
  type SqlDatabase,
  type SqlResult,
  type SqlRow,
  type SqlValue,
} from '../databases/index.ts';
import { rowOf, textOf, type NewRow, type OutboxRow } from './row.ts';
import { outboxTables } from './tables.ts';

/** In which order rows are published; see docs/outbox.md. */
export type RowOrder = 'insertion' | 'transaction';

/** A row that was set aside: its publish failed too often. */
export interface SetAsideRow {
  readonly id: string;
  readonly topic: string;
  readonly key: string | undefined;
  readonly attempts: number;
  /** The message of the last error. */
  readonly cause: string;
  readonly setAsideMs: number;
}

/** How far the relay is behind. */
export interface OutboxLag {
  /** Rows that wait to be published. */
  readonly rows: number;
  /** Age of the oldest of them; 0 if none waits. */
  readonly oldestAgeMs: number;
  /** Rows that were set aside, which are not among `rows`. */
  readonly setAside: number;
}

const bytesPlace = { postgres: 'cast(? as bytea)', mysql: '?', sqlite: '?' } as const;

/** The table of an outbox: every statement that it needs. */
export class OutboxTable<Tx> {
  readonly database: SqlDatabase<Tx>;
  readonly #table: string;
  readonly #order: RowOrder;
  readonly #text: string;
  readonly #number: string;
  readonly #now: string;

  constructor(database: SqlDatabase<Tx>, table: string, order: RowOrder) {
    this.database = database;
    this.#table = table;
    this.#order = order;
    this.#text = textPlace[database.dialect];
    this.#number = numberPlace[database.dialect];
    this.#now = nowMs[database.dialect];
  }

  /** The channel of NOTIFY. */
  get channel(): string {
    return this.#table.replace('.', '_').toLowerCase();
  }

  /** Inserts a row in a transaction of the user. With `notify`, PostgreSQL tells the relay at the commit. */
  insert(tx: Tx, row: NewRow, notify: boolean): void | Promise<void> {
    const { dialect } = this.database;
    const places = `${this.#text}, ${this.#text}, ${this.#text}, ${bytesPlace[dialect]}, ${this.#text}, ${this.#now}`;
    const insert = `INSERT INTO ${this.#table} (id, topic, message_key, value, options, created_ms) VALUES (${places})`;
    const { buffer, byteOffset, byteLength } = row.value;
    // A Buffer, because some clients know bytes as such only.
    const value = Buffer.from(buffer, byteOffset, byteLength);
    const values = [row.id, row.topic, row.key, value, JSON.stringify(row.options)];
    // One statement, so one round trip. Equal notices of one transaction are one notice.
    const text =
      dialect === 'postgres' && notify
        ? `WITH stored AS (${insert} RETURNING 1) SELECT cast(pg_notify('${this.channel}', '') as text) FROM stored`
        : insert;
    return chain(this.database.execute(tx, text, values), () => undefined);
  }

  /**
   * The next rows to publish, in order, read by one statement: rows that commit meanwhile, perhaps with lower
   * numbers, are seen by the next call. Left out are rows that were set aside or wait for another try, later
   * rows of their keys, and the topics given.
   */
  async next(limit: number, heldTopics: readonly string[], keyWaits: boolean): Promise<OutboxRow[]> {
    const topics = heldTopics.map(() => this.#text).join(', ');
    // One time for all rows: if it went on between a row that waits and a later one of its key, the later one
    // would be read without the first. SQLite's does, and is this machine's.
    const isSqlite = this.database.dialect === 'sqlite';
    const now = isSqlite ? String(Date.now()) : this.#now;
    const holdsKey = `f.set_aside_ms IS NULL AND f.retry_ms > ${now}`;
    const where = [
      'o.set_aside_ms IS NULL',
      `o.retry_ms <= ${now}`,
      `NOT EXISTS (SELECT 1 FROM ${this.#table} f
        WHERE f.attempts > 0 AND f.topic = o.topic AND f.message_key = o.message_key AND f.seq <> o.seq
        AND (${holdsKey}${keyWaits ? ' OR f.set_aside_ms IS NOT NULL' : ''}))`,
      ...(heldTopics.length > 0 ? [`o.topic NOT IN (${topics})`] : []),
      ...(this.#order === 'transaction'
        ? ['o.transaction_id < pg_snapshot_xmin(pg_current_snapshot())']
        : []),
    ];
    const by = this.#order === 'transaction' ? 'o.transaction_id, o.seq' : 'o.seq';
    const text = `SELECT o.seq, o.id, o.topic, o.message_key, o.value, o.options, o.attempts FROM ${this.#table} o
      WHERE ${where.join(' AND ')} ORDER BY ${by} LIMIT ${this.#number}`;
    return (await this.#rows(text, [...heldTopics, limit])).map(rowOf);
  }

  /** Deletes rows that are published. */
  async remove(rows: readonly OutboxRow[]): Promise<void> {
    if (rows.length === 0) return;
    const places = rows.map(() => this.#number).join(', ');
    await this.#run(
      `DELETE FROM ${this.#table} WHERE seq IN (${places})`,
      rows.map(({ seq }) => seq),
    );
  }

  /** Notes a failed publish: the row waits for another try, or is set aside. */
  async failed(row: OutboxRow, cause: string, outcome: { retryInMs: number } | 'set-aside'): Promise<void> {
    const { seq, attempts } = row;
    const next =
      outcome === 'set-aside' ? `set_aside_ms = ${this.#now}` : `retry_ms = ${this.#now} + ${this.#number}`;
    const waits = outcome === 'set-aside' ? [] : [Math.ceil(outcome.retryInMs)];
    const text = `UPDATE ${this.#table} SET attempts = ${this.#number}, cause = ${this.#text}, ${next} WHERE seq = ${this.#number}`;
    await this.#run(text, [attempts + 1, cause, ...waits, seq]);
  }

  async lag(): Promise<OutboxLag> {
    const oldest = 'min(CASE WHEN set_aside_ms IS NULL THEN created_ms END)';
    const text = `SELECT count(*) AS n, count(set_aside_ms) AS aside, ${this.#now} - ${oldest} AS age FROM ${this.#table}`;
    const [row] = await this.#rows(text, []);
    const setAside = Number(row?.['aside'] ?? 0);
    const oldestAgeMs = Math.max(0, Number(row?.['age'] ?? 0));
    return { rows: Number(row?.['n'] ?? 0) - setAside, oldestAgeMs, setAside };
  }

  async setAside(limit: number): Promise<SetAsideRow[]> {
    const text = `SELECT id, topic, message_key, attempts, cause, set_aside_ms FROM ${this.#table}
      WHERE attempts > 0 AND set_aside_ms IS NOT NULL ORDER BY seq LIMIT ${this.#number}`;
    return (await this.#rows(text, [limit])).map((row) => ({
      id: textOf(row['id']),
      topic: textOf(row['topic']),
      key: row['message_key'] === null ? undefined : textOf(row['message_key']),
      attempts: Number(row['attempts']),
      cause: textOf(row['cause'] ?? ''),
      setAsideMs: Number(row['set_aside_ms']),
    }));
  }

  /** Puts a row that was set aside back in its place, or deletes it. */
  async settle(id: string, how: 'retry' | 'discard'): Promise<boolean> {
    const where = `WHERE attempts > 0 AND set_aside_ms IS NOT NULL AND id = ${this.#text}`;
    const [row] = await this.#rows(`SELECT seq FROM ${this.#table} ${where}`, [id]);
    const change = `UPDATE ${this.#table} SET attempts = 0, retry_ms = 0, set_aside_ms = NULL`;
    await this.#run(`${how === 'retry' ? change : `DELETE FROM ${this.#table}`} ${where}`, [id]);
    return row !== undefined;
  }

  /** Takes or renews the lease of the active relay. Resolves to whether the holder has it. */
  async lease(holder: string, leaseMs: number): Promise<boolean> {
    const table = `${this.#table}_lease`;
    const text = this.#text;
    const ignore = this.database.dialect === 'mysql' ? 'INSERT IGNORE' : 'INSERT';
    const conflict = this.database.dialect === 'mysql' ? '' : ' ON CONFLICT DO NOTHING';
    const first = `${ignore} INTO ${table} (name, holder, expires_ms) VALUES ('relay', ${text}, 0)${conflict}`;
    const take = `UPDATE ${table} SET holder = ${text}, expires_ms = ${this.#now} + ${this.#number}
      WHERE name = 'relay' AND (holder = ${text} OR expires_ms < ${this.#now})`;
    const read = `SELECT holder FROM ${table} WHERE name = 'relay'`;
    // Locks the row, and so reads what was committed last: MySQL reads as of the begin otherwise.
    const readLast = this.database.dialect === 'sqlite' ? read : `${read} FOR UPDATE`;
    return this.database.transaction((tx) =>
      chain(this.#execute(tx, read), ({ rows: [row] }) =>
        chain(row ? undefined : this.#execute(tx, first, [holder]), () =>
          chain(this.#execute(tx, take, [holder, leaseMs, holder]), () =>
            chain(this.#execute(tx, readLast), ({ rows: [row] }) => textOf(row?.['holder']) === holder),
          ),
        ),
      ),
    );
  }

  async release(holder: string): Promise<void> {
    await this.#run(`UPDATE ${this.#table}_lease SET expires_ms = 0 WHERE holder = ${this.#text}`, [holder]);
  }

  async migrate(): Promise<void> {
    const { dialect } = this.database;
    // Two processes that create a table at once would meet an error of PostgreSQL.
    const lock = dialect === 'postgres' ? ['SELECT cast(pg_advisory_xact_lock(770317002) as text)'] : [];
    const index = `CREATE INDEX IF NOT EXISTS ${this.channel}_order ON ${this.#table} (transaction_id, seq)`;
    const order = this.#order === 'transaction' ? [index] : [];
    const statements = [...lock, ...outboxTables(dialect, this.#table), ...order];
    await this.database.transaction((tx) => inTurn(statements, (text) => this.#execute(tx, text)));
  }

  async #rows(text: string, values: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    const { rows } = await this.database.transaction((tx) => this.#execute(tx, text, values));
    return rows;
  }

  async #run(text: string, values: readonly SqlValue[]): Promise<void> {
    await this.database.transaction((tx) => this.#execute(tx, text, values));
  }

  #execute(tx: Tx, text: string, values: readonly SqlValue[] = []): SqlResult | Promise<SqlResult> {
    return this.database.execute(tx, text, values);
  }
}
