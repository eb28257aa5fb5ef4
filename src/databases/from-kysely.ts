import { resultOf } from './result.ts';
import type { Dialect, SqlDatabase } from './sql-database.ts';
import { placed } from './statement.ts';

/** A database of Kysely. */
export interface KyselyDatabase<Tx> {
  transaction(): { execute<T>(work: (tx: Tx) => Promise<T>): Promise<T> };
}

/** What runs compiled queries in Kysely. */
interface KyselyExecutor {
  executeQuery(query: unknown): Promise<unknown>;
}

/** A `Kysely`. A transaction is a `Transaction` of Kysely. */
export function fromKysely<Tx>(
  database: KyselyDatabase<Tx>,
  { dialect }: { readonly dialect: Dialect },
): SqlDatabase<Tx> {
  return {
    dialect,
    transaction: (work) => database.transaction().execute(async (tx) => work(tx)),
    execute: async (tx, text, values) => {
      const sql = placed(dialect, text);
      // What `CompiledQuery.raw(sql, values)` of Kysely makes.
      const query = { kind: 'RawNode', sqlFragments: [sql], parameters: [] };
      const compiled = { sql, query, parameters: values, queryId: { queryId: 'pillarbox' } };
      return resultOf(await (tx as unknown as KyselyExecutor).executeQuery(compiled));
    },
  };
}
