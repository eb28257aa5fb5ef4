/** The fields that a request asks for: names, with the fields inside them; undefined: all of it. */
export interface Columns {
  readonly [name: string]: Columns | undefined;
}

const columnsMax = 200;

/** `columns=name,message_stats.publish`; undefined: all. */
export function columnsOf(query: URLSearchParams): Columns | undefined {
  const given = query.get('columns');
  if (given === null) return undefined;
  const paths = given.split(',').slice(0, columnsMax);
  return treeOf(paths.map((path) => path.split('.').filter((part) => part !== '')));
}

function treeOf(paths: readonly (readonly string[])[]): Columns {
  const below = new Map<string, (readonly string[])[]>();
  for (const [name, ...rest] of paths) {
    if (name === undefined) continue;
    const paths = below.get(name) ?? [];
    paths.push(rest);
    below.set(name, paths);
  }
  return Object.fromEntries(
    Array.from(below, ([name, paths]) => [
      name,
      paths.some((path) => path.length === 0) ? undefined : treeOf(paths),
    ]),
  );
}

/** The object with these fields only; in lists inside of it, each entry. */
export function withColumns(object: object, columns: Columns): object {
  if (Array.isArray(object)) return object.map((entry) => partOf(entry, columns));
  return Object.fromEntries(
    Object.entries(object).flatMap(([name, value]) => {
      if (!Object.hasOwn(columns, name)) return [];
      const inner = columns[name];
      return [[name, inner === undefined ? (value as unknown) : partOf(value, inner)]];
    }),
  );
}

function partOf(value: unknown, columns: Columns): unknown {
  return typeof value === 'object' && value !== null ? withColumns(value, columns) : value;
}
