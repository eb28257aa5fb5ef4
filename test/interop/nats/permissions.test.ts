/**
 * Users and permissions by subject: the same transcripts for this broker and, where there is one, for a
 * nats-server with the same users.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  comparedPath,
  parallel,
  type ServerConfiguration,
  type ServerKind,
  serverKind,
  type TestServer,
  useServer,
  WireClient,
} from '../../support/index.ts';
import { lines, quietConnect } from './handshake.ts';

const configuration: ServerConfiguration = {
  pillarbox: `
[[users]]
name = "all"
password = "p"

[[users]]
name = "ann"
password = "p"
[users.nats]
publish = { allow = ["a.>", "$SYS.REQ.USER.INFO"], deny = ["a.secret"] }
subscribe = { allow = ["a.>", "b.* q.*", "c.>", "_INBOX.>"], deny = ["a.hidden.>", "c.*", "a.q work"] }

[[users]]
name = "service"
password = "p"
[users.nats]
subscribe = "svc"
allow-responses = { max = 2, expires = "1m" }

[[users]]
name = "denied"
password = "p"
[users.nats]
publish = { deny = "x" }
subscribe = { deny = ["secret.>"] }
`,
  natsServer: `
authorization {
  users = [
    { user: all, password: p }
    { user: ann, password: p, permissions: {
      publish: { allow: ["a.>", "$SYS.REQ.USER.INFO"], deny: ["a.secret"] }
      subscribe: { allow: ["a.>", "b.* q.*", "c.>", "_INBOX.>"], deny: ["a.hidden.>", "c.*", "a.q work"] }
    } }
    { user: service, password: p, permissions: { subscribe: "svc", allow_responses: { max: 2, expires: "1m" } } }
    { user: denied, password: p, permissions: { publish: { deny: "x" }, subscribe: { deny: ["secret.>"] } } }
  ]
}
`,
};

const kinds: readonly ServerKind[] =
  comparedPath === undefined || serverKind === 'nats-server' ? [serverKind] : ['pillarbox', 'nats-server'];

async function logIn(server: TestServer, user: string, connect: object = {}): Promise<WireClient> {
  const client = await WireClient.open(server.natsPort, { ping: 'PING\r\n', pong: 'PONG\r\n' });
  await client.line();
  client.send(`CONNECT ${JSON.stringify({ ...quietConnect, user, pass: 'p', ...connect })}\r\nPING\r\n`);
  await client.readThrough('PONG\r\n');
  return client;
}

const violation = (what: string): string => `-ERR 'Permissions Violation for ${what}'`;

for (const kind of kinds)
  describe(`permissions by subject, on ${kind}`, parallel, () => {
    const server = useServer({ kind, configuration });
    const withServer = (name: string, run: (server: TestServer) => Promise<void>): void => {
      test(name, () => run(server()));
    };

    withServer('publishes and subscriptions, and what is not delivered', async (server) => {
      using ann = await logIn(server, 'ann');
      using all = await logIn(server, 'all');
      const exchange = (sent: readonly string[], expected: readonly string[]): Promise<void> =>
        ann.exchange(`${lines(...sent)}PING\r\n`, `${lines(...expected)}PONG\r\n`);

      await exchange(
        ['PUB a.x 1', '1', 'PUB a.secret 1', '1', 'PUB z 1', '1', 'PUB q"x 0', ''],
        [violation('Publish to "a.secret"'), violation('Publish to "z"'), violation('Publish to "q\\"x"')],
      );
      // Once more, after the verdict was kept.
      await exchange(
        ['PUB z 1', '1', 'PUB z 1', '1', 'PUB a.x 1', '1', 'PUB a.x 1', '1', 'PUB a.secret 1', '1'],
        [violation('Publish to "z"'), violation('Publish to "z"'), violation('Publish to "a.secret"')],
      );
      const subscriptions: [sub: string, refused: string | undefined][] = [
        ['b.x 1', 'b.x"'],
        ['b.x q.1 2', undefined],
        ['b.x other 3', 'b.x" using queue "other"'],
        ['z 4', 'z"'],
        ['z qq 5', 'z" using queue "qq"'],
        ['c.> 8', 'c.>"'],
        ['c.x 9', 'c.x"'],
        ['c.x.y 10', undefined],
        ['a.hidden.x 11', 'a.hidden.x"'],
        ['a.> 12', undefined],
        ['a.hidden.> 13', 'a.hidden.>"'],
        ['> 14', '>"'],
        ['*.x 15', '*.x"'],
        ['a.q work 16', 'a.q" using queue "work"'],
        ['a.q 17', undefined],
      ];
      for (const [sub, refused] of subscriptions)
        await exchange(
          [`SUB ${sub}`],
          refused === undefined ? [] : [violation(`Subscription to "${refused}`)],
        );
      for (let round = 0; round < 2; round++) {
        await all.exchange(
          `${lines('PUB a.hidden.x 1', '1', 'PUB a.ok 1', '2', 'PUB a.hidden.y 1', '3', 'PUB a.ok 1', '4')}PING\r\n`,
          'PONG\r\n',
        );
        await ann.expect(lines('MSG a.ok 12 1', '2', 'MSG a.ok 12 1', '4'));
      }
    });

    withServer('a verbose client hears -ERR instead of +OK', async (server) => {
      using ann = await logIn(server, 'ann', { verbose: true });
      await ann.exchange(
        lines('PUB a.x 0', '', 'PUB z 0', '', 'SUB z 1', 'SUB a.x 2', 'PING'),
        lines('+OK', violation('Publish to "z"'), violation('Subscription to "z"'), '+OK', 'PONG'),
      );
    });

    withServer('a client with denials alone may do the rest', async (server) => {
      using denied = await logIn(server, 'denied');
      await denied.exchange(
        lines(
          'SUB > 1',
          'SUB secret.x 2',
          'SUB secret.* 3',
          'PUB x 0',
          '',
          'PUB y 0',
          '',
          'PUB secret.x 0',
          '',
          'PING',
        ),
        lines(
          violation('Subscription to "secret.x"'),
          violation('Subscription to "secret.*"'),
          violation('Publish to "x"'),
          'MSG y 1 0',
          '',
          'PONG',
        ),
      );
    });

    withServer('a client that may answer does so, as often as it may', async (server) => {
      using service = await logIn(server, 'service');
      using all = await logIn(server, 'all');
      await service.exchange(
        lines('SUB svc 1', 'PUB in.1 0', '', 'PING'),
        lines(violation('Publish to "in.1"'), 'PONG'),
      );
      await all.exchange(lines('SUB in.> 1', 'PUB svc in.1 0', '', 'PING'), 'PONG\r\n');
      await service.expect(lines('MSG svc 1 in.1 0', ''));
      await service.exchange(
        lines('PUB in.2 0', '', 'PUB in.1 1', '1', 'PUB in.1 1', '2', 'PUB in.1 1', '3', 'PING'),
        lines(violation('Publish to "in.2"'), violation('Publish to "in.1"'), 'PONG'),
      );
      await all.expect(lines('MSG in.1 1 1', '1', 'MSG in.1 1 1', '2'));
    });

    withServer('a trace needs the permission to publish to its subject', async (server) => {
      using ann = await logIn(server, 'ann');
      await ann.exchange(
        `${lines('SUB a.y 1', 'HPUB a.y 32 32', 'NATS/1.0', 'Nats-Trace-Dest: z', '', '')}PING\r\n`,
        lines(violation('Publish to "z"'), 'PONG'),
      );
    });

    withServer('the client is told its user and its permissions', async (server) => {
      using ann = await logIn(server, 'ann');
      ann.send(lines('SUB _INBOX.1 1', 'PUB $SYS.REQ.USER.INFO _INBOX.1 0', ''));
      assert.match(await ann.line(), /^MSG _INBOX\.1 1 \d+$/);
      const { data } = JSON.parse(await ann.line()) as { data: Record<string, unknown> };
      assert.deepEqual([data['user'], data['account']], ['ann', '$G']);
      // nats-server shows them in no order.
      const permissions: unknown = JSON.parse(JSON.stringify(data['permissions']), (_, value: unknown) =>
        Array.isArray(value) ? (value as string[]).toSorted() : value,
      );
      assert.deepEqual(permissions, {
        publish: { allow: ['$SYS.REQ.USER.INFO', 'a.>'], deny: ['a.secret'] },
        subscribe: {
          allow: ['_INBOX.>', 'a.>', 'b.* q.*', 'c.>'],
          deny: ['a.hidden.>', 'a.q work', 'c.*'],
        },
      });
      using service = await logIn(server, 'service');
      using all = await logIn(server, 'all');
      await all.exchange(lines('SUB u.* 1', 'PING'), 'PONG\r\n');
      all.send(lines('PUB $SYS.REQ.USER.INFO u.1 0', ''));
      await all.line();
      const ofAll = JSON.parse(await all.line()) as { data: Record<string, unknown> };
      assert.deepEqual([ofAll.data['user'], ofAll.data['permissions']], ['all', undefined]);
      await service.exchange('PING\r\n', 'PONG\r\n');
    });

    withServer('a wrong password, an unknown user and no user are not let in', async (server) => {
      for (const connect of [
        { pass: 'q' },
        { user: 'eve' },
        { user: undefined, pass: undefined },
        { user: 'n'.repeat(3000) },
      ]) {
        const client = await WireClient.open(server.natsPort);
        await client.line();
        client.send(`CONNECT ${JSON.stringify({ ...quietConnect, user: 'ann', pass: 'p', ...connect })}\r\n`);
        assert.equal(await client.closed(), "-ERR 'Authorization Violation'\r\n");
        client[Symbol.dispose]();
      }
    });
  });
