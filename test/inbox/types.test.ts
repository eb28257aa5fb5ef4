import { PGlite, type Transaction as PgliteTransaction } from '@electric-sql/pglite';
import { createClient } from '@redis/client';
import { sql as drizzleSql } from 'drizzle-orm';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { Redis } from 'ioredis';
import type { Knex } from 'knex';
import type { Kysely, Transaction } from 'kysely';
import { MongoClient, type ClientSession } from 'mongodb';
import type { Pool as MysqlPool, PoolConnection } from 'mysql2/promise';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pool, PoolClient } from 'pg';
import type { Sql, TransactionSql } from 'postgres';
import type { Delivery } from '../../src/index.ts';
import {
  fromDrizzle,
  fromIoredis,
  fromKnex,
  fromKysely,
  fromMongo,
  fromMysql,
  fromPg,
  fromPglite,
  fromPostgres,
  fromRedis,
  inbox,
  type Inbox,
  type RedisCommands,
} from '../../src/inbox/index.ts';

// The compiler is the test: an effect gets the transaction in the type of the user's own client.

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
type TxOf<I> = I extends Inbox<infer Tx> ? Tx : never;
const same = <A, B>(_is: Same<A, B>): void => undefined;

interface Tables {
  account: { id: number };
}

/** Never called. */
export async function compiles(
  pool: Pool,
  sql: Sql,
  kysely: Kysely<Tables>,
  knex: Knex,
  mysql: MysqlPool,
  delivery: Delivery<{ cents: number }>,
): Promise<void> {
  const consumer = 'bank';
  const ofPg = inbox({ database: fromPg(pool), consumer });
  same<TxOf<typeof ofPg>, PoolClient>(true);
  const ofPostgres = inbox({ database: fromPostgres(sql), consumer });
  same<TxOf<typeof ofPostgres>, TransactionSql>(true);
  const ofKysely = inbox({ database: fromKysely(kysely, { dialect: 'postgres' }), consumer });
  same<TxOf<typeof ofKysely>, Transaction<Tables>>(true);
  const ofKnex = inbox({ database: fromKnex(knex, { dialect: 'mysql' }), consumer });
  same<TxOf<typeof ofKnex>, Knex.Transaction>(true);
  const ofMysql = inbox({ database: fromMysql(mysql), consumer });
  same<TxOf<typeof ofMysql>, PoolConnection>(true);
  const ofPglite = inbox({ database: fromPglite(new PGlite()), consumer });
  same<TxOf<typeof ofPglite>, PgliteTransaction>(true);
  const ofMongo = inbox({ database: fromMongo(new MongoClient('')), consumer });
  same<TxOf<typeof ofMongo>, ClientSession>(true);
  const ofRedis = inbox({ database: fromRedis(createClient(), { keepMs: 1 }), consumer });
  same<TxOf<typeof ofRedis>, RedisCommands>(true);
  inbox({ database: fromIoredis(new Redis(), { keepMs: 1 }), consumer });
  const db: NodePgDatabase & { $client: Pool } = drizzle(pool);
  const ofDrizzle = inbox({ database: fromDrizzle(db, { dialect: 'postgres', sql: drizzleSql }), consumer });
  await ofDrizzle.once(delivery, (tx) => tx.select({ one: drizzleSql<number>`1` }));

  const outcome = await ofPg.once(delivery, async (client) => {
    await client.query('UPDATE account SET cents = $1', [delivery.value.cents]);
    return 7;
  });
  if (outcome.kind === 'handled') outcome.value.toFixed();
  // @ts-expect-error: a duplicate has no value
  else outcome.value.toFixed();
  // @ts-expect-error: every inbox is that of a consumer
  inbox({ database: fromPg(pool) });
  // @ts-expect-error: a connection of pg has no `execute`
  await ofPg.once(delivery, (client) => client.execute('SELECT 1'));
}

test('transactions have the types of their clients', () => assert.equal(typeof compiles, 'function'));
