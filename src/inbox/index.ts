export { InboxError, type InboxErrorCode } from './errors.ts';
export { inbox, Inbox, type InboxOptions } from './inbox.ts';
export { idHeader, messageId, type IncomingMessage } from './message-id.ts';
export { fromMongo, type MongoClientLike, type MongoOptions, type MongoSession } from './mongo-store.ts';
export {
  fromIoredis,
  fromRedis,
  type IoredisClient,
  type RedisClientLike,
  type RedisCommands,
  type RedisOptions,
} from './redis-store.ts';
export type { CleanUpOptions, InboxKey, InboxStore, Once } from './store.ts';
export { inboxTable } from './tables.ts';
export {
  fromDrizzle,
  fromKnex,
  fromKysely,
  fromMysql,
  fromPg,
  fromPglite,
  fromPostgres,
  fromPrisma,
  fromSqlite,
  type Dialect,
  type PgPool,
  type SqlDatabase,
} from '../databases/index.ts';
