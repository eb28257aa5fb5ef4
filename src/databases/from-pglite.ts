import { resultOf } from './result.ts';
import type { SqlDatabase } from './sql-database.ts';
import { placed } from './statement.ts';

export interface PgliteTransaction {
  query(text: string, values?: never[]): Promise<unknown>;
}

/** PGlite: PostgreSQL inside the process. */
export interface PgliteClient<Tx extends PgliteTransaction> {
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  listen(channel: string, onNotice: () => void): Promise<() => Promise<void>>;
}

/** A `PGlite`. A transaction is what its `transaction()` hands to its callback. */
export function fromPglite<Tx extends PgliteTransaction>(database: PgliteClient<Tx>): SqlDatabase<Tx> {
  return {
    dialect: 'postgres',
    transaction: (work) => database.transaction(async (tx) => work(tx)),
    execute: async (tx, text, values) =>
      resultOf(await tx.query(placed('postgres', text), [...values] as never[])),
    listen: async (channel, onNotice) => ({ close: await database.listen(channel, onNotice) }),
  };
}
