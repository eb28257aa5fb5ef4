import { resultOf } from './result.ts';
import type { Dialect, SqlDatabase } from './sql-database.ts';

export interface KnexTransaction {
  raw(text: string, values: never): PromiseLike<unknown>;
}

/** A `Knex`. */
export interface KnexDatabase<Tx extends KnexTransaction> {
  transaction(work: (tx: Tx) => Promise<never>): Promise<unknown>;
}

/** A `Knex`. A transaction is a `Knex.Transaction`. */
export function fromKnex<Tx extends KnexTransaction>(
  database: KnexDatabase<Tx>,
  { dialect }: { readonly dialect: Dialect },
): SqlDatabase<Tx> {
  return {
    dialect,
    transaction: <T>(work: (tx: Tx) => T | Promise<T>) =>
      database.transaction((async (tx: Tx) => work(tx)) as (tx: Tx) => Promise<never>) as Promise<T>,
    execute: async (tx, text, values) => resultOf(await tx.raw(text, [...values] as never)),
  };
}
