import type { Dialect } from '../databases/index.ts';

/**
 * The statements that make the tables of an outbox: its rows, and the lease of the relay that is active. Rows
 * are read by `seq` and deleted; the index beside it is for the few rows whose publish has failed.
 */
export function outboxTables(dialect: Dialect, table: string = 'pillarbox_outbox'): readonly string[] {
  return statements[dialect](table, `${table.replace('.', '_')}_failed`);
}

const statements: { readonly [D in Dialect]: (table: string, index: string) => string[] } = {
  postgres: (table, index) => [
    `CREATE TABLE IF NOT EXISTS ${table} (
  seq            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
  id             text NOT NULL,
  topic          text COLLATE "C" NOT NULL,
  message_key    text COLLATE "C",
  value          bytea NOT NULL,
  options        text NOT NULL,
  created_ms     bigint NOT NULL,
  attempts       integer NOT NULL DEFAULT 0,
  retry_ms       bigint NOT NULL DEFAULT 0,
  set_aside_ms   bigint,
  cause          text
)`,
    `CREATE INDEX IF NOT EXISTS ${index} ON ${table} (topic, message_key) WHERE attempts > 0`,
    `CREATE TABLE IF NOT EXISTS ${table}_lease (
  name       text PRIMARY KEY,
  holder     text NOT NULL,
  expires_ms bigint NOT NULL
)`,
  ],
  // Bytes, because texts are compared without regard to case and trailing blanks.
  mysql: (table, index) => [
    `CREATE TABLE IF NOT EXISTS ${table} (
  seq          bigint AUTO_INCREMENT PRIMARY KEY,
  id           varchar(200) CHARACTER SET ascii NOT NULL,
  topic        varbinary(512) NOT NULL,
  message_key  varbinary(1024),
  value        longblob NOT NULL,
  options      longtext CHARACTER SET utf8mb4 NOT NULL,
  created_ms   bigint NOT NULL,
  attempts     integer NOT NULL DEFAULT 0,
  retry_ms     bigint NOT NULL DEFAULT 0,
  set_aside_ms bigint,
  cause        text CHARACTER SET utf8mb4,
  KEY ${index} (attempts)
) ENGINE = InnoDB`,
    `CREATE TABLE IF NOT EXISTS ${table}_lease (
  name       varchar(64) CHARACTER SET ascii PRIMARY KEY,
  holder     varchar(64) CHARACTER SET ascii NOT NULL,
  expires_ms bigint NOT NULL
) ENGINE = InnoDB`,
  ],
  // AUTOINCREMENT: a number is never used again, also not that of the last row, which was deleted.
  sqlite: (table, index) => [
    `CREATE TABLE IF NOT EXISTS ${table} (
  seq          integer PRIMARY KEY AUTOINCREMENT,
  id           text NOT NULL,
  topic        text NOT NULL,
  message_key  text,
  value        blob NOT NULL,
  options      text NOT NULL,
  created_ms   integer NOT NULL,
  attempts     integer NOT NULL DEFAULT 0,
  retry_ms     integer NOT NULL DEFAULT 0,
  set_aside_ms integer,
  cause        text
)`,
    `CREATE INDEX IF NOT EXISTS ${index} ON ${table} (topic, message_key) WHERE attempts > 0`,
    `CREATE TABLE IF NOT EXISTS ${table}_lease (
  name       text PRIMARY KEY,
  holder     text NOT NULL,
  expires_ms integer NOT NULL
)`,
  ],
};
