import type { Dialect } from '../databases/index.ts';

/**
 * The statements that make the table of an inbox. The primary key is what makes the effects happen once; the
 * index beside it is for the clean-up alone.
 */
export function inboxTable(dialect: Dialect, table: string = 'pillarbox_inbox'): readonly string[] {
  return statements[dialect](table, `${table.replace('.', '_')}_handled`);
}

const statements: { readonly [D in Dialect]: (table: string, index: string) => string[] } = {
  postgres: (table, index) => [
    `CREATE TABLE IF NOT EXISTS ${table} (
  consumer   text COLLATE "C" NOT NULL,
  topic      text COLLATE "C" NOT NULL,
  message_id text COLLATE "C" NOT NULL,
  handled_ms bigint NOT NULL,
  PRIMARY KEY (consumer, topic, message_id)
)`,
    `CREATE INDEX IF NOT EXISTS ${index} ON ${table} (consumer, handled_ms)`,
  ],
  // Bytes, because texts are compared without regard to case and trailing blanks.
  mysql: (table, index) => [
    `CREATE TABLE IF NOT EXISTS ${table} (
  consumer   varbinary(512) NOT NULL,
  topic      varbinary(512) NOT NULL,
  message_id varbinary(512) NOT NULL,
  handled_ms bigint NOT NULL,
  PRIMARY KEY (consumer, topic, message_id),
  KEY ${index} (consumer, handled_ms)
) ENGINE = InnoDB`,
  ],
  sqlite: (table, index) => [
    `CREATE TABLE IF NOT EXISTS ${table} (
  consumer   text NOT NULL,
  topic      text NOT NULL,
  message_id text NOT NULL,
  handled_ms integer NOT NULL,
  PRIMARY KEY (consumer, topic, message_id)
) WITHOUT ROWID`,
    `CREATE INDEX IF NOT EXISTS ${index} ON ${table} (consumer, handled_ms)`,
  ],
};
