import {
  inTurn,
  nowMs,
  numberPlace,
  textPlace,
  chain,
  type SqlDatabase,
  type SqlResult,
  type SqlValue,
} from '../databases/index.ts';
import { InboxError } from './errors.ts';
import { duplicate, type InboxKey, type InboxStore, type Once } from './store.ts';
import { inboxTable } from './tables.ts';

const isKey = 'consumer = ? AND topic = ? AND message_id = ?';

/** An SQL store is a table with a row for each handled message. */
export class SqlStore<Tx> implements InboxStore<Tx> {
  readonly #database: SqlDatabase<Tx>;
  readonly #table: string;
  readonly #text: string;
  readonly #isKey: string;

  constructor(database: SqlDatabase<Tx>, table: string) {
    this.#database = database;
    this.#table = table;
    this.#text = textPlace[database.dialect];
    this.#isKey = isKey.replaceAll('?', this.#text);
  }

  async once<T>(key: InboxKey, effect: (tx: Tx) => T | Promise<T>): Promise<Once<T>> {
    return this.#database.transaction<Once<T>>((tx) =>
      chain(this.claim(tx, key), (isNew) =>
        isNew
          ? chain(effect(tx), (value) => chain(this.#check(tx, key), () => ({ kind: 'handled', value })))
          : duplicate,
      ),
    );
  }

  claim(tx: Tx, key: InboxKey): boolean | Promise<boolean> {
    const { dialect } = this.#database;
    const columns = `${this.#table} (consumer, topic, message_id, handled_ms)`;
    const values = `VALUES (${this.#text}, ${this.#text}, ${this.#text}, ${nowMs[dialect]})`;
    // If another transaction has claimed the key and is still open, all three wait for its end.
    if (dialect === 'mysql')
      return chain(
        this.#execute(tx, `INSERT IGNORE INTO ${columns} ${values}`, valuesOf(key)),
        ({ changed }) => changed === 1,
      );
    const insert = `INSERT INTO ${columns} ${values} ON CONFLICT DO NOTHING RETURNING 1 AS claimed`;
    return chain(this.#execute(tx, insert, valuesOf(key)), ({ rows }) => rows.length === 1);
  }

  /**
   * Asks for the row of the key, after the effect. It is gone, or cannot be asked for, if a statement of the
   * effect failed in a way that ended the transaction (any error in PostgreSQL, a deadlock in MySQL) and the
   * program caught the error: a commit would then say "ok" although nothing was kept.
   */
  #check(tx: Tx, key: InboxKey): void | Promise<void> {
    const select = `SELECT 1 AS claimed FROM ${this.#table} WHERE ${this.#isKey}`;
    return chain(this.#execute(tx, select, valuesOf(key)), ({ rows }) => {
      if (rows.length === 1) return;
      throw new InboxError(
        'transaction-lost',
        `The transaction that handled message "${key.id}" of topic "${key.topic}" was ended before its effect returned: let errors of statements through, and leave the end of the transaction to the inbox.`,
      );
    });
  }

  async forget(key: InboxKey): Promise<boolean> {
    return (await this.#delete(`WHERE ${this.#isKey}`, valuesOf(key))) === 1;
  }

  async cleanUp(
    consumer: string,
    { olderThanMs, stepRows }: { olderThanMs: number; stepRows: number },
  ): Promise<number> {
    const { dialect } = this.#database;
    const number = numberPlace[dialect];
    const isOld = `consumer = ${this.#text} AND handled_ms < ${nowMs[dialect]} - ${number}`;
    const oldest = `WHERE ${isOld} ORDER BY handled_ms LIMIT ${number}`;
    const where =
      dialect === 'mysql'
        ? oldest
        : `WHERE (consumer, topic, message_id) IN (SELECT consumer, topic, message_id FROM ${this.#table} ${oldest})`;
    return this.#delete(where, [consumer, olderThanMs, stepRows]);
  }

  async migrate(): Promise<void> {
    await this.#database.transaction((tx) => {
      // Two processes that create a table at once would meet an error of PostgreSQL.
      const lock = this.#database.dialect === 'postgres' ? ['SELECT pg_advisory_xact_lock(770317001)'] : [];
      const statements = [...lock, ...inboxTable(this.#database.dialect, this.#table)];
      return inTurn(statements, (text) => this.#execute(tx, text, []));
    });
  }

  async #delete(where: string, values: readonly SqlValue[]): Promise<number> {
    const returning = this.#database.dialect === 'mysql' ? '' : ' RETURNING 1 AS gone';
    const text = `DELETE FROM ${this.#table} ${where}${returning}`;
    return this.#database.transaction((tx) =>
      chain(this.#execute(tx, text, values), ({ rows, changed }) => rows.length || changed),
    );
  }

  #execute(tx: Tx, text: string, values: readonly SqlValue[]): SqlResult | Promise<SqlResult> {
    return this.#database.execute(tx, text, values);
  }
}

function valuesOf({ consumer, topic, id }: InboxKey): SqlValue[] {
  return [consumer, topic, id];
}
