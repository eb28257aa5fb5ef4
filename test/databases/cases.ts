import { PGlite } from '@electric-sql/pglite';
import { sql as drizzleSql } from 'drizzle-orm';
import { drizzle as drizzleMysql } from 'drizzle-orm/mysql2';
import { drizzle as drizzlePostgres } from 'drizzle-orm/node-postgres';
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite';
import knex from 'knex';
import { Kysely, MysqlDialect, PostgresDialect } from 'kysely';
import { createPool } from 'mysql2';
import { after } from 'node:test';
import postgres from 'postgres';
import {
  fromDrizzle,
  fromKnex,
  fromKysely,
  fromMysql,
  fromPg,
  fromPglite,
  fromPostgres,
  fromPrisma,
  fromSqlite,
  type SqlDatabase,
} from '../../src/databases/index.ts';
import { MariadbServer, noMariadb } from './mariadb-server.ts';
import { noPostgres, PostgresServer } from './postgres-server.ts';
import { WasmSqlite } from './wasm-sqlite.ts';

/** A database with the client that is under test. `Tx` is whatever the client hands out. */
export interface OpenDatabase {
  readonly database: SqlDatabase<unknown>;
  close(): unknown;
}

export interface DatabaseCase {
  readonly name: string;
  /** Why it cannot run here. */
  readonly skip: string | false;
  /** One connection: two transactions at once take turns. */
  readonly isSerial: boolean;
  /** Opens an empty database. */
  open(): Promise<OpenDatabase>;
}

/** Servers are started with the first case that needs them, and ended after the tests of the file. */
function shared<S extends AsyncDisposable>(create: () => Promise<S>): () => Promise<S> {
  let server: Promise<S> | undefined;
  after(async () => {
    await (await server)?.[Symbol.asyncDispose]();
  });
  return () => (server ??= create());
}

let last = 0;
const nextName = (): string => `test_${process.pid}_${++last}`;

/** Each client, on the database that it is for. Called once in a file of tests. */
export function databaseCases(): DatabaseCase[] {
  const postgresServer = shared(() => PostgresServer.create());
  const mariadbServer = shared(() => MariadbServer.create());
  // One for all, because its start takes a second of computing.
  const pglite = shared(async () => {
    const db = new PGlite();
    return { db, [Symbol.asyncDispose]: () => db.close() };
  });

  const inProcess = (name: string, open: (db: PGlite) => SqlDatabase<unknown>): DatabaseCase => ({
    name,
    skip: false,
    isSerial: true,
    open: async () => {
      const { db } = await pglite();
      await db.exec('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
      return { database: open(db), close: () => undefined };
    },
  });
  const onPostgres = (
    name: string,
    open: (server: PostgresServer, database: string) => OpenDatabase,
  ): DatabaseCase => ({
    name,
    skip: noPostgres,
    isSerial: false,
    open: async () => {
      const server = await postgresServer();
      const name = nextName();
      await server.createDatabase(name);
      return open(server, name);
    },
  });
  const onMariadb = (
    name: string,
    open: (server: MariadbServer, database: string) => OpenDatabase,
  ): DatabaseCase => ({
    name,
    skip: noMariadb,
    isSerial: false,
    open: async () => {
      const server = await mariadbServer();
      const name = nextName();
      await server.createDatabase(name);
      return open(server, name);
    },
  });

  return [
    inProcess('PGlite', (db) => fromPglite(db)),
    inProcess('Drizzle on PGlite', (db) =>
      fromDrizzle(drizzlePglite(db), { dialect: 'postgres', sql: drizzleSql }),
    ),
    // Its client is generated from a schema; this is the part of it that the adapter uses.
    inProcess('calls of Prisma on PGlite', (db) => {
      const client = {
        $transaction: <T>(work: (tx: PrismaCalls) => Promise<T>) =>
          db.transaction((tx) =>
            work({
              $queryRawUnsafe: async (text, ...values) => (await tx.query(text, values)).rows,
              $executeRawUnsafe: async (text, ...values) => (await tx.query(text, values)).affectedRows ?? 0,
            }),
          ),
      };
      return fromPrisma(client, { dialect: 'postgres' });
    }),
    {
      name: 'SQLite',
      skip: false,
      isSerial: true,
      open: async () => {
        const db = new WasmSqlite();
        return { database: fromSqlite(db), close: () => db.close() };
      },
    },
    nodeSqlite(),
    onPostgres('pg', (server, name) => {
      const pool = server.pool(name);
      return { database: fromPg(pool), close: () => pool.end() };
    }),
    onPostgres('Postgres.js', (server, database) => {
      const path = `${server.host}/.s.PGSQL.5432`;
      const sql = postgres({ path, user: 'test', database, onnotice: () => undefined });
      return { database: fromPostgres(sql), close: () => sql.end() };
    }),
    onPostgres('Drizzle on pg', (server, name) => {
      const pool = server.pool(name);
      const options = { dialect: 'postgres', sql: drizzleSql } as const;
      const database = fromDrizzle(drizzlePostgres(pool), options);
      return { database, close: () => pool.end() };
    }),
    onPostgres('Kysely on pg', (server, name) => {
      const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: server.pool(name) }) });
      const database = fromKysely(db, { dialect: 'postgres' });
      return { database, close: () => db.destroy() };
    }),
    onPostgres('Knex on pg', (server, database) => {
      const db = knex({ client: 'pg', connection: { host: server.host, user: 'test', database } });
      return {
        database: fromKnex(db, { dialect: 'postgres' }),
        close: () => db.destroy(),
      };
    }),
    onMariadb('mysql2', (server, name) => {
      const pool = server.pool(name);
      return { database: fromMysql(pool), close: () => pool.end() };
    }),
    onMariadb('Drizzle on mysql2', (server, name) => {
      const pool = server.pool(name);
      const options = { dialect: 'mysql', sql: drizzleSql } as const;
      const database = fromDrizzle(drizzleMysql(pool), options);
      return { database, close: () => pool.end() };
    }),
    onMariadb('Kysely on mysql2', (server, database) => {
      const pool = createPool({ socketPath: server.socketPath, user: 'root', database });
      const db = new Kysely<unknown>({ dialect: new MysqlDialect({ pool }) });
      return {
        database: fromKysely(db, { dialect: 'mysql' }),
        close: () => db.destroy(),
      };
    }),
    onMariadb('Knex on mysql2', (server, database) => {
      const db = knex({
        client: 'mysql2',
        connection: { socketPath: server.socketPath, user: 'root', database } as object,
      });
      return {
        database: fromKnex(db, { dialect: 'mysql' }),
        close: () => db.destroy(),
      };
    }),
  ];
}

interface PrismaCalls {
  $queryRawUnsafe(text: string, ...values: never[]): Promise<unknown>;
  $executeRawUnsafe(text: string, ...values: never[]): Promise<number>;
}

/** `node:sqlite`, which our oldest Node does not have. */
function nodeSqlite(): DatabaseCase {
  const hasIt = process.getBuiltinModule('node:sqlite') !== undefined;
  return {
    name: 'node:sqlite',
    skip: !hasIt && 'this Node has no node:sqlite',
    isSerial: true,
    open: async () => {
      const { DatabaseSync } = process.getBuiltinModule('node:sqlite') as unknown as {
        DatabaseSync: new (path: string) => WasmSqlite;
      };
      const db = new DatabaseSync(':memory:');
      return { database: fromSqlite(db), close: () => db.close() };
    },
  };
}
