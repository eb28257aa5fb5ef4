/** Who may ask the management API for what. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { accessOf, parseUsers } from '../../../src/protocols/users/index.ts';
import { AdminServer, type AskOptions } from './admin-kit.ts';

let server: AdminServer;
before(async () => {
  server = await AdminServer.start({
    configured: parseUsers([
      { name: 'root', password: 'root' },
      {
        name: 'shop',
        password: 'shop',
        permissions: { publish: ['orders'], consume: ['orders', 'reply-*'] },
      },
      { name: 'watcher', password: 'watcher', permissions: { consume: '*' } },
      { name: 'elsewhere', password: 'elsewhere', protocols: ['nats'] },
    ]),
  });
  for (const name of ['orders', 'secrets']) await server.amqp.broker.createTopic({ name });
});
after(() => server[Symbol.asyncDispose]());

const root: AskOptions = { user: 'root' };
const shop: AskOptions = { user: 'shop' };
const watcher: AskOptions = { user: 'watcher' };

describe('with users', () => {
  test('a request needs the password of one that may use AMQP', async () => {
    for (const options of [
      { user: '' },
      { user: 'root', password: 'wrong' },
      { user: 'nobody' },
      { user: 'elsewhere' },
      { user: '', headers: { authorization: 'Bearer root' } },
    ]) {
      const { status, headers, body } = await server.ask('GET /whoami', undefined, options);
      assert.equal(status, 401);
      assert.deepEqual(body, { error: 'not_authorized', reason: 'Not_Authorized' });
      assert.equal(headers.get('www-authenticate'), 'Basic realm="RabbitMQ Management"');
    }
  });

  test('the tags of a user follow from its permissions', async () => {
    for (const [options, tag] of [
      [root, 'administrator'],
      [watcher, 'monitoring'],
      [shop, 'management'],
    ] as const)
      assert.deepEqual(await server.get('/whoami', options), { name: options.user, tags: [tag] });
  });

  test('a user sees the queues that it has a permission for', async () => {
    const list = await server.get('/queues?columns=name', shop);
    assert.deepEqual(list, [{ name: 'orders' }]);
    assert.equal(
      await server.told('GET /queues/%2F/secrets', undefined, shop),
      '404 Object Not Found: Not Found',
    );
    assert.equal((await server.get('/overview', shop)).object_totals.queues, 1);
    assert.equal((await server.get('/queues', watcher)).length, 2);
  });

  test('what a user may not do is refused', async () => {
    const publish = { properties: {}, routing_key: 'secrets', payload: 'x', payload_encoding: 'string' };
    const get = { count: 1, ackmode: 'ack_requeue_true', encoding: 'auto' };
    for (const [line, body, said] of [
      ['PUT /queues/%2F/mine', {}, '401 not_authorised: Access refused.'],
      ['DELETE /queues/%2F/orders', undefined, '401 not_authorised: Access refused.'],
      ['PUT /exchanges/%2F/mine', {}, '401 not_authorised: Access refused.'],
      ['POST /bindings/%2F/e/amq.topic/q/orders', {}, '401 not_authorised: Access refused.'],
      [
        'POST /exchanges/%2F/amq.default/publish',
        publish,
        "401 not_authorised: ACCESS_REFUSED - write access to queue 'secrets' in vhost '/' refused for user 'shop'",
      ],
      [
        'POST /queues/%2F/secrets/get',
        get,
        "401 not_authorised: ACCESS_REFUSED - read access to queue 'secrets' in vhost '/' refused for user 'shop'",
      ],
      ['GET /nodes', undefined, '401 not_authorised: Not monitor user'],
      ['GET /users', undefined, '401 not_authorised: Not administrator user'],
      ['GET /permissions', undefined, '401 not_authorised: Not administrator user'],
      ['GET /definitions', undefined, '401 not_authorised: Not administrator user'],
      ['POST /definitions', {}, '401 not_authorised: Not administrator user'],
    ] as const)
      assert.equal(await server.told(line, body, shop), said, line);
    const allowed = { ...publish, routing_key: 'orders' };
    assert.equal(await server.told('POST /exchanges/%2F/amq.default/publish', allowed, shop), '200');
    assert.equal(await server.told('POST /queues/%2F/orders/get', get, shop), '200');
  });

  test('an administrator sees users and permissions, as the patterns that RabbitMQ would have', async () => {
    const users = await server.get('/users?columns=name,tags', root);
    assert.deepEqual(users, [
      { name: 'root', tags: ['administrator'] },
      { name: 'shop', tags: ['management'] },
      { name: 'watcher', tags: ['monitoring'] },
    ]);
    assert.deepEqual(await server.get('/permissions/%2F/shop', root), {
      user: 'shop',
      vhost: '/',
      configure: '^$',
      write: '^orders$',
      read: '^(orders|reply-.*)$',
    });
    assert.deepEqual(await server.get('/users/root/permissions', root), [
      { user: 'root', vhost: '/', configure: '.*', write: '.*', read: '.*' },
    ]);
    assert.equal(
      await server.told('GET /users/elsewhere', undefined, root),
      '404 Object Not Found: Not Found',
    );
  });

  test('a user that may manage everything is an administrator, whatever else it may not', () => {
    assert.equal(accessOf({ manage: {} }).mayManage('*'), true);
    assert.equal(accessOf({ manage: { deny: ['a'] } }).mayManage('*'), true);
    assert.equal(accessOf({ manage: { allow: ['a*'] } }).mayManage('*'), false);
  });
});

describe('without users', () => {
  test('everybody is an administrator, under any name', async () => {
    await using open = await AdminServer.start();
    assert.deepEqual(await open.get('/whoami', { user: 'me', password: 'x' }), {
      name: 'me',
      tags: ['administrator'],
    });
    assert.deepEqual(await open.get('/whoami', { user: '' }), { name: 'guest', tags: ['administrator'] });
    assert.deepEqual(await open.get('/permissions'), [
      { user: 'guest', vhost: '/', configure: '.*', write: '.*', read: '.*' },
    ]);
  });

  test('a web page of elsewhere is not let in', async () => {
    await using open = await AdminServer.start();
    const statusWith = (headers: { readonly [name: string]: string }): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const asked = request({ port: open.port, host: '127.0.0.1', path: '/api/overview', headers });
        asked.on('response', (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        asked.on('error', reject);
        asked.end();
      });
    assert.equal(await statusWith({ host: `localhost:${open.port}` }), 200);
    assert.equal(await statusWith({ host: 'evil.example' }), 403);
    assert.equal(await statusWith({ host: `localhost:${open.port}`, origin: 'http://evil.example' }), 403);
  });
});
