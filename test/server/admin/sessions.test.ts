import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Users } from '../../../src/protocols/index.ts';
import { Sessions } from '../../../src/server/admin/index.ts';
import { type PillarboxServer, startServer } from '../../../src/server/index.ts';
import { type TemporaryDirectory, makeTemporaryDirectory } from '../../support/index.ts';
import { freePorts } from '../../support/ports.ts';

type Json = { readonly [name: string]: unknown };
type Headers = { readonly [name: string]: string };

const users = [
  { name: 'ada', password: 'first' },
  { name: 'reader', password: 'second', permissions: { consume: ['orders'] } },
];

let directory: TemporaryDirectory;
let server: PillarboxServer;

before(async () => {
  directory = await makeTemporaryDirectory();
  const data = join(directory.path, 'data');
  server = await startServer({ data, ...freePorts, users, adminToken: 'secret', adminBasePath: '/box' });
});
after(async () => {
  await server.close({ graceMs: 100 });
  await directory[Symbol.asyncDispose]();
});

async function call(
  method: string,
  path: string,
  headers: Headers = {},
  body?: unknown,
): Promise<{ status: number; headers: globalThis.Headers; json: Json }> {
  const response = await fetch(`http://127.0.0.1:${server.ports['admin']}${path}`, {
    method,
    redirect: 'manual',
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = text.startsWith('{') ? (JSON.parse(text) as Json) : {};
  return { status: response.status, headers: response.headers, json };
}

async function logIn(body: Json): Promise<{ cookie: string; csrf: string; setCookie: string }> {
  const { status, headers, json } = await call('POST', '/api/v1/session', {}, body);
  assert.equal(status, 200);
  const setCookie = headers.get('set-cookie') ?? '';
  return { cookie: setCookie.split(';')[0] ?? '', csrf: String(json['csrf']), setCookie };
}

test('a user logs in by a cookie that no script and no other site has', async () => {
  const before = await call('GET', '/api/v1/session');
  assert.deepEqual([before.json['needsLogin'], before.json['isLoggedIn']], [true, false]);
  const { cookie, csrf, setCookie } = await logIn({ user: 'ada', password: 'first' });
  assert.match(setCookie, /; HttpOnly; SameSite=Strict; Path=\/; Max-Age=43200$/);
  assert.equal((await call('GET', '/api/v1/topics', { cookie })).status, 200);
  const { json } = await call('GET', '/api/v1/session', { cookie });
  assert.deepEqual([json['user'], json['csrf'], json['managesAll']], ['ada', csrf, true]);
});

test('a change needs the token of the page, and its origin', async () => {
  const { cookie, csrf } = await logIn({ user: 'ada', password: 'first' });
  const create = (headers: Headers, name: string): ReturnType<typeof call> =>
    call('POST', '/api/v1/topics', { cookie, ...headers }, { name });
  const refused = await create({}, 'orders');
  assert.deepEqual([refused.status, (refused.json['error'] as Json)['code']], [403, 'csrf-token-wrong']);
  assert.equal((await create({ 'x-pillarbox-csrf': csrf.slice(1) }, 'orders')).status, 403);
  assert.equal(
    (await create({ 'x-pillarbox-csrf': csrf, origin: 'http://evil.test' }, 'orders')).status,
    403,
  );
  assert.equal((await create({ 'x-pillarbox-csrf': csrf }, 'orders')).status, 201);
});

test('a user may do by a session what it may do without', async () => {
  const { cookie, csrf } = await logIn({ user: 'reader', password: 'second' });
  const headers = { cookie, 'x-pillarbox-csrf': csrf };
  assert.equal((await call('GET', '/api/v1/topics/orders/messages', headers)).status, 200);
  const { status, json } = await call('DELETE', '/api/v1/topics/orders', headers);
  assert.deepEqual([status, (json['error'] as Json)['code']], [403, 'not-permitted']);
  assert.equal((await call('GET', '/api/v1/overview', headers)).json['server'], null);
});

test('wrong guesses give no session, and the dashboard gets no prompt of the browser', async () => {
  for (const body of [{ user: 'ada', password: 'wrong' }, { token: 'wrong' }]) {
    const { status, headers } = await call('POST', '/api/v1/session', { 'x-pillarbox-csrf': '' }, body);
    assert.deepEqual(
      [status, headers.has('set-cookie'), headers.has('www-authenticate')],
      [401, false, false],
    );
  }
  assert.equal((await call('GET', '/api/v1/topics', { cookie: 'pillarbox-session-1=x' })).status, 401);
  assert.ok((await call('GET', '/api/v1/topics')).headers.has('www-authenticate'));
});

test('a session ends when it is left, and when the user gets another password', async () => {
  const { cookie, csrf } = await logIn({ token: 'secret' });
  assert.equal((await call('DELETE', '/api/v1/session', { cookie })).status, 403);
  const left = await call('DELETE', '/api/v1/session', { cookie, 'x-pillarbox-csrf': csrf });
  assert.match(left.headers.get('set-cookie') ?? '', /=; .*Max-Age=0$/);
  assert.equal((await call('GET', '/api/v1/topics', { cookie })).status, 401);

  const other = await logIn({ user: 'ada', password: 'first' });
  await server.renewUsers({ users: [{ name: 'ada', password: 'changed' }], adminToken: 'secret' });
  assert.equal((await call('GET', '/api/v1/topics', { cookie: other.cookie })).status, 401);
  await server.renewUsers({ users, adminToken: 'secret' });
});

test('sessions are bounded, and end with time', () => {
  const sessions = new Sessions({ sessionsMax: 2, lifeMs: 1000 });
  const begin = (): string => sessions.begin({ user: null, login: undefined }, 0).token;
  const tokens = [begin(), begin(), begin()];
  const table = new Users();
  assert.deepEqual(
    tokens.map((token) => sessions.find(token, table, 999) !== undefined),
    [false, true, true],
  );
  assert.equal(sessions.find(tokens[2] ?? '', table, 1000), undefined);
  assert.equal(sessions.size, 1);
});

test('routes answer below the base path, and the page is redirected to its slash', async () => {
  const { status, headers } = await call('GET', '/box');
  assert.deepEqual([status, headers.get('location')], [308, '/box/']);
  assert.equal((await call('GET', '/box/')).status, 200);
  assert.equal((await call('GET', '/box/healthz')).json['status'], 'ok');
  assert.equal((await call('GET', '/boxes/healthz')).status, 401);
});
