import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { describe, test } from 'node:test';
import { createWebSocketStream, WebSocket } from 'ws';
import { userWithPassword } from '../../../src/protocols/users/index.ts';
import { methods, protocolHeader } from '../../../src/wire/amqp/index.ts';
import { eventually } from '../../support/index.ts';
import { Peer } from '../amqp/amqp-kit.ts';
import { AdminServer } from './admin-kit.ts';

/** Opens a WebSocket; rejects with the status of a refusal. */
async function open(
  { port }: AdminServer,
  { protocols = [], origin }: { readonly protocols?: readonly string[]; readonly origin?: string } = {},
): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}/ws/amqp`, [...protocols], {
    ...(origin !== undefined && { origin }),
  });
  await Promise.race([
    once(client, 'open'),
    once(client, 'unexpected-response').then(([, response]: { statusCode?: number }[]) => {
      client.terminate();
      throw new Error(String(response!.statusCode));
    }),
  ]);
  return client;
}

/** An AMQP client on a WebSocket. */
function peerOn(client: WebSocket): Peer {
  const stream = createWebSocketStream(client);
  stream.on('end', () => stream.destroy());
  return Peer.on(stream);
}

/** The same, whose channel 1 is open. */
async function openPeer(server: AdminServer): Promise<Peer> {
  const peer = peerOn(await open(server));
  await peer.handshake();
  peer.send(methods.channel.open, { reserved1: '' });
  await peer.expect('1 channel.open-ok');
  return peer;
}

/** As long as the body of a ping may be. */
const pingBody = Buffer.alloc(125);
const ann = userWithPassword('amqp', 'ann', 'secret');

describe('AMQP by WebSocket, at the port of the management API', () => {
  test('publishes and delivers, and is a connection like any other', async () => {
    await using server = await AdminServer.start();
    using peer = await openPeer(server);
    await peer.declare('jobs');
    peer.publish('', 'jobs', 'x'.repeat(200_000));
    peer.get('jobs', true);
    assert.equal((await peer.message()).body.length, 200_000);
    const [connection] = await server.get('/connections');
    assert.equal(connection.peer_host, '127.0.0.1');
    assert.equal(server.amqp.amqp.connections, 1);
  });

  test('the messages of a client are torn and joined at will', async () => {
    await using server = await AdminServer.start();
    const client = await open(server);
    const incoming = createWebSocketStream(client);
    const torn = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _, done) => {
        for (let at = 0; at < chunk.length; at += 3) client.send(chunk.subarray(at, at + 3));
        done();
      },
    });
    incoming.on('data', (chunk) => torn.push(chunk));
    const peer = Peer.on(torn);
    await peer.handshake();
    // One message of two fragments, with two methods.
    client.send(Buffer.from([1, 0, 1, 0, 0, 0, 5, 0, 20, 0, 10, 0, 206, 1, 0]), { fin: false });
    client.send(Buffer.from([2, 0, 0, 0, 5, 0, 20, 0, 10, 0, 206]), { fin: true });
    await peer.expect('1 channel.open-ok');
    await peer.expect('2 channel.open-ok');
    client.terminate();
  });

  test('the subprotocol is amqp, or none', async () => {
    await using server = await AdminServer.start();
    for (const [asked, answered] of [
      [[], ''],
      [['amqp'], 'amqp'],
      [['mqtt', 'amqp'], 'amqp'],
    ] as const) {
      const client = await open(server, { protocols: asked });
      assert.equal(client.protocol, answered);
      client.terminate();
    }
    await assert.rejects(open(server, { protocols: ['mqtt'] }), /^Error: 400$/);
  });

  test('without a login, only pages that were served on this machine get in', async () => {
    await using server = await AdminServer.start();
    for (const origin of ['http://localhost:5173', `http://127.0.0.1:${server.port}`])
      (await open(server, { origin })).terminate();
    for (const origin of ['https://evil.example', 'http://localhost.evil.example', 'null'])
      await assert.rejects(open(server, { origin }), /^Error: 403$/, origin);
  });

  test('with a login, pages of any origin get in, and a wrong password is refused in words', async () => {
    await using server = await AdminServer.start({ configured: [ann] });
    const origin = 'https://shop.example';
    using peer = peerOn(await open(server, { origin }));
    await peer.handshake({ user: 'ann', password: 'secret' });
    using other = peerOn(await open(server, { origin }));
    await assert.rejects(other.handshake({ user: 'ann', password: 'wrong' }), /ACCESS_REFUSED/);
    assert.equal(await other.next(), 'closed');
  });

  test('a message that is too large ends its connection and no other', async () => {
    await using server = await AdminServer.start();
    using peer = await openPeer(server);
    const client = await open(server);
    const closed = once(client, 'close');
    client.send(Buffer.alloc(2 ** 20 + 1));
    assert.equal(((await closed) as [number])[0], 1009);
    await peer.silent();
  });

  test('pings are answered, but not without end if the client does not read', async () => {
    // The AMQP handshake begins after the pings, which take a while on a busy machine.
    await using server = await AdminServer.start({ limits: { handshakeMs: 600_000 } });
    const client = await open(server);
    const pings = 200_000;
    let pongs = 0;
    client.on('pong', () => pongs++);
    client.ping();
    await eventually(() => pongs === 1);
    client.pause();
    for (let i = 0; i < pings; i++) client.ping(pingBody);
    await eventually(() => client.bufferedAmount === 0);
    client.resume();
    client.send(protocolHeader);
    // A client that is cut off fails the test, rather than waiting for ever.
    const cut = once(client, 'close').then(([code]) => assert.fail(`closed: ${code}`));
    await Promise.race([once(client, 'message'), cut]);
    assert.ok(pongs < pings, `${pongs} pongs`);
    client.terminate();
  });

  test('an operator who closes the connection, and the end of the broker, are told in words', async () => {
    await using server = await AdminServer.start();
    using peer = await openPeer(server);
    using other = await openPeer(server);
    const [{ name }] = await server.get('/connections');
    assert.equal((await server.ask(`DELETE /connections/${encodeURIComponent(name)}`)).status, 204);
    await peer.expect('0 connection.close {"replyCode":320');
    await server.amqp.amqp.close();
    await other.expect('0 connection.close {"replyCode":320');
    assert.equal(await other.next(), 'closed');
  });
});
