import { readFile } from 'node:fs/promises';
import type { OpenApiJson } from '../../admin-api/index.ts';
import type { AdminContext } from './context.ts';
import type { Route } from './http.ts';
import { type JsonReply, json } from './reply.ts';

type Schema = { readonly [keyword: string]: unknown };
type ByRoute = { readonly [route: string]: Schema };

/** What build/admin-schemas.ts makes of the types of the admin API. */
interface AdminSchemas {
  readonly replies: ByRoute;
  readonly bodies: ByRoute;
  readonly queries: ByRoute;
  readonly error: Schema;
  readonly schemas: { readonly [name: string]: Schema };
}

let read: Promise<AdminSchemas> | undefined;

/** The file lies beside this one, in the output of tsc as in the bundle. */
async function adminSchemas(): Promise<AdminSchemas> {
  read ??= readFile(new URL('./admin-schemas.json', import.meta.url), 'utf8').then(
    (text) => JSON.parse(text) as AdminSchemas,
  );
  return read;
}

/** `GET /api/v1/openapi.json`: the routes that there are, with the schemas of their types. */
export async function describeApi(
  routes: readonly Route<AdminContext>[],
  { version }: AdminContext,
): Promise<JsonReply<OpenApiJson>> {
  const known = await adminSchemas();
  const paths: { [path: string]: { [method: string]: object } } = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route, known);
  }
  return json({
    openapi: '3.1.1',
    info: {
      title: 'Pillarbox admin API',
      version,
      description: 'docs/admin-api.md says in words what the routes do.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    // A server without users asks for no login.
    security: [{}, { token: [] }, { user: [] }],
    paths,
    components: {
      schemas: known.schemas,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        user: { type: 'http', scheme: 'basic' },
      },
    },
  });
}

function operation({ method, path, summary }: Route<AdminContext>, known: AdminSchemas): object {
  const name = `${method} ${path}`;
  const reply = known.replies[name];
  const body = known.bodies[name];
  const parameters = [...pathParameters(path), ...queryParameters(known.queries[name], known)];
  return {
    operationId: operationId(method, path),
    summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    // A field that is not known is refused.
    ...(body === undefined
      ? {}
      : { requestBody: { content: inJson({ ...body, unevaluatedProperties: false }) } }),
    responses: {
      '2XX': {
        description: 'done',
        content: reply === undefined ? { '*/*': {} } : inJson(reply),
      },
      default: { description: 'refused, with a code and a reason', content: inJson(known.error) },
    },
  };
}

function inJson(schema: Schema): object {
  return { 'application/json': { schema } };
}

/** `GET /api/v1/topics/:topic/groups` is `getTopicsByTopicGroups`. */
function operationId(method: string, path: string): string {
  const words = path
    .replace(/^\/api\/v1/, '')
    .split('/')
    .filter((word) => word !== '')
    .map((word) =>
      word.replace(/^:/, 'by-').replaceAll(/(?:^|[-.])(\w)/g, (_, letter: string) => letter.toUpperCase()),
    );
  return method.toLowerCase() + words.join('');
}

const numbers: ReadonlySet<string> = new Set(['offset', 'id']);

function pathParameters(path: string): object[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: numbers.has(name) ? 'integer' : 'string' },
  }));
}

function queryParameters(query: Schema | undefined, { schemas }: AdminSchemas): object[] {
  const reference = query?.['$ref'];
  const schema = typeof reference === 'string' ? schemas[reference.split('/').at(-1) ?? ''] : query;
  const properties = (schema?.['properties'] ?? {}) as { readonly [name: string]: Schema };
  return Object.entries(properties).map(([name, { description, ...type }]) => ({
    name,
    in: 'query',
    ...(description === undefined ? {} : { description }),
    schema: type,
  }));
}
