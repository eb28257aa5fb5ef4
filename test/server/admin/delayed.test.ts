import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type PillarboxServer, startServer } from '../../../src/server/index.ts';
import { type TemporaryDirectory, makeTemporaryDirectory, uniqueName } from '../../support/index.ts';
import { askAdmin } from './ask.ts';
import { protocolsOff } from '../../support/ports.ts';

let directory: TemporaryDirectory;
let server: PillarboxServer;

before(async () => {
  directory = await makeTemporaryDirectory();
  server = await startServer({
    data: join(directory.path, 'data'),
    ...protocolsOff,
    adminPort: 0,
  });
});
after(async () => {
  await server.close({ graceMs: 100 });
  await directory[Symbol.asyncDispose]();
});

const ask = (method: string, path: string, body?: unknown) =>
  askAdmin(server.ports.admin, method, path, body);

/** A topic with delayed messages; their ids. */
async function withDelayed(keys: readonly string[]): Promise<{ topic: string; ids: number[] }> {
  const topic = uniqueName('topic');
  await ask('POST', '/api/v1/topics', { name: topic });
  const messages = keys.map((key) => ({ key, value: `of ${key}`, delayMs: 60_000 }));
  const { json } = await ask('POST', `/api/v1/topics/${topic}/messages`, { messages });
  const results = json['results'] as { offset: null; delayedId: number }[];
  assert.ok(results.every(({ offset }) => offset === null));
  return { topic, ids: results.map(({ delayedId }) => delayedId) };
}

test('delayed messages are listed by pages, and shown', async () => {
  const { topic, ids } = await withDelayed(['a.1', 'b.1', 'a.2']);
  await withDelayed(['other']);
  const list = async (query: string): Promise<[unknown[], unknown]> => {
    const { json } = await ask('GET', `/api/v1/topics/${topic}/delayed?${query}`);
    return [(json['messages'] as { value: string }[]).map(({ value }) => value), json['next']];
  };
  assert.deepEqual(await list(''), [['of a.1', 'of b.1', 'of a.2'], null]);
  assert.deepEqual(await list('limit=2'), [['of a.1', 'of b.1'], ids[1]]);
  assert.deepEqual(await list(`limit=2&after=${ids[1]}`), [['of a.2'], null]);
  assert.deepEqual((await list('key=a.*'))[0], ['of a.1', 'of a.2']);
  const { json } = await ask('GET', `/api/v1/topics/${topic}/delayed/${ids[1]}`);
  assert.deepEqual(
    [json['id'], json['key'], json['valueBytes'], json['truncated']],
    [ids[1], 'b.1', 6, false],
  );
  assert.equal(new Date(json['dueMs'] as number).toISOString(), json['dueTime']);
  assert.equal((await ask('GET', `/api/v1/topics/${topic}/delayed/99999`)).status, 404);
  assert.equal((await ask('GET', `/api/v1/topics/${topic}/delayed?size=1`)).status, 400);
});

test('delayed messages are moved, cancelled and published, by id or key', async () => {
  const { topic, ids } = await withDelayed(['a.1', 'b.1', 'a.2', 'c']);
  const other = await withDelayed(['other']);
  const change = async (what: string, body: object): Promise<unknown> =>
    (await ask('POST', `/api/v1/topics/${topic}/delayed/${what}`, body)).json['count'];
  assert.equal(await change('cancel', { ids: [ids[0], ...other.ids] }), 1);
  assert.equal(await change('cancel', { key: 'c' }), 1);
  assert.equal(await change('move', { ids: [ids[1]], deliverAtMs: '2030-01-01T00:00:00Z' }), 1);
  const { json } = await ask('GET', `/api/v1/topics/${topic}/delayed/${ids[1]}`);
  assert.equal(json['dueTime'], '2030-01-01T00:00:00.000Z');
  assert.equal(await change('publish', { key: 'a.*' }), 1);
  const { json: stored } = await ask('GET', `/api/v1/topics/${topic}/messages`);
  assert.deepEqual(
    (stored['messages'] as { key: string }[]).map(({ key }) => key),
    ['a.2'],
  );
  for (const body of [{}, { ids: [1], key: 'a' }])
    assert.equal((await ask('POST', `/api/v1/topics/${topic}/delayed/cancel`, body)).status, 400);
  for (const body of [{ ids: [1] }, { ids: [1], delayMs: 1, deliverAtMs: 1 }])
    assert.equal((await ask('POST', `/api/v1/topics/${topic}/delayed/move`, body)).status, 400);
});
