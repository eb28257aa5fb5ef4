/**
 * Nkeys, clients without credentials, and users that change, on both kinds of server; by the official client.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connect, nkeyAuthenticator, nkeys, type NodeConnectionOptions } from '@nats-io/transport-node';
import {
  comparedPath,
  eventually,
  parallel,
  type ServerConfiguration,
  type ServerKind,
  serverKind,
  startServer,
  useServer,
  WireClient,
} from '../../support/index.ts';
import { lines, quietConnect } from './handshake.ts';

const kinds: readonly ServerKind[] =
  comparedPath === undefined || serverKind === 'nats-server' ? [serverKind] : ['pillarbox', 'nats-server'];

const signer = nkeys.createUser();
const stranger = nkeys.createUser();
const seedOf = (pair: typeof signer): Uint8Array => pair.getSeed();

const configuration: ServerConfiguration = {
  pillarbox: `
nats-no-auth-user = "guest"
[[users]]
name = "guest"
nats = { publish = "open.>", subscribe = "open.>" }
[[users]]
name = "box"
nkey = "${signer.getPublicKey()}"
[[users]]
name = "ann"
password = "p"
`,
  natsServer: `
no_auth_user: guest
authorization { users = [
  { user: guest, password: unknown, permissions: { publish: "open.>", subscribe: "open.>" } }
  { nkey: ${signer.getPublicKey()} }
  { user: ann, password: p }
] }
`,
};

for (const kind of kinds)
  describe(`credentials, on ${kind}`, parallel, () => {
    const server = useServer({ kind, configuration });
    const open = async (): Promise<{ client: WireClient; info: Record<string, unknown> }> => {
      const client = await WireClient.open(server().natsPort, { ping: 'PING\r\n', pong: 'PONG\r\n' });
      const info = JSON.parse((await client.line()).slice('INFO '.length)) as Record<string, unknown>;
      return { client, info };
    };

    test('an nkey signs the nonce of INFO', async () => {
      const options: NodeConnectionOptions = { servers: server().natsAddress, reconnect: false };
      const nc = await connect({ ...options, authenticator: nkeyAuthenticator(seedOf(signer)) });
      await nc.flush();
      await nc.close();
      await assert.rejects(connect({ ...options, authenticator: nkeyAuthenticator(seedOf(stranger)) }), {
        name: 'AuthorizationError',
      });
    });

    test('a signature of another nonce, key or length is none', async () => {
      const sign = (nonce: string, pair = signer): string =>
        Buffer.from(pair.sign(Buffer.from(nonce))).toString('base64url');
      const wrong: ((nonce: string) => object)[] = [
        () => ({ nkey: signer.getPublicKey(), sig: sign('another nonce') }),
        (nonce) => ({ nkey: signer.getPublicKey(), sig: sign(nonce, stranger) }),
        (nonce) => ({ nkey: signer.getPublicKey(), sig: sign(nonce).slice(0, -4) }),
        (nonce) => ({ nkey: signer.getPublicKey(), sig: `${sign(nonce)}AAAA` }),
        () => ({ nkey: signer.getPublicKey() }),
        () => ({ nkey: signer.getPublicKey(), sig: '!'.repeat(3000) }),
        (nonce) => ({ nkey: 'U'.repeat(56), sig: sign(nonce) }),
        (nonce) => ({ nkey: 'x'.repeat(3000), sig: sign(nonce) }),
        () => ({ user: 'guest', pass: '' }),
        () => ({ user: 'box' }),
        () => ({ auth_token: 'guest' }),
      ];
      for (const connectOptions of wrong) {
        const { client, info } = await open();
        const nonce = String(info['nonce']);
        assert.match(nonce, /^[\w-]{15}$/);
        const options = connectOptions(nonce);
        client.send(`CONNECT ${JSON.stringify({ ...quietConnect, ...options })}\r\nPING\r\n`);
        assert.equal(await client.closed(), "-ERR 'Authorization Violation'\r\n", JSON.stringify(options));
        client[Symbol.dispose]();
      }
      const { client, info } = await open();
      client.send(
        `CONNECT ${JSON.stringify({ ...quietConnect, nkey: signer.getPublicKey(), sig: sign(String(info['nonce'])) })}\r\nPING\r\n`,
      );
      await client.expect('PONG\r\n');
      client[Symbol.dispose]();
    });

    test('clients without credentials are the user named for them, with and without CONNECT', async () => {
      const { client, info } = await open();
      assert.notEqual(info['auth_required'], true);
      await client.exchange(
        lines('PUB open.1 0', '', 'PUB closed 0', '', 'SUB closed 1', 'PING'),
        lines(
          '+OK',
          `-ERR 'Permissions Violation for Publish to "closed"'`,
          `-ERR 'Permissions Violation for Subscription to "closed"'`,
          'PONG',
        ),
      );
      client[Symbol.dispose]();
      const nc = await connect({ servers: server().natsAddress });
      nc.publish('open.1');
      await nc.flush();
      await nc.close();
    });
  });

const before: ServerConfiguration = {
  pillarbox: `
[[users]]
name = "ann"
password = "p"
[[users]]
name = "bob"
password = "p"
[[users]]
name = "eve"
password = "p"
`,
  natsServer: `
authorization { users = [ { user: ann, password: p }, { user: bob, password: p }, { user: eve, password: p } ] }
`,
};
const after: ServerConfiguration = {
  pillarbox: `
[[users]]
name = "ann"
password = "p"
nats = { publish = "a.>", subscribe = { deny = "secret.>" } }
[[users]]
name = "bob"
password = "changed"
`,
  natsServer: `
authorization { users = [
  { user: ann, password: p, permissions: { publish: "a.>", subscribe: { deny: "secret.>" } } }
  { user: bob, password: changed }
] }
`,
};

for (const kind of kinds)
  test(`users that change at SIGHUP, on ${kind}`, async () => {
    await using server = await startServer({ kind, configuration: before });
    const logIn = async (user: string, pass = 'p'): Promise<WireClient> => {
      const client = await WireClient.open(server.natsPort, { ping: 'PING\r\n', pong: 'PONG\r\n' });
      await client.line();
      client.send(`CONNECT ${JSON.stringify({ ...quietConnect, user, pass })}\r\nPING\r\n`);
      await client.expect('PONG\r\n');
      return client;
    };
    using ann = await logIn('ann');
    using bob = await logIn('bob');
    using eve = await logIn('eve');
    await ann.exchange(
      lines('SUB secret.x 1', 'SUB *.x 2', 'PUB z.x 0', '', 'PING'),
      lines('MSG z.x 2 0', '', 'PONG'),
    );
    await server.reload(after);
    assert.equal(await ann.line(), `-ERR 'Permissions Violation for Subscription to "secret.x" (sid "1")'`);
    // nats-server may close before the words are read.
    const closed =
      kind === 'nats-server'
        ? /^(-ERR 'Authorization Violation'\r\n)?$/
        : /^-ERR 'Authorization Violation'\r\n$/;
    assert.match(await bob.closed(), closed);
    assert.match(await eve.closed(), closed);
    using bobAgain = await logIn('bob', 'changed');
    await bobAgain.exchange(lines('PUB secret.x 0', '', 'PUB open.x 0', '', 'PING'), 'PONG\r\n');
    await ann.expect(lines('MSG open.x 2 0', ''));
    await ann.exchange(
      lines('PUB z 0', '', 'PING'),
      lines(`-ERR 'Permissions Violation for Publish to "z"'`, 'PONG'),
    );
    if (kind === 'nats-server') return;
    // A file that does not fit changes nothing.
    await server.reload({ ...after, pillarbox: '[[users]]\nname = "ann"\ncolour = "red"\n' });
    await eventually(() => /users stay as they were/.test(server.output()));
    await bobAgain.exchange('PING\r\n', 'PONG\r\n');
    // Without users no login is asked for.
    await server.reload({ ...after, pillarbox: '# none\n' });
    await eventually(() => (server.output().match(/users were read anew/g) ?? []).length === 2);
    using anyone = await logIn('anyone');
    await anyone.exchange(lines('PUB z 0', '', 'PING'), 'PONG\r\n');
    // And asked for again.
    await server.reload(after);
    assert.equal(await anyone.closed(), "-ERR 'Authorization Violation'\r\n");
  });
