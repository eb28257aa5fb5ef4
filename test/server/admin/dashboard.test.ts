import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type PillarboxServer, startServer } from '../../../src/server/index.ts';
import { type TemporaryDirectory, makeTemporaryDirectory } from '../../support/index.ts';
import { freePorts } from '../../support/ports.ts';
import { askWell } from './ask.ts';

type Json = { readonly [name: string]: unknown };

let directory: TemporaryDirectory;
let server: PillarboxServer;

before(async () => {
  directory = await makeTemporaryDirectory();
  server = await startServer({ data: join(directory.path, 'data'), ...freePorts, adminStreamsMax: 2 });
  for (const name of ['alpha', 'beta', 'gamma']) await ask('POST', '/api/v1/topics', { name });
  for (const topic of ['alpha', 'beta'])
    await server.broker.topic(topic)?.createGroup({ name: `${topic}-readers` });
  const messages = Array.from({ length: 5 }, (_, at) => ({ value: `m${at}` }));
  await ask('POST', '/api/v1/topics/beta/messages', { messages });
  await ask('POST', '/api/v1/topics/alpha/messages', { messages: messages.slice(0, 1) });
});
after(async () => {
  await server.close({ graceMs: 100 });
  await directory[Symbol.asyncDispose]();
});

function ask(method: string, path: string, body?: unknown): Promise<Json> {
  return askWell(server.ports['admin'], method, path, body);
}

function get(path: string, headers: { [name: string]: string } = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${server.ports['admin']}${path}`, { headers });
}

const namesOf = ({ topics }: Json): unknown[] => (topics as Json[]).map(({ name }) => name);

test('topics are searched, sorted and paged', async () => {
  const page = await ask('GET', '/api/v1/topic-rows?sort=backlog&limit=1&skip=0');
  assert.deepEqual([namesOf(page), page['total'], page['matching']], [['beta'], 3, 3]);
  const [row] = page['topics'] as Json[];
  assert.equal(row?.['backlog'], 5);
  const [chip] = (row?.['groupsByLag'] ?? []) as Json[];
  assert.deepEqual([chip?.['name'], chip?.['lag'], chip?.['consumers']], ['beta-readers', 5, 0]);
  assert.deepEqual(namesOf(await ask('GET', '/api/v1/topic-rows?reverse=true')), ['gamma', 'beta', 'alpha']);
  assert.deepEqual(namesOf(await ask('GET', '/api/v1/topic-rows?search=READERS%20alp')), ['alpha']);
  const beyond = await ask('GET', '/api/v1/topic-rows?skip=10');
  assert.deepEqual([namesOf(beyond), beyond['matching']], [[], 3]);
});

test('the overview says first what is wrong, and with what remedy', async () => {
  const overview = await ask('GET', '/api/v1/overview');
  const finding = (overview['findings'] as Json[]).find(({ rule }) => rule === 'group-without-consumers');
  assert.match(String(finding?.['reason']), /has no consumer: \d messages? waits?\./);
  assert.match(String(finding?.['remedy']), /^Start a consumer/);
  assert.deepEqual([overview['topics'], overview['groups'], overview['backlog']], [3, 2, 6]);
});

test('a stream of changes sends the watched answers, and again when they change', async () => {
  const watch = encodeURIComponent('/api/v1/topics/gamma');
  const missing = encodeURIComponent('/api/v1/topics/none');
  const response = await get(`/api/v1/changes?everyMs=500&watch=${watch}&watch=${missing}`);
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  const events = eventsOf(response);
  const first = (await events.next()).value as { watch: number; body: Json };
  assert.deepEqual([first.watch, first.body['messages']], [0, 0]);
  const second = (await events.next()).value as { watch: number; error: Json };
  assert.deepEqual([second.watch, second.error['code']], [1, 'topic-not-found']);
  await ask('POST', '/api/v1/topics/gamma/messages', { messages: [{ value: 'x' }] });
  let messages: unknown = 0;
  while (messages !== 1) messages = ((await events.next()).value as { body: Json }).body['messages'];
  await events.return(undefined);
});

test('streams are bounded, and watch GET routes of the API only', async () => {
  const path = '/api/v1/changes?watch=%2Fapi%2Fv1%2Fserver';
  const open = [await get(path), await get(path)];
  const refused = await get(path);
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '5']);
  await refused.body?.cancel();
  for (const each of open) await each.body?.cancel();
  for (const watch of [
    '',
    'watch=/metrics',
    'watch=/api/v1/none',
    'watch=/api/v1/topics/a/messages?waitMs=9',
  ])
    assert.ok([400, 404].includes((await get(`/api/v1/changes?${watch}`)).status), watch);
});

test('the page and its files come with a policy, a hash and a type', async () => {
  const page = await get('/');
  const html = await page.text();
  assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'self'/);
  const again = await get('/', { 'if-none-match': page.headers.get('etag') ?? '' });
  assert.deepEqual([again.status, await again.text()], [304, '']);
  const files = [...html.matchAll(/(?:src|href)="(assets\/[^"]+)"/g)].map(([, path]) => path);
  assert.equal(files.length, 3);
  let bytes = 0;
  for (const path of files) {
    const file = await get(`/${path}`);
    bytes += gzipSync(Buffer.from(await file.arrayBuffer())).length;
    assert.equal(file.status, 200, path);
    assert.match(file.headers.get('cache-control') ?? '', /immutable/);
  }
  assert.ok(bytes < 150_000, `the dashboard has ${bytes} bytes compressed`);
  for (const path of ['/assets/none.js', '/assets/..%2Findex.js', '/assets/']) {
    const missing = await get(path);
    assert.equal(missing.status, 404, path);
    await missing.body?.cancel();
  }
});

async function* eventsOf(response: Response): AsyncGenerator<unknown, void, void> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const data = /^data: (.*)$/m.exec(part)?.[1];
      if (data !== undefined) yield JSON.parse(data);
    }
  }
}
