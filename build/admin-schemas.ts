// Makes JSON schemas of the types of the admin API (src/admin-api/), for `GET /api/v1/openapi.json`: run by
// `npm run build`, before and after the bundle. They lie beside the code that reads them.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { declarationsIn } from './admin-types/declarations.ts';
import { type Schema, Schemas } from './admin-types/schemas.ts';
import { Types } from './admin-types/types.ts';

const fromHere = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const targets = ['../src/server/admin/', '../bundle/chunks/'].map(fromHere);

const types = new Types(await declarationsIn(fromHere('../../src/admin-api')));
const schemas = new Schemas(types);

/** The schemas of the members of an interface, each of which is a route. */
function byRoute(name: string): { readonly [route: string]: Schema } {
  const members = [...types.membersOf({ kind: 'reference', name })];
  return Object.fromEntries(members.map(([route, { type }]) => [route, schemas.of(type)]));
}

const [replies, bodies, queries] = ['AdminReplies', 'AdminBodies', 'AdminQueries'].map(byRoute);
const error = schemas.of({ kind: 'reference', name: 'ErrorJson' });
const text = JSON.stringify({ replies, bodies, queries, error, schemas: schemas.named });
for (const folder of targets) if (existsSync(folder)) await writeFile(`${folder}admin-schemas.json`, text);
