import { isPromise } from './maybe.ts';
import type { SqlDatabase, SqlRow } from './sql-database.ts';

export interface SqliteStatement {
  all(...values: never[]): unknown;
  run(...values: never[]): unknown;
}

/** A database of better-sqlite3 or of `node:sqlite`. */
export interface SqliteDatabase {
  exec(text: string): unknown;
  prepare(text: string): SqliteStatement;
}

/**
 * A database of better-sqlite3, or a `DatabaseSync` of `node:sqlite`. It has one connection, so a transaction
 * is the database itself between BEGIN IMMEDIATE and COMMIT. The work must not await anything: statements of
 * the rest of the program would get into the transaction.
 */
export function fromSqlite<D extends SqliteDatabase>(database: D): SqlDatabase<D> {
  return {
    dialect: 'sqlite',
    transaction<T>(work: (tx: D) => T | Promise<T>): T {
      database.exec('BEGIN IMMEDIATE');
      let value: T | Promise<T>;
      try {
        value = work(database);
        if (isPromise(value)) {
          value.catch(() => undefined);
          throw new TypeError(
            'An effect on SQLite must be synchronous: it returned a promise, and was rolled back. Await nothing between its statements.',
          );
        }
        database.exec('COMMIT');
      } catch (error) {
        rollBack(database);
        throw error;
      }
      return value;
    },
    execute(_, text, values) {
      const statement = database.prepare(text);
      // better-sqlite3 refuses all() for statements without rows, and run() for those with some.
      if (/^\s*SELECT\b|\bRETURNING\b/i.test(text))
        return { rows: statement.all(...(values as readonly never[])) as SqlRow[], changed: 0 };
      const { changes } = statement.run(...(values as readonly never[])) as { changes: number | bigint };
      return { rows: [], changed: Number(changes) };
    },
  };
}

function rollBack(database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    // SQLite has rolled it back by itself, as after a full disk.
  }
}
