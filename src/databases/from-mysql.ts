import { resultOf } from './result.ts';
import type { SqlDatabase } from './sql-database.ts';

/** A connection of `mysql2/promise`. */
export interface MysqlConnection {
  beginTransaction(): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  query(text: string, values: unknown): Promise<unknown>;
  destroy(): void;
  release(): void;
}

/** A pool of `mysql2/promise`. */
export interface MysqlPool<C extends MysqlConnection> {
  getConnection(): Promise<C>;
}

/** A pool of `mysql2/promise`, for MySQL and MariaDB. A transaction is a connection of the pool. */
export function fromMysql<C extends MysqlConnection>(pool: MysqlPool<C>): SqlDatabase<C> {
  return {
    dialect: 'mysql',
    async transaction(work) {
      const connection = await pool.getConnection();
      let isBroken = false;
      try {
        await connection.beginTransaction();
        const value = await work(connection);
        await connection.commit();
        return value;
      } catch (error) {
        await connection.rollback().catch(() => (isBroken = true));
        throw error;
      } finally {
        if (isBroken) connection.destroy();
        else connection.release();
      }
    },
    execute: async (connection, text, values) => resultOf(await connection.query(text, values.map(bufferOf))),
  };
}

/** mysql2 takes bytes as a Buffer only; without one, as hexadecimal text would be. */
function bufferOf(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
