/** Users at the admin HTTP: their logins, and the effect of their permissions. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ConnectionsJson, RedrivenJson } from '../../../src/admin-api/index.ts';
import { type PillarboxServer, startServer } from '../../../src/server/index.ts';
import { runCli } from '../../cli/run-cli.ts';
import { type TemporaryDirectory, makeTemporaryDirectory } from '../../support/index.ts';
import { protocolsOff } from '../../support/ports.ts';

let directory: TemporaryDirectory;
let server: PillarboxServer;

before(async () => {
  directory = await makeTemporaryDirectory();
  server = await startServer({
    data: join(directory.path, 'data'),
    ...protocolsOff,
    natsPort: 0,
    adminPort: 0,
    adminToken: 'master',
    loginDelayMsMax: 0,
    users: [
      { name: 'root', password: 'root:secret' },
      { name: 'reader', password: 'r', permissions: { consume: ['orders*'] } },
      { name: 'shop', token: 'shop-token', permissions: { publish: ['orders'] } },
      { name: 'owner', password: 'o', permissions: { manage: ['orders*'] } },
      { name: 'elsewhere', password: 'e', protocols: ['nats'] },
    ],
  });
  await server.broker.createTopic({ name: 'orders', subjects: ['orders.>'] });
  await server.broker.createTopic({ name: 'secrets', subjects: ['secrets.>'] });
  await server.broker.topic('orders')!.createGroup({ name: 'g' });
  await server.broker.topic('secrets')!.createGroup({ name: 'g' });
  for (const name of ['orders', 'secrets'])
    await server.broker.topic(name)!.send({ key: null, headers: [], value: null });
});
after(async () => {
  await server.close({ graceMs: 0 });
  await directory[Symbol.asyncDispose]();
});

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const as = {
  token: 'Bearer master',
  root: basic('root', 'root:secret'),
  reader: basic('reader', 'r'),
  shop: 'Bearer shop-token',
  owner: basic('owner', 'o'),
} as const;
type Who = keyof typeof as;

async function send(authorization: string | undefined, line: string, body?: object): Promise<Response> {
  const [method = '', path = ''] = line.split(' ');
  return fetch(`http://127.0.0.1:${server.ports.admin}${path}`, {
    method,
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function statusOf(who: Who, line: string, body?: object): Promise<number> {
  return (await send(as[who], line, body)).status;
}

const api = '/api/v1';

describe('a request', () => {
  test('comes as a user, by name and password or by token, or with the admin token', async () => {
    for (const who of Object.keys(as) as Who[])
      assert.equal(await statusOf(who, `GET ${api}/server`), 200, who);
  });

  test('that proves nothing is 401, with the ways to log in', async () => {
    const wrong = [
      undefined,
      basic('root', 'x'),
      basic('nobody', 'x'),
      basic('elsewhere', 'e'),
      'Bearer x',
      'Basic ???',
    ];
    for (const authorization of wrong) {
      const reply = await send(authorization, `GET ${api}/server`);
      assert.equal(reply.status, 401, authorization);
      assert.match(reply.headers.get('www-authenticate') ?? '', /^Basic realm="pillarbox".*Bearer$/);
    }
  });

  test('for a health check needs no login', async () => {
    assert.equal((await send(undefined, 'GET /healthz')).status, 200);
    assert.equal((await send(undefined, 'GET /readyz')).status, 200);
  });

  test('shows its user in the list of connections', async () => {
    const { connections, protocols } = (await (
      await send(as.root, `GET ${api}/connections`)
    ).json()) as ConnectionsJson;
    assert.ok(connections.some(({ protocol, user }) => protocol === 'admin' && user === 'root'));
    assert.equal(protocols.find(({ name }) => name === 'admin')?.authenticates, true);
  });
});

test('users are listed, without secrets', async () => {
  const text = await (await send(as.root, `GET ${api}/users`)).text();
  const { users } = JSON.parse(text) as { users: { name: string }[] };
  assert.deepEqual(
    users.map(({ name }) => name),
    ['elsewhere', 'owner', 'reader', 'root', 'shop'],
  );
  assert.deepEqual(users[4], {
    name: 'shop',
    configured: true,
    credentials: ['token'],
    protocols: null,
    permissions: { publish: { allow: ['orders'], deny: [] } },
  });
  assert.doesNotMatch(text, /secret|shop-token/);
});

describe('permissions', () => {
  const message = { messages: [{ value: 'x' }] };
  const cases: readonly (readonly [line: string, body: object | undefined, may: readonly Who[]])[] = [
    [`GET ${api}/topics/orders`, undefined, ['reader', 'shop', 'owner']],
    [`GET ${api}/topics/orders/messages`, undefined, ['reader']],
    [`GET ${api}/topics/orders/messages/0`, undefined, ['reader']],
    [`POST ${api}/topics/orders/messages`, message, ['shop']],
    [`POST ${api}/subjects/orders.1/messages`, message, ['shop']],
    [`POST ${api}/subjects/news.1/messages`, message, []],
    [`GET ${api}/topics/orders/groups`, undefined, ['reader']],
    [`GET ${api}/topics/orders/groups/g`, undefined, ['reader']],
    [`POST ${api}/topics/orders/groups/g/pause`, {}, ['reader']],
    [`POST ${api}/topics/orders/groups/g/resume`, {}, ['reader']],
    [`POST ${api}/topics/orders/groups/g/release-active`, {}, ['reader']],
    [`POST ${api}/topics/orders/groups/g/limits`, { concurrency: 5 }, ['reader']],
    [`POST ${api}/topics/orders/groups/g/reset`, { start: { kind: 'all' } }, ['reader']],
    [`POST ${api}/topics/orders/groups/g/receive`, {}, ['reader']],
    [`POST ${api}/topics/orders/groups/g/settle`, { answers: [] }, ['reader']],
    [`PATCH ${api}/topics/orders/groups/g`, { maxDeliver: 5 }, ['reader']],
    [`PATCH ${api}/topics/orders`, { groupsMax: 5 }, ['owner']],
    [`POST ${api}/topics/orders/purge`, { before: 0 }, ['owner']],
    [`GET ${api}/dead-letters/orders`, undefined, ['reader']],
    [`GET ${api}/dead-letters/orders/0`, undefined, ['reader']],
    [`POST ${api}/dead-letters/orders/redrive`, { offsets: [] }, ['owner']],
    [`GET ${api}/connections`, undefined, []],
    [`GET ${api}/users`, undefined, []],
    [`DELETE ${api}/connections/999999`, undefined, []],
    ['GET /metrics', undefined, []],
    // Those that are not theirs, and those that are not there, look the same.
    [`GET ${api}/topics/secrets`, undefined, []],
    [`GET ${api}/topics/nowhere`, undefined, []],
    [`GET ${api}/topics/secrets/messages`, undefined, []],
    [`POST ${api}/topics/secrets/messages`, message, []],
    [`POST ${api}/subjects/secrets.1/messages`, message, []],
    [`GET ${api}/topics/secrets/groups/g`, undefined, []],
    [`POST ${api}/topics/secrets/purge`, {}, []],
    [`DELETE ${api}/topics/secrets`, undefined, []],
    [`DELETE ${api}/topics/secrets/groups/g`, undefined, []],
    [`POST ${api}/topics`, { name: 'secrets-2' }, []],
  ];
  for (const [line, body, may] of cases)
    test(`${line}: ${may.join(', ') || 'no user with restrictions'}`, async () => {
      for (const who of ['reader', 'shop', 'owner'] as const) {
        const reply = await send(as[who], line, body);
        const text = await reply.text();
        if (may.includes(who)) assert.ok(reply.status < 300, `${who}: ${text}`);
        else assert.deepEqual([reply.status, /"not-permitted"/.test(text)], [403, true], `${who}: ${text}`);
      }
    });

  test('let a user without restrictions do everything, and the token too', async () => {
    for (const who of ['root', 'token'] as const) {
      assert.equal(await statusOf(who, `POST ${api}/topics`, { name: `made-by-${who}` }), 201);
      assert.equal(await statusOf(who, `POST ${api}/topics/secrets/messages`, message), 200);
      assert.equal(await statusOf(who, 'GET /metrics'), 200);
      assert.equal(await statusOf(who, `DELETE ${api}/connections/999999`), 404);
    }
    assert.equal(await statusOf('owner', `POST ${api}/topics`, { name: 'orders-2' }), 201);
  });

  test('decide what lists show', async () => {
    const names = async (who: Who, list: 'topics' | 'groups'): Promise<string[]> => {
      const reply = (await (await send(as[who], `GET ${api}/${list}`)).json()) as {
        readonly [list: string]: readonly { readonly name: string; readonly topic?: string }[];
      };
      return (reply[list] ?? []).map(({ name, topic = name }) => topic);
    };
    assert.ok((await names('root', 'topics')).includes('secrets'));
    for (const who of ['reader', 'shop', 'owner'] as const)
      assert.ok(!(await names(who, 'topics')).includes('secrets'), who);
    assert.deepEqual(await names('reader', 'groups'), ['orders']);
    assert.deepEqual(await names('shop', 'groups'), []);
  });

  test('hold for where dead letters are put back: those that may not go there stay', async () => {
    const secrets = server.broker.topic('secrets')!;
    const group = await secrets.createGroup({ name: 'w', maxDeliver: 1, deadLetter: 'orders-dlq' });
    const consumer = {
      credit: 1,
      creditBytes: Infinity,
      receive: ({ record }: { record: { offset: number } }) =>
        setImmediate(() => group.reject(0, record.offset, 'broken')),
      ended: () => {},
    };
    group.attach(consumer);
    const letters = async (): Promise<number> => {
      const reply = await send(as.root, `GET ${api}/topics/orders-dlq`);
      return reply.status === 200 ? ((await reply.json()) as { messages: number }).messages : 0;
    };
    const { eventually } = await import('../../support/index.ts');
    await eventually(async () => (await letters()) > 0);
    group.detach(consumer);
    const line = `POST ${api}/dead-letters/orders-dlq/redrive`;
    const { redriven, stayed } = (await (await send(as.owner, line, {})).json()) as RedrivenJson;
    assert.deepEqual([redriven, stayed[0]?.topic, stayed[0]?.code], [0, 'secrets', 'not-allowed']);
    assert.equal(await statusOf('owner', line, { to: 'secrets' }), 403);
    const by = (await (await send(as.root, line, {})).json()) as RedrivenJson;
    assert.ok(by.redriven > 0);
  });
});

describe('the command line', () => {
  const url = (): string => `http://127.0.0.1:${server.ports.admin}`;

  test('logs in as a user', async () => {
    const env = { PILLARBOX_PASSWORD: 'r' };
    const read = await runCli(['topics', 'show', 'orders', '--user', 'reader', '--url', url()], { env });
    assert.deepEqual([read.code, read.err], [0, '']);
    const sent = await runCli(['pub', 'orders.1', 'x', '--token', 'shop-token', '--url', url()]);
    assert.deepEqual([sent.code, sent.out.startsWith('Stored on disk: topic orders,')], [0, true], sent.err);
    const denied = await runCli(['topics', 'show', 'secrets', '--user', 'reader', '--url', url()], { env });
    assert.deepEqual([denied.code, denied.err.includes('may not see topic "secrets"')], [1, true]);
    const all = { PILLARBOX_USER: 'root', PILLARBOX_PASSWORD: 'root:secret', PILLARBOX_URL: url() };
    const { code, out } = await runCli(['connections'], { env: all });
    assert.deepEqual([code, /^ *\d+ +admin +\S+ +root +pillarbox-cli\/\d/m.test(out)], [0, true], out);
  });

  test('says what is missing', async () => {
    const none = await runCli(['topics', '--url', url()]);
    assert.deepEqual([none.code, /wants a token or a user: .*--user/.test(none.err)], [1, true]);
    const wrong = await runCli(['topics', '--url', url(), '--user', 'root'], {
      env: { PILLARBOX_PASSWORD: 'x' },
    });
    assert.deepEqual([wrong.code, wrong.err.includes('knows no user "root" with this password')], [1, true]);
    const unasked = await runCli(['topics', '--url', url(), '--user', 'root']);
    assert.deepEqual([unasked.code, unasked.err.includes('set PILLARBOX_PASSWORD')], [2, true]);
  });
});
