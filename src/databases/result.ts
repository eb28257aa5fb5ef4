import type { SqlResult, SqlRow } from './sql-database.ts';

const counts = ['rowCount', 'affectedRows', 'numAffectedRows', 'changes', 'count'] as const;

/**
 * The result of a statement in the forms that clients give it: an array of rows, with a `count`
 * (Postgres.js), or followed by fields (mysql2: `[rows or header, fields]`); an object with `rows` and a
 * count (pg, PGlite, Kysely); the header of a write (mysql2, SQLite).
 */
export function resultOf(raw: unknown): SqlResult {
  if (Array.isArray(raw)) {
    const [first] = raw as unknown[];
    // mysql2 has a pair: the rows (an array) or a header, and the fields of the rows.
    const isPair = raw.length === 2 && (Array.isArray(first) || isHeader(first));
    if (isPair) return resultOf(first);
    return { rows: raw as SqlRow[], changed: countOf(raw) };
  }
  if (typeof raw !== 'object' || raw === null) return { rows: [], changed: Number(raw ?? 0) };
  const { rows } = raw as { rows?: SqlRow[] };
  return { rows: rows ?? [], changed: countOf(raw) };
}

function isHeader(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'affectedRows' in value && 'warningStatus' in value;
}

function countOf(raw: object): number {
  for (const name of counts) {
    const count = (raw as { [name: string]: unknown })[name];
    if (typeof count === 'number' || typeof count === 'bigint') return Number(count);
  }
  return 0;
}
