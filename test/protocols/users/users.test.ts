import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  fullAccess,
  makeVerifier,
  userWithPassword,
  Users,
  type Login,
  type User,
} from '../../../src/protocols/users/index.ts';
import { SeededRandom } from '../../../src/util/index.ts';

const random = new SeededRandom(1);
const bytes = (count: number): Uint8Array => random.bytes(count);

async function hashed(name: string, password: string, more: Partial<User> = {}): Promise<User> {
  const verifier = await makeVerifier(password, bytes);
  return { name, credentials: { password: { kind: 'verifier', verifier } }, permissions: undefined, ...more };
}

async function logIn(
  users: Users,
  user: string,
  password: string,
  protocol = 'nats',
): Promise<Login | undefined> {
  return users.logIn(protocol, { kind: 'password', user, password });
}

describe('the table of users', () => {
  test('without users asks for no login', () => {
    const users = new Users();
    assert.equal(users.requires('nats'), false);
    assert.equal(users.openLogin('nats').access, fullAccess);
  });

  test('logs in by password, hashed or not', async () => {
    const users = new Users([await hashed('ann', 'secret'), userWithPassword('nats', 'bob', 'other')]);
    assert.equal(users.requires('nats'), true);
    assert.equal((await logIn(users, 'ann', 'secret'))?.user?.name, 'ann');
    assert.equal((await logIn(users, 'bob', 'other'))?.user?.name, 'bob');
    for (const [user, password] of [
      ['ann', 'other'],
      ['bob', 'secret'],
      ['bob', ''],
      ['eve', 'secret'],
      ['', ''],
      ['n'.repeat(100_000), 'secret'],
      ['ann', 's'.repeat(100_000)],
    ] as const)
      assert.equal(await logIn(users, user, password), undefined);
  });

  test('remembers passwords that were right, and only those', async () => {
    const users = new Users([await hashed('ann', 'secret')]);
    const again = (password: string): unknown =>
      users.logIn('nats', { kind: 'password', user: 'ann', password });
    assert.equal(again('secret') instanceof Promise, true);
    await logIn(users, 'ann', 'secret');
    await logIn(users, 'ann', 'wrong');
    assert.equal(users.passwords.remembered, 1);
    assert.equal(again('secret') instanceof Promise, false);
    assert.equal(again('wrong') instanceof Promise, true);
    users.configure([await hashed('ann', 'changed')]);
    assert.equal(await again('secret'), undefined);
  });

  test('checks many passwords, a few at a time', async () => {
    const users = new Users([await hashed('ann', 'secret')]);
    const logins = Array.from({ length: 50 }, (_, at) =>
      logIn(users, 'ann', at === 40 ? 'secret' : `guess ${at}`),
    );
    const found = await Promise.all(logins);
    assert.deepEqual(
      found.flatMap((login, at) => (login ? [at] : [])),
      [40],
    );
  });

  test('logs in by token, nkey and the names of a certificate', () => {
    const credentials = { token: 'sesame', nkeys: ['UKEY'], certificates: ['CN=box', 'box.example.com'] };
    const users = new Users([{ name: 'box', credentials, permissions: undefined }]);
    const by = (login: unknown): unknown => (login as Login | undefined)?.by;
    assert.equal(by(users.logIn('nats', { kind: 'token', token: 'sesame' })), 'token');
    assert.equal(by(users.logIn('nats', { kind: 'token', token: 'UKEY' })), undefined);
    assert.equal(by(users.logIn('nats', { kind: 'nkey', key: 'UKEY' })), 'nkey');
    const names = ['other', 'box.example.com'];
    const login = users.logIn('kafka', { kind: 'certificate', names }) as Login;
    assert.deepEqual([login.user?.name, login.key], ['box', 'box.example.com']);
    assert.equal(by(users.logIn('nats', { kind: 'certificate', names: [] })), undefined);
  });

  test('keeps users of one name apart by their protocols', async () => {
    const users = new Users([
      userWithPassword('nats', 'ann', 'one'),
      userWithPassword('kafka', 'ann', 'two'),
    ]);
    assert.equal((await logIn(users, 'ann', 'one', 'nats'))?.user?.name, 'ann');
    assert.equal(await logIn(users, 'ann', 'one', 'kafka'), undefined);
    assert.equal((await logIn(users, 'ann', 'two', 'kafka'))?.user?.name, 'ann');
    assert.equal(users.requires('admin'), false);
  });

  test('holds 1,000 users', () => {
    const users = new Users(
      Array.from({ length: 1_000 }, (_, at) => ({
        name: `user-${at}`,
        credentials: { token: `token-${at}` },
        permissions: { publish: { allow: [`topic-${at}`] } },
      })),
    );
    const login = users.logIn('nats', { kind: 'token', token: 'token-777' }) as Login;
    assert.equal(login.user?.name, 'user-777');
    assert.deepEqual(
      [login.access.mayPublish('topic-777'), login.access.mayPublish('topic-778')],
      [true, false],
    );
  });
});

describe('a change of users', () => {
  const ann = userWithPassword('nats', 'ann', 'secret');

  test('leaves logins as they are where nothing has changed for them', async () => {
    const users = new Users([ann]);
    const login = (await logIn(users, 'ann', 'secret'))!;
    users.configure([{ ...ann }, userWithPassword('nats', 'bob', 'other')]);
    assert.equal(users.renew(login), login);
  });

  test('ends logins of users and credentials that are gone', async () => {
    const users = new Users([ann]);
    const login = (await logIn(users, 'ann', 'secret'))!;
    let told = 0;
    users.onChange(() => told++);
    users.configure([userWithPassword('nats', 'ann', 'changed')]);
    assert.equal(users.renew(login), undefined);
    users.configure([userWithPassword('kafka', 'ann', 'secret')]);
    assert.equal(users.renew(login), undefined);
    assert.equal(told, 2);
  });

  test('gives logins their new access', async () => {
    const users = new Users([ann]);
    const login = (await logIn(users, 'ann', 'secret'))!;
    users.configure([{ ...ann, permissions: { publish: { allow: ['orders'] } } }]);
    const now = users.renew(login)!;
    assert.deepEqual([now.access.mayPublish('orders'), now.access.mayPublish('bills')], [true, false]);
  });

  test('asks clients for a login that had none', () => {
    const users = new Users();
    const login = users.openLogin('nats');
    assert.equal(users.renew(login), login);
    users.configure([ann]);
    assert.equal(users.renew(login), undefined);
  });

  test('knows users that a protocol keeps, which ask no one for a login; those of the configuration win', async () => {
    const users = new Users();
    users.keep('kafka', [await hashed('ann', 'kept', { permissions: {} })]);
    assert.equal(users.requires('kafka'), false);
    users.configure([ann]);
    assert.deepEqual([users.isConfigured('ann'), users.isConfigured('bob')], [true, false]);
    assert.equal(users.find('nats', 'ann')?.credentials, ann.credentials);
    assert.notEqual(users.find('kafka', 'ann'), undefined);
  });

  test('adds grants to the permissions of users that have any', () => {
    const users = new Users([ann, { ...ann, name: 'bob', permissions: { publish: { allow: ['orders'] } } }]);
    const bob = users.find('nats', 'bob')!;
    const login = users.loginOf('nats', bob, 'scram');
    users.grant('kafka', [
      { user: 'bob', effect: 'allow', action: 'consume', pattern: 'orders' },
      { user: '*', effect: 'deny', action: 'publish', pattern: 'or*' },
      { user: 'ann', effect: 'deny', action: 'publish', pattern: '*' },
    ]);
    const { access } = users.renew(login)!;
    assert.deepEqual([access.mayConsume('orders'), access.mayPublish('orders')], [true, false]);
    assert.equal(users.accessOf(users.find('nats', 'ann')!), fullAccess);
  });
});
