import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { findRoute } from '../../../src/protocols/index.ts';
import { routes } from '../../../src/server/admin/index.ts';

export type Schema = { readonly [keyword: string]: unknown };
type Properties = { readonly [name: string]: Schema };

interface AdminSchemas {
  readonly replies: Properties;
  readonly bodies: Properties;
  readonly queries: Properties;
  readonly schemas: Properties;
  readonly error: Schema;
}

export const adminSchemas: AdminSchemas = JSON.parse(
  readFileSync(new URL('../../../src/server/admin/admin-schemas.json', import.meta.url), 'utf8'),
) as AdminSchemas;

/** Holds a JSON answer to the schema of its route: every member is of its type, and no other is there. */
export function checkReply(method: string, target: string, status: number, value: unknown): void {
  const path = target.replace(/\?.*$/, '');
  const name = status >= 400 ? undefined : routeName(method, path);
  const schema = name === undefined ? adminSchemas.error : adminSchemas.replies[name];
  assert.ok(schema, `${method} ${path} has a schema`);
  assert.deepEqual(problemsOf(schema, value, `${method} ${path}`), []);
}

function routeName(method: string, path: string): string {
  const { route } = findRoute(routes, method, path);
  return `${route.method} ${route.path}`;
}

export function resolved(schema: Schema): Schema {
  const reference = schema['$ref'];
  return typeof reference === 'string' ? adminSchemas.schemas[reference.split('/').at(-1)!]! : schema;
}

/** The part of JSON Schema that build/admin-types/ makes. */
export function problemsOf(given: Schema, value: unknown, at: string): string[] {
  const schema = resolved(given);
  const { type, items, anyOf, enum: values, properties, required, additionalProperties } = schema;
  if ('const' in schema && schema['const'] !== value) return [`${at} is ${JSON.stringify(value)}`];
  if (Array.isArray(values) && !values.includes(value)) return [`${at} is ${JSON.stringify(value)}`];
  if (Array.isArray(anyOf)) {
    const all = (anyOf as Schema[]).map((choice) => problemsOf(choice, value, at));
    return all.some((problems) => problems.length === 0) ? [] : all.flat();
  }
  const found = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  if (type !== undefined && ![type].flat().includes(found)) return [`${at} is of type ${found}`];
  if (found === 'array' && items !== undefined)
    return (value as unknown[]).flatMap((entry, index) =>
      problemsOf(items as Schema, entry, `${at}[${index}]`),
    );
  if (found !== 'object' || type === undefined) return [];
  const known = (properties ?? {}) as Properties;
  const missing = ((required ?? []) as string[])
    .filter((name) => !Object.hasOwn(value as object, name))
    .map((name) => `${at}.${name} is missing`);
  const wrong = Object.entries(value as object).flatMap(([name, member]) => {
    const of = known[name] ?? (additionalProperties as Schema | undefined);
    return of === undefined
      ? [`${at}.${name} is not in the schema`]
      : problemsOf(of, member, `${at}.${name}`);
  });
  return [...missing, ...wrong];
}
