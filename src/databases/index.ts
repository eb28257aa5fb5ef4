export { isTableName, nowMs, numberPlace, textPlace } from './dialects.ts';
export { fromDrizzle, type DrizzleDatabase, type DrizzleOptions, type DrizzleTag } from './from-drizzle.ts';
export { fromKnex, type KnexDatabase, type KnexTransaction } from './from-knex.ts';
export { fromKysely, type KyselyDatabase } from './from-kysely.ts';
export { fromMysql, type MysqlConnection, type MysqlPool } from './from-mysql.ts';
export { fromPg, type PgClient, type PgClientOf, type PgPool } from './from-pg.ts';
export { fromPglite, type PgliteClient, type PgliteTransaction } from './from-pglite.ts';
export {
  fromPostgres,
  type PostgresClient,
  type PostgresSql,
  type PostgresTransactionOf,
} from './from-postgres.ts';
export { fromPrisma, type PrismaClientLike, type PrismaTransaction } from './from-prisma.ts';
export { fromSqlite, type SqliteDatabase, type SqliteStatement } from './from-sqlite.ts';
export { inTurn, chain } from './maybe.ts';
export type { Dialect, Listening, SqlDatabase, SqlResult, SqlRow, SqlValue } from './sql-database.ts';
