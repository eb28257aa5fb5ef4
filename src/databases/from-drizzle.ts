import { chain } from './maybe.ts';
import { resultOf } from './result.ts';
import type { Dialect, SqlDatabase, SqlResult, SqlRow } from './sql-database.ts';
import { tagged } from './statement.ts';

/** The template tag `sql` of `drizzle-orm`. */
export type DrizzleTag = (parts: TemplateStringsArray, ...values: never[]) => unknown;

/** A database of Drizzle. */
export interface DrizzleDatabase<Tx> {
  transaction(work: (tx: Tx) => Promise<never>): unknown;
}

export interface DrizzleOptions {
  readonly dialect: Dialect;
  /** `sql` of `drizzle-orm`. */
  readonly sql: DrizzleTag;
}

/** The parts of a transaction that run statements: `all` in SQLite, `execute` elsewhere. */
interface DrizzleTransaction {
  execute?(query: unknown): Promise<unknown>;
  all?(query: unknown): unknown;
  run?(query: unknown): unknown;
}

/**
 * A database of Drizzle, on any of its drivers. A transaction is what `db.transaction` hands to its callback.
 */
export function fromDrizzle<Tx>(
  database: DrizzleDatabase<Tx>,
  { dialect, sql }: DrizzleOptions,
): SqlDatabase<Tx> {
  return {
    dialect,
    transaction<T>(work: (tx: Tx) => T | Promise<T>) {
      // Drivers of SQLite that work synchronously want a callback that returns no promise.
      const run = dialect === 'sqlite' ? work : async (tx: Tx) => work(tx);
      return database.transaction(run as (tx: Tx) => Promise<never>) as T | Promise<T>;
    },
    execute(tx, text, values): SqlResult | Promise<SqlResult> {
      const query = tagged(sql, text, values);
      const by = tx as DrizzleTransaction;
      if (by.execute) return by.execute(query).then(resultOf);
      if (/^\s*SELECT\b|\bRETURNING\b/i.test(text))
        return chain(by.all!(query), (rows) => ({ rows: rows as SqlRow[], changed: 0 }));
      return chain(by.run!(query), resultOf);
    },
  };
}
