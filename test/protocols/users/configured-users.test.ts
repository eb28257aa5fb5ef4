import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hashPassword, parseUsers } from '../../../src/protocols/users/index.ts';
import { encodeUserKey } from '../../../src/wire/nats/index.ts';

const nkey = encodeUserKey(new Uint8Array(32).fill(9));

describe('users of the configuration', () => {
  test('have all that docs/users.md names', async () => {
    const password = await hashPassword('secret', 4096);
    const [shop, box] = parseUsers([
      {
        name: 'shop',
        password,
        permissions: { publish: 'orders', consume: { allow: ['orders-*'], deny: ['orders-audit'] } },
        nats: {
          publish: ['requests.>'],
          subscribe: { allow: ['_INBOX.>', 'news.> workers'], deny: 'news.internal' },
          'allow-responses': { max: 2, expires: '1m' },
        },
      },
      {
        name: 'box',
        token: 'sesame',
        nkey,
        certificate: ['CN=box'],
        'access-key': { id: 'AKIABOX', secret: 'hush' },
        protocols: ['nats'],
        nats: { 'allow-responses': true },
      },
    ]);
    assert.equal(shop?.credentials.password?.kind, 'verifier');
    assert.deepEqual(shop?.permissions, {
      publish: { allow: ['orders'] },
      consume: { allow: ['orders-*'], deny: ['orders-audit'] },
    });
    assert.deepEqual(shop?.nats, {
      publish: { allow: ['requests.>'] },
      subscribe: { allow: ['_INBOX.>', 'news.> workers'], deny: ['news.internal'] },
      allowResponses: { max: 2, expiresMs: 60_000 },
    });
    assert.deepEqual(box?.credentials.nkeys, [nkey]);
    assert.deepEqual(box?.credentials.accessKeys, [{ id: 'AKIABOX', secret: 'hush' }]);
    assert.deepEqual([...(box?.protocols ?? [])], ['nats']);
    assert.deepEqual(box?.nats?.allowResponses, { max: 1, expiresMs: 120_000 });
    assert.equal(box?.permissions, undefined);
  });

  test('say what is wrong with them, and show no secret', () => {
    const wrong: [users: unknown[], message: RegExp][] = [
      [['ann'], /entry 1 of "users" must be a table/],
      [[{}], /entry 1 of "users" needs a "name"/],
      [[{ name: 'n'.repeat(257) }], /1 to 256 characters/],
      [[{ name: 'ann', pasword: 'x' }], /user "ann" \(entry 1 of "users"\) has an unknown key "pasword"/],
      [[{ name: 'ann', password: '' }], /"password" of the user "ann" .* must be a text/],
      [
        [{ name: 'ann', password: 'SCRAM-SHA-256$4096:hushhush' }],
        /all of what "pillarbox user hash" prints/,
      ],
      [[{ name: 'ann', nkey: `${nkey.slice(0, -1)}7` }], /"nkey" .* must be a public key/],
      [
        [{ name: 'ann', protocols: ['http'] }],
        /"protocols" .* must be a list of nats, kafka, amqp, sqs, admin/,
      ],
      [[{ name: 'ann', 'access-key': 'x' }], /key "access-key" of the user "ann" .* must be a table/],
      [[{ name: 'ann', 'access-key': { id: 'a' } }], /must be a table with id and secret/],
      [[{ name: 'ann', 'access-key': { id: 'a/b', secret: 'x' } }], /"id" .* must be 1 to 128 letters/],
      [
        [
          { name: 'ann', 'access-key': { id: 'a', secret: 'x' } },
          { name: 'bob', 'access-key': { id: 'a', secret: 'y' } },
        ],
        /Two users have the access key "a"/,
      ],
      [[{ name: 'ann', permissions: ['orders'] }], /key "permissions" of the user "ann" .* must be a table/],
      [
        [{ name: 'ann', permissions: { read: [] } }],
        /unknown key "read"; the known ones are publish, consume, manage/,
      ],
      [[{ name: 'ann', permissions: { publish: ['a*b'] } }], /"publish" .* must be a list of topic names/],
      [[{ name: 'ann', permissions: { publish: { alow: [] } } }], /unknown key "alow"/],
      [
        [{ name: 'ann', permissions: { publish: { deny: [1] } } }],
        /"deny" .* must be a text or a list of texts/,
      ],
      [[{ name: 'ann', nats: { publish: ['a..b'] } }], /"publish" .* must be a list of subjects/],
      [[{ name: 'ann', nats: { publish: ['a queue'] } }], /"publish" .* must be a list of subjects/],
      [[{ name: 'ann', nats: { 'allow-responses': { expires: 'soon' } } }], /"expires" .* must be a time/],
      [[{ name: 'ann', nats: { 'allow-responses': { max: -1 } } }], /"max" .* must be a whole number/],
      [[{ name: 'ann' }, { name: 'ann' }], /Two users have the name "ann"/],
      [
        [
          { name: 'a', token: 'hushhush' },
          { name: 'b', token: 'hushhush' },
        ],
        /Two users have the token \(not shown\)/,
      ],
      [
        [
          { name: 'a', nkey },
          { name: 'b', nkey },
        ],
        /Two users have the nkey/,
      ],
    ];
    for (const [users, message] of wrong)
      assert.throws(
        () => parseUsers(users),
        (error: Error) => message.test(error.message) && !error.message.includes('hushhush'),
        JSON.stringify(users),
      );
  });

  test('may have one name at different protocols', () => {
    const users = [
      { name: 'ann', password: 'one', protocols: 'nats' },
      { name: 'ann', password: 'two', protocols: 'kafka' },
    ];
    assert.equal(parseUsers(users).length, 2);
  });
});
