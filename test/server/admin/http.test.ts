import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Hall } from '../../../src/protocols/index.ts';
import { SystemClock } from '../../../src/util/index.ts';
import { type AdminHttp, type Route, listenAdminHttp } from '../../../src/server/admin/http.ts';
import { eventually } from '../../support/index.ts';

const bodyBytesMax = 8 * 2 ** 20;

interface Reply {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly body: string;
}

const routes: readonly Route<undefined>[] = [
  {
    method: 'GET',
    path: '/healthz',
    summary: '',
    handle: () => ({ kind: 'text', type: 'text/plain', body: 'ok' }),
  },
  {
    method: 'POST',
    path: '/things/:name',
    summary: '',
    handle: async ({ params, json }) => ({ kind: 'json', status: 201, body: { params, body: await json() } }),
  },
  {
    method: 'GET',
    path: '/broken',
    summary: '',
    handle: () => {
      throw new Error('inner detail');
    },
  },
  {
    method: 'GET',
    path: '/slow',
    summary: '',
    handle: ({ signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ kind: 'json', body: { aborted: true } }));
      }),
  },
];

async function send(
  port: number,
  options: { method?: string; path: string; headers?: { [name: string]: string }; body?: string },
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        agent: false,
        method: options.method ?? 'GET',
        path: options.path,
        headers: options.headers,
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(options.body);
  });
}

describe('the admin HTTP', () => {
  let admin: AdminHttp;
  const errors: unknown[] = [];
  before(async () => {
    admin = await listenAdminHttp({
      routes,
      context: undefined,
      hall: new Hall(new SystemClock()),
      connectionsMax: 10,
      host: '127.0.0.1',
      port: 0,
      onError: (error) => errors.push(error),
    });
  });
  after(() => admin.close({ graceMs: 100 }));

  const json = { 'content-type': 'application/json' };

  test('routes by method and path, and decodes names', async () => {
    const reply = await send(admin.port, {
      method: 'POST',
      path: '/things/a%2Fb?x=1',
      headers: json,
      body: '{"n":1}',
    });
    assert.equal(reply.status, 201);
    assert.deepEqual(JSON.parse(reply.body), { params: { name: 'a/b' }, body: { n: 1 } });
    assert.equal(reply.headers['access-control-allow-origin'], undefined);
  });

  test('answers HEAD without a body', async () => {
    const reply = await send(admin.port, { method: 'HEAD', path: '/healthz' });
    assert.deepEqual([reply.status, reply.body, reply.headers['content-length']], [200, '', '2']);
  });

  const refusals: readonly (readonly [string, Parameters<typeof send>[1], number, string])[] = [
    ['an unknown path', { path: '/nothing' }, 404, 'route-not-found'],
    ['nothing but slashes', { path: '//' }, 404, 'route-not-found'],
    ['many slashes', { path: '///x//' }, 404, 'route-not-found'],
    ['slashes and an address', { path: '//[::1' }, 404, 'route-not-found'],
    ['slashes and a port that is none', { path: '//a:b/c' }, 404, 'route-not-found'],
    ['backslashes', { path: '/\\\\' }, 404, 'route-not-found'],
    ['an asterisk', { path: '*' }, 404, 'route-not-found'],
    ['an address of nowhere', { path: 'http://' }, 400, 'invalid-request'],
    ['an address that is torn', { path: 'http://[' }, 400, 'invalid-request'],
    ['a query alone', { path: '/?a=%zz&%' }, 404, 'route-not-found'],
    ['a fragment', { path: '/#/healthz' }, 404, 'route-not-found'],
    ['dots', { path: '/../../etc/passwd' }, 404, 'route-not-found'],
    ['the wrong method', { path: '/things/a' }, 405, 'method-not-allowed'],
    ['a torn escape', { method: 'POST', path: '/things/%zz' }, 400, 'invalid-request'],
    [
      'a body that is no JSON',
      { method: 'POST', path: '/things/a', headers: json, body: '{' },
      400,
      'invalid-request',
    ],
    [
      'a body of brackets',
      {
        method: 'POST',
        path: '/things/a',
        headers: json,
        body: `${'['.repeat(10_001)}${']'.repeat(10_001)}`,
      },
      400,
      'invalid-request',
    ],
    [
      'a body from a form',
      { method: 'POST', path: '/things/a', headers: { 'content-type': 'text/plain' }, body: '{}' },
      415,
      'not-json',
    ],
    ['a foreign Host', { path: '/healthz', headers: { host: 'evil.example:8222' } }, 403, 'host-not-allowed'],
    [
      'a foreign Origin',
      { path: '/healthz', headers: { origin: 'https://evil.example' } },
      403,
      'origin-not-allowed',
    ],
  ];
  for (const [what, options, status, code] of refusals)
    test(`refuses ${what} with ${status}`, async () => {
      const reply = await send(admin.port, options);
      assert.equal(reply.status, status);
      const { error } = JSON.parse(reply.body) as { error: { code: string; message: string } };
      assert.equal(error.code, code);
      assert.ok(error.message.length > 10);
    });

  test('says which methods a path takes', async () => {
    assert.equal((await send(admin.port, { path: '/things/a' })).headers['allow'], 'POST');
  });

  test('refuses a large body before it was sent', async () => {
    const headers = { ...json, 'content-length': String(bodyBytesMax + 1) };
    const reply = await new Promise<string>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: admin.port });
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString('latin1')));
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
      const lines = Object.entries({ host: 'localhost', ...headers }).map(
        ([name, value]) => `${name}: ${value}\r\n`,
      );
      socket.write(`POST /things/a HTTP/1.1\r\n${lines.join('')}\r\n{`);
    });
    assert.match(reply, /^HTTP\/1\.1 413 /);
    assert.match(reply, /connection: close/i);
  });

  test('refuses a large body that does not say its length', async () => {
    const reply = await new Promise<number>((resolve, reject) => {
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: admin.port,
          agent: false,
          method: 'POST',
          path: '/things/a',
          headers: json,
        },
        (response) => resolve(response.resume().statusCode ?? 0),
      );
      // The server may close while this is still sending.
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') reject(error);
      });
      const mebibyte = Buffer.alloc(2 ** 20, 'x');
      for (let sent = 0; sent <= bodyBytesMax; sent += mebibyte.length) outgoing.write(mebibyte);
      outgoing.end();
    });
    assert.equal(reply, 413);
  });

  test('shows nothing of an unexpected error, and logs it', async () => {
    const reply = await send(admin.port, { path: '/broken' });
    assert.equal(reply.status, 500);
    assert.doesNotMatch(reply.body, /inner detail/);
    assert.match(String(errors.at(-1)), /inner detail/);
  });

  test('wants the token where one is set, but not for health checks', async () => {
    const guarded = await listenAdminHttp({
      routes,
      context: undefined,
      hall: new Hall(new SystemClock()),
      connectionsMax: 10,
      host: '127.0.0.1',
      port: 0,
      token: 'open sesame',
      onError: () => {},
    });
    try {
      const path = '/things/a';
      assert.equal((await send(guarded.port, { method: 'POST', path })).status, 401);
      const wrong = { authorization: 'Bearer open' };
      assert.equal((await send(guarded.port, { method: 'POST', path, headers: wrong })).status, 401);
      const right = { authorization: 'Bearer open sesame' };
      assert.equal((await send(guarded.port, { method: 'POST', path, headers: right })).status, 201);
      assert.equal((await send(guarded.port, { path: '/healthz' })).status, 200);
    } finally {
      await guarded.close({ graceMs: 100 });
    }
  });

  test('answers connections beyond its limit with 503, and takes the next when one has left', async () => {
    const full = await listenAdminHttp({
      routes,
      context: undefined,
      hall: new Hall(new SystemClock()),
      connectionsMax: 1,
      host: '127.0.0.1',
      port: 0,
      onError: () => {},
    });
    const idle = connect({ host: '127.0.0.1', port: full.port });
    try {
      const path = '/healthz';
      await eventually(async () => (await send(full.port, { path })).status === 503);
      idle.destroy();
      await eventually(async () => (await send(full.port, { path })).status === 200);
    } finally {
      idle.destroy();
      await full.close({ graceMs: 100 });
    }
  });

  test('lets an answer that waits end when it stops', async () => {
    const stopping = await listenAdminHttp({
      routes,
      context: undefined,
      hall: new Hall(new SystemClock()),
      connectionsMax: 10,
      host: '127.0.0.1',
      port: 0,
      onError: () => {},
    });
    const { port } = stopping;
    const socket = connect({ host: '127.0.0.1', port });
    const text = new Promise<string>((resolve) => {
      let received = '';
      socket.on('data', (chunk) => (received += chunk.toString('latin1')));
      socket.on('close', () => resolve(received));
    });
    socket.write(
      'GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n',
    );
    // An answer on another connection shows that the first request has been taken.
    await send(port, { path: '/healthz' });
    await stopping.close({ graceMs: 5000 });
    assert.match(await text, /"aborted":true/);
  });
});
