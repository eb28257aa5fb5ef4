import type { Dialect } from './sql-database.ts';

/** The text of a statement as the server takes it: PostgreSQL numbers the places for values. */
export function placed(dialect: Dialect, text: string): string {
  if (dialect !== 'postgres') return text;
  let at = 0;
  return text.replaceAll('?', () => `$${++at}`);
}

/** A template tag, such as the `sql` of Drizzle, called as a template of this statement would call it. */
export function tagged<Q>(
  tag: (parts: TemplateStringsArray, ...values: never[]) => Q,
  text: string,
  values: readonly unknown[],
): Q {
  const parts = text.split('?');
  return tag(Object.assign(parts, { raw: parts }), ...(values as readonly never[]));
}
