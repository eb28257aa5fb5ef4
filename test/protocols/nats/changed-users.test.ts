import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Users, userWithPassword } from '../../../src/protocols/users/index.ts';
import { VirtualClock } from '../../../src/util/index.ts';
import { says, TestServer } from './nats-kit.ts';

const ann = userWithPassword('nats', 'ann', 'secret');

describe('verdicts that are kept', () => {
  it('are those of the subject at hand, whatever came in between', async () => {
    const users = new Users([
      { ...ann, nats: { publish: { allow: ['a', '$JS.API.>'], deny: ['$JS.API.b'] } } },
    ]);
    await using server = await TestServer.start({ users });
    using client = await server.connect({ user: 'ann', pass: 'secret', no_responders: false });
    const publish = (...subjects: string[]): string =>
      subjects.map((subject) => `PUB ${subject} 0\r\n\r\n`).join('');
    const denied = (...subjects: string[]): string =>
      subjects.map((subject) => `-ERR 'Permissions Violation for Publish to "${subject}"'\r\n`).join('');
    for (const order of [
      ['b', '$JS.API.a', 'b', '$JS.API.b', 'b'],
      ['a', '$JS.API.b', 'a', '$JS.API.b', 'b', 'a', 'b', 'b', 'a', 'a'],
      ['b', 'b', '$JS.API.a', '$JS.API.a', 'b', '$JS.ACK.b', 'a', '$JS.ACK.b'],
    ])
      await says(
        client,
        publish(...order),
        denied(...order.filter((subject) => !['a', '$JS.API.a'].includes(subject))),
      );
  });

  for (const { rules, title, isDenied } of [
    {
      title: 'are those of an ack, whichever consumer the last ones were of',
      rules: { allow: ['$JS.ACK.*.c.>', '$JS.ACK.s.d*.>'], deny: ['$JS.ACK.x.>'] },
      isDenied: (ack: string) => !/^\$JS\.ACK\.(?!x)\w+\.c\./.test(ack),
    },
    {
      title: 'are those of an ack, where rules look at its end',
      rules: { allow: ['$JS.ACK.>'], deny: ['$JS.ACK.*.*.7.>', '$JS.ACK.s.c.1.2'] },
      isDenied: (ack: string) => /^\$JS\.ACK\.\w+\.\w+\.7\.|^\$JS\.ACK\.s\.c\.1\.2$/.test(ack),
    },
  ])
    it(title, async () => {
      const users = new Users([{ ...ann, nats: { publish: rules } }]);
      await using server = await TestServer.start({ users });
      using client = await server.connect({ user: 'ann', pass: 'secret', no_responders: false });
      const acks = Array.from({ length: 12 }, (_, at) => `s${at}`)
        .concat('s', 'x', 's')
        .flatMap((stream) => ['c', 'dog', 'c'].map((consumer) => `$JS.ACK.${stream}.${consumer}`))
        .flatMap((consumer) => [
          `${consumer}.1.2`,
          `${consumer}.7.2`,
          consumer,
          `${consumer}.`,
          `${consumer}.1.2`,
        ]);
      const denied = acks.filter((ack) => isDenied(ack));
      assert.ok(denied.length > 0 && denied.length < acks.length);
      await says(
        client,
        acks.map((subject) => `PUB ${subject} 0\r\n\r\n`).join(''),
        denied.map((subject) => `-ERR 'Permissions Violation for Publish to "${subject}"'\r\n`).join(''),
      );
    });
});

describe('users that change', () => {
  it('end a connection that has never sent CONNECT, unless it does so in time', async () => {
    const clock = new VirtualClock();
    const users = new Users();
    await using server = await TestServer.start({ users, clock });
    using silent = await server.greeted();
    using late = await server.greeted();
    await says(silent, 'SUB a 1\r\n', '+OK\r\n');
    users.configure([ann]);
    const connect = 'CONNECT {"verbose":false,"user":"ann","pass":"secret"}\r\n';
    await says(late, connect, '');
    clock.advance(2_000);
    assert.equal(await silent.closed(), "-ERR 'Authentication Timeout'\r\n");
    await says(late, '', '');
  });

  it('show in the INFO of new connections', async () => {
    const users = new Users();
    await using server = await TestServer.start({ users });
    const infoOf = async (): Promise<string> => {
      using client = await server.greeted();
      client.send('CONNECT {"protocol":1,"verbose":false,"user":"ann","pass":"secret"}\r\nPING\r\n');
      await client.line();
      return client.line();
    };
    assert.doesNotMatch(await infoOf(), /auth_required/);
    users.configure([ann]);
    assert.match(await infoOf(), /"auth_required":true/);
    assert.equal(server.nats.authenticates, true);
    users.configure([]);
    assert.doesNotMatch(await infoOf(), /auth_required/);
  });

  it('keep subscriptions that are allowed, and filter them anew', async () => {
    const users = new Users([ann]);
    await using server = await TestServer.start({ users });
    using client = await server.connect({ user: 'ann', pass: 'secret' });
    await says(client, 'SUB a.* 1\r\nSUB b q 2\r\nPUB a.x 0\r\n\r\n', 'MSG a.x 1 0\r\n\r\n');
    const rules = { publish: { allow: ['a.>'] }, subscribe: { allow: ['a.>'], deny: ['a.x'] } };
    users.configure([{ ...ann, nats: rules }]);
    await says(
      client,
      'PUB a.x 0\r\n\r\nPUB a.y 0\r\n\r\nPUB b 0\r\n\r\n',
      `-ERR 'Permissions Violation for Subscription to "b" using queue "q" (sid "2")'\r\n` +
        `MSG a.y 1 0\r\n\r\n-ERR 'Permissions Violation for Publish to "b"'\r\n`,
    );
    assert.equal(server.nats.subscriptions, 1);
    users.configure([ann]);
    await says(client, 'PUB a.x 0\r\n\r\nPUB b 0\r\n\r\n', 'MSG a.x 1 0\r\n\r\n');
  });

  it('reach 1,000 users and their connections', async () => {
    const many = Array.from({ length: 1_000 }, (_, at) => ({
      name: `user-${at}`,
      credentials: { token: `token-${at}` },
      permissions: undefined,
    }));
    const users = new Users(many);
    await using server = await TestServer.start({ users });
    using kept = await server.connect({ auth_token: 'token-7' });
    using gone = await server.connect({ auth_token: 'token-999' });
    users.configure(many.slice(0, 999));
    assert.equal(await gone.closed(), "-ERR 'Authorization Violation'\r\n");
    await says(kept, '', '');
  });
});
