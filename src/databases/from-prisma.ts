import type { Dialect, SqlDatabase, SqlRow } from './sql-database.ts';
import { placed } from './statement.ts';

export interface PrismaTransaction {
  $queryRawUnsafe(text: string, ...values: never[]): PromiseLike<unknown>;
  $executeRawUnsafe(text: string, ...values: never[]): PromiseLike<number>;
}

/** A `PrismaClient`. */
export interface PrismaClientLike<Tx extends PrismaTransaction> {
  $transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
}

/** A `PrismaClient`. A transaction is what an interactive `$transaction` hands to its callback. */
export function fromPrisma<Tx extends PrismaTransaction>(
  client: PrismaClientLike<Tx>,
  { dialect }: { readonly dialect: Dialect },
): SqlDatabase<Tx> {
  return {
    dialect,
    transaction: (work) => client.$transaction(async (tx) => work(tx)),
    execute: async (tx, text, values) => {
      const sql = placed(dialect, text);
      const given = values as readonly never[];
      if (/^\s*(SELECT|WITH)\b|\bRETURNING\b/i.test(text))
        return { rows: (await tx.$queryRawUnsafe(sql, ...given)) as SqlRow[], changed: 0 };
      return { rows: [], changed: await tx.$executeRawUnsafe(sql, ...given) };
    },
  };
}
