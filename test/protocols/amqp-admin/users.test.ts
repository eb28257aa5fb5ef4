/** Users and permissions that are made by the management API. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { MemoryFiles } from '../../../src/log/index.ts';
import { KeptUsers } from '../../../src/protocols/amqp/index.ts';
import { parseUsers, Users } from '../../../src/protocols/users/index.ts';
import { Peer } from '../amqp/amqp-kit.ts';
import { AdminServer } from './admin-kit.ts';

const root = { user: 'root' };
const configured = parseUsers([{ name: 'root', password: 'root' }]);
const everything = { configure: '.*', write: '.*', read: '.*' };

/** What an AMQP client hears after its login. */
async function login(server: AdminServer, user: string, password: string): Promise<string> {
  using peer = await Peer.connect(server.amqp.port);
  try {
    await peer.handshake({ user, password });
    return 'open';
  } catch (error) {
    return (error as Error).message;
  }
}

/** A password as RabbitMQ would have exported it. */
function hashOf(password: string): string {
  const salt = Buffer.from([1, 2, 3, 4]);
  const hash = createHash('sha256').update(salt).update(password).digest();
  return Buffer.concat([salt, hash]).toString('base64');
}

describe('a user', () => {
  test('is made, logs in, gets permissions, and is gone with its connections', async () => {
    await using server = await AdminServer.start({ configured });
    const told = (line: string, body?: object): Promise<string> => server.told(line, body, root);
    assert.equal(await told('PUT /users/new', { password: 'secret', tags: 'management' }), '201');
    assert.equal(await told('PUT /users/new', { password: 'changed', tags: ['management'] }), '204');
    assert.match(await login(server, 'new', 'secret'), /ACCESS_REFUSED/);
    assert.equal(await login(server, 'new', 'changed'), 'open');
    const user = { user: 'new', password: 'changed' };
    assert.equal(await server.told('PUT /queues/%2F/q', {}, user), '401 not_authorised: Access refused.');
    const mine = { configure: '^mine-.*$', write: '^(mine-a|mine-b)$', read: '.*' };
    assert.equal(await told('PUT /permissions/%2F/new', mine), '201');
    assert.equal(await told('PUT /permissions/%2F/new', mine), '204');
    assert.deepEqual(await server.get('/permissions/%2F/new', root), { user: 'new', vhost: '/', ...mine });
    assert.equal(await server.told('PUT /queues/%2F/q', {}, user), '401 not_authorised: Access refused.');
    assert.equal(await server.told('PUT /queues/%2F/mine-q', {}, user), '201');
    using peer = await Peer.connect(server.amqp.port);
    await peer.handshake({ user: 'new', password: 'changed' });
    assert.equal(await told('DELETE /permissions/%2F/new'), '204');
    assert.deepEqual(await server.get('/users/new/permissions', root), []);
    assert.equal(await told('DELETE /users/new'), '204');
    assert.match(await peer.next(), /user 'new' was changed or deleted/);
    assert.match(await login(server, 'new', 'changed'), /ACCESS_REFUSED/);
  });

  test('of RabbitMQ keeps its password, by the hash of it', async () => {
    await using server = await AdminServer.start({ configured });
    const user = {
      password_hash: hashOf('from rabbit'),
      hashing_algorithm: 'rabbit_password_hashing_sha256',
      tags: ['administrator'],
    };
    assert.equal(await server.told('PUT /users/moved', user, root), '201');
    const moved = { user: 'moved', password: 'from rabbit' };
    assert.deepEqual(await server.get('/whoami', moved), { name: 'moved', tags: ['administrator'] });
    assert.equal(await login(server, 'moved', 'from rabbit'), 'open');
    assert.match(await login(server, 'moved', 'from elsewhere'), /ACCESS_REFUSED/);
    assert.deepEqual(await server.get('/users/moved', root), { name: 'moved', ...user, limits: {} });
  });

  test('may use the API as its tags say', async () => {
    await using server = await AdminServer.start({ configured });
    for (const [name, tags] of [
      ['none', []],
      ['watcher', ['monitoring']],
      ['boss', ['administrator', 'custom']],
    ] as const) {
      await server.ask(`PUT /users/${name}`, { password: name, tags }, root);
      await server.ask(`PUT /permissions/%2F/${name}`, everything, root);
    }
    assert.equal(
      await server.told('GET /whoami', undefined, { user: 'none' }),
      '401 not_authorised: Not management user',
    );
    assert.equal(await server.told('GET /nodes', undefined, { user: 'watcher' }), '200');
    assert.equal(
      await server.told('GET /users', undefined, { user: 'watcher' }),
      '401 not_authorised: Not administrator user',
    );
    assert.equal(await server.told('GET /users', undefined, { user: 'boss' }), '200');
  });

  test('without a password cannot log in', async () => {
    await using server = await AdminServer.start({ configured });
    await server.ask('PUT /users/nobody', { tags: '' }, root);
    for (const password of ['', 'nobody'])
      assert.match(await login(server, 'nobody', password), /ACCESS_REFUSED/);
  });

  test('survives a restart', async () => {
    const files = new MemoryFiles();
    {
      await using server = await AdminServer.start({ configured, files });
      await server.ask('PUT /users/kept', { password: 'p', tags: 'monitoring' }, root);
      await server.ask('PUT /permissions/%2F/kept', everything, root);
    }
    await using server = await AdminServer.start({ configured, files });
    // As the server does it before its doors open.
    new KeptUsers(server.amqp.broker, server.users).restore();
    assert.equal(await login(server, 'kept', 'p'), 'open');
    assert.deepEqual(await server.get('/whoami', { user: 'kept', password: 'p' }), {
      name: 'kept',
      tags: ['monitoring'],
    });
  });

  test('of the configuration is changed there only', async () => {
    await using server = await AdminServer.start({ configured });
    for (const [line, body] of [
      ['PUT /users/root', { password: 'x', tags: '' }],
      ['DELETE /users/root', undefined],
      ['PUT /permissions/%2F/root', everything],
      ['DELETE /permissions/%2F/root', undefined],
      ['POST /users/bulk-delete', { users: ['root'] }],
    ] as const)
      assert.match(
        await server.told(line, body, root),
        /^405 method_not_allowed: The user "root" comes from/,
      );
    assert.equal(await login(server, 'root', 'root'), 'open');
  });

  test('that cannot be is refused', async () => {
    await using server = await AdminServer.start({ configured });
    await server.ask('PUT /users/u', { tags: '' }, root);
    for (const [line, body, said] of [
      ['PUT /users/v', {}, '400 bad_request: tags_not_present'],
      ['PUT /users/v', { tags: [1] }, '400 bad_request: tags are at most 20 texts'],
      ['PUT /users/v', { tags: '', password: 1 }, '400 bad_request: password_not_string'],
      [`PUT /users/${'v'.repeat(257)}`, { tags: '' }, '400 bad_request: a name has at most 256 characters'],
      ['PUT /permissions/%2F/none', everything, '400 bad_request: vhost_or_user_not_found'],
      ['PUT /permissions/nowhere/u', everything, '400 bad_request: vhost_or_user_not_found'],
      [
        'PUT /permissions/%2F/u',
        { configure: '' },
        '400 bad_request: [{key_missing,write},{key_missing,read}]',
      ],
      ['DELETE /users/none', undefined, '404 Object Not Found: Not Found'],
      ['DELETE /permissions/%2F/u', undefined, '404 Object Not Found: Not Found'],
      ['GET /permissions/%2F/u', undefined, '404 Object Not Found: Not Found'],
    ] as const)
      assert.equal(await server.told(line, body, root), said);
    assert.match(
      await server.told('PUT /permissions/%2F/u', { ...everything, write: 'a+' }, root),
      /^400 bad_request: write: the pattern "a\+" is not supported/,
    );
    assert.match(
      await server.told('PUT /users/v', { tags: '', password_hash: '??' }, root),
      /^400 bad_request: password_hash is neither/,
    );
  });

  test('comes and goes with definitions', async () => {
    await using from = await AdminServer.start({ configured });
    await from.ask('PUT /users/hashed', { password: 'h', tags: 'monitoring' }, root);
    await from.ask('PUT /users/digest', { password_hash: hashOf('d'), tags: '' }, root);
    await from.ask('PUT /permissions/%2F/hashed', everything, root);
    const exported = await from.get('/definitions', root);
    assert.deepEqual(exported.permissions, [{ user: 'hashed', vhost: '/', ...everything }]);
    await using to = await AdminServer.start({ configured });
    const body = {
      ...exported,
      users: [...exported.users, { name: 'root', password_hash: hashOf('x'), tags: 'administrator' }],
      permissions: [...exported.permissions, { user: 'root', vhost: '/', ...everything }],
    };
    assert.equal(await to.told('POST /definitions', body, root), '204');
    assert.equal(await login(to, 'hashed', 'h'), 'open');
    assert.equal(await login(to, 'digest', 'd'), 'open');
    assert.equal(await login(to, 'root', 'root'), 'open');
    assert.deepEqual((await to.get('/definitions', root)).users, exported.users);
  });

  test('that is made where nobody has to log in is listed beside everybody', async () => {
    await using server = await AdminServer.start();
    await server.ask('PUT /users/made', { password: 'p', tags: 'management' });
    const names = (await server.get('/users')).map(({ name }: { name: string }) => name);
    assert.deepEqual(names, ['guest', 'made']);
    assert.equal(new Users().requires('amqp'), false);
    assert.equal(await login(server, 'whoever', 'x'), 'open');
  });
});
