import { resultOf } from './result.ts';
import type { SqlDatabase } from './sql-database.ts';
import { placed } from './statement.ts';

/** What runs statements in Postgres.js. */
export interface PostgresSql {
  unsafe(text: string, values?: never[]): PromiseLike<unknown>;
}

/** The `sql` of Postgres.js (the package `postgres`). */
export interface PostgresClient {
  begin(work: never): Promise<unknown>;
  listen(channel: string, onNotice: (payload: string) => void): PromiseLike<{ unlisten(): Promise<void> }>;
}

/** What `sql.begin` hands to its callback. */
export type PostgresTransactionOf<S> = S extends {
  begin: {
    (work: (tx: infer Tx) => never): unknown;
    (options: string, work: never): unknown;
  };
}
  ? Tx
  : PostgresSql;

/** The `sql` of Postgres.js. A transaction is what `sql.begin` hands to its callback. */
export function fromPostgres<S extends PostgresClient>(sql: S): SqlDatabase<PostgresTransactionOf<S>> {
  return {
    dialect: 'postgres',
    async transaction<T>(work: (tx: PostgresTransactionOf<S>) => T | Promise<T>) {
      // In an object, because begin() awaits the members of an array.
      const begin = async (tx: PostgresTransactionOf<S>): Promise<unknown> => ({ value: await work(tx) });
      const { value } = (await sql.begin(begin as never)) as { value: T };
      return value;
    },
    execute: async (tx, text, values) =>
      resultOf(await (tx as PostgresSql).unsafe(placed('postgres', text), [...values] as never[])),
    // Postgres.js connects again by itself and listens again; the relay polls meanwhile.
    async listen(channel, onNotice) {
      const listening = await sql.listen(channel, onNotice);
      return { close: () => listening.unlisten() };
    },
  };
}
