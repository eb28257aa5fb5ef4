import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { routes } from '../../../src/server/admin/index.ts';
import { type PillarboxServer, startServer } from '../../../src/server/index.ts';
import { protocolsOff } from '../../support/ports.ts';
import { askAdmin } from './ask.ts';
import { type Schema, adminSchemas, problemsOf, resolved } from './reply-check.ts';

// Replies are held to their schemas wherever a test asks the admin HTTP: see ask.ts and api.test.ts.

type Json = { readonly [name: string]: unknown };

const values: Json = { topic: 'orders', group: 'g', schedule: 's', subject: 'x', offset: 0, id: 0 };
const filled = (path: string): string =>
  path.replaceAll(/:(\w+)/g, (_, name: string) => String(values[name]));

let server: PillarboxServer;
before(async () => {
  server = await startServer({ ...protocolsOff, adminPort: 0, storage: 'memory' });
  const topic = await server.broker.createTopic({ name: 'orders' });
  await topic.createGroup({ name: 'g' });
});
after(() => server.close({ graceMs: 0 }));

/** The names after "known are" in the refusal of a name that no route knows. */
async function namesKnown(method: string, path: string, body?: object): Promise<string[]> {
  const target = filled(path) + (body ? '' : '?no-such-name=1');
  const { status, json } = await askAdmin(server.ports.admin, method, target, body);
  const { message } = json['error'] as { message: string };
  assert.equal(status, 400, message);
  return (/; known are (.*)\.$/.exec(message)?.[1] ?? '').split(', ').sort();
}

function propertiesOf(schema: Schema): string[] {
  return Object.keys(resolved(schema)['properties'] as object).sort();
}

describe('the OpenAPI description', () => {
  test('has every route, with what it answers, and no other', async () => {
    const { json } = await askAdmin(server.ports.admin, 'GET', '/api/v1/openapi.json');
    assert.equal(json['openapi'], '3.1.1');
    const paths = json['paths'] as { [path: string]: { [method: string]: { operationId: string } } };
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    );
    const known = routes.map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(described.sort(), known.sort());
    const ids = Object.values(paths).flatMap((methods) =>
      Object.values(methods).map((one) => one.operationId),
    );
    assert.equal(new Set(ids).size, ids.length);
    const references = [...JSON.stringify(json).matchAll(/"#\/components\/schemas\/(\w+)"/g)];
    const { schemas } = json['components'] as { schemas: Json };
    assert.ok(references.length > 50);
    for (const [, name = ''] of references) assert.ok(schemas[name], name);
  });

  test('has the fields that the routes take, and no other', async () => {
    const taking = Object.entries(adminSchemas.bodies);
    assert.ok(taking.length > 15);
    for (const [route, schema] of taking) {
      const [method = '', path = ''] = route.split(' ');
      assert.deepEqual(await namesKnown(method, path, { 'no-such-field': 1 }), propertiesOf(schema), route);
    }
    for (const [route, schema] of Object.entries(adminSchemas.queries)) {
      const [method = '', path = ''] = route.split(' ');
      const known = await namesKnown(method, path);
      // The query of one message is read as that of a page, of which most says nothing about it.
      if (/\/:(offset|id)$/.test(path))
        assert.ok(
          propertiesOf(schema).every((name) => known.includes(name)),
          route,
        );
      else assert.deepEqual(known, propertiesOf(schema), route);
    }
  });

  test('tells types apart', () => {
    const { topics } = resolved(adminSchemas.replies['GET /api/v1/topics']!)['properties'] as {
      topics: Schema;
    };
    assert.deepEqual(problemsOf(topics, [], 'topics'), []);
    assert.equal(
      problemsOf(topics, [{ name: 1 }], 'topics').some((problem) => /name is of type number/.test(problem)),
      true,
    );
    const update = resolved(adminSchemas.bodies['PATCH /api/v1/topics/:topic']!)['properties'] as Json;
    assert.deepEqual(update['overflow'], { enum: ['drop-oldest', 'reject', 'wait', null] });
    assert.equal('name' in update || 'attributes' in update, false);
  });
});
