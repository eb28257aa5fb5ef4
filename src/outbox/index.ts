export { OutboxError, type OutboxErrorCode } from './errors.ts';
export { outbox, Outbox, type OutboxOptions } from './outbox.ts';
export type { OutboxLag, RowOrder, SetAsideRow } from './outbox-table.ts';
export { OutboxTopic, type Encoder, type OutboxTopicOptions } from './outbox-topic.ts';
export type { FindPublisher, Publisher, RelayedOptions } from './publisher.ts';
export { Relay, type RelayOptions, type RelayStats } from './relay.ts';
export type { OutboxMessageOptions } from './row.ts';
export { outboxTables } from './tables.ts';
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
