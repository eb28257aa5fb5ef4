import type { Dialect } from './sql-database.ts';

/**
 * An SQL expression: the database's time, in milliseconds since the epoch. In PostgreSQL and MySQL it is one
 * time for the whole of a statement; in SQLite it may go on from row to row.
 */
export const nowMs: { readonly [D in Dialect]: string } = {
  postgres: 'cast(extract(epoch from statement_timestamp()) * 1000 as bigint)',
  mysql: 'cast(unix_timestamp(current_timestamp(3)) * 1000 as signed)',
  sqlite: "cast((julianday('now') - 2440587.5) * 86400000 as integer)",
};

/** A place for a text. Some clients of PostgreSQL send values without a type, or with one of their own. */
export const textPlace: { readonly [D in Dialect]: string } = {
  postgres: 'cast(? as text)',
  mysql: '?',
  sqlite: '?',
};

/** A place for a whole number. */
export const numberPlace: { readonly [D in Dialect]: string } = {
  postgres: 'cast(? as bigint)',
  mysql: '?',
  sqlite: '?',
};

/** A table's name goes into statements as it is: letters, digits and `_`, perhaps with a schema before it. */
export function isTableName(name: unknown): name is string {
  return typeof name === 'string' && /^([A-Za-z_][A-Za-z0-9_]*\.)?[A-Za-z_][A-Za-z0-9_]{0,39}$/.test(name);
}
