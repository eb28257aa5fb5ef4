/** AMQP by WebSocket over TLS (wss), at the port of the management API. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createWebSocketStream, WebSocket, type ClientOptions } from 'ws';
import { startServer, type PillarboxServer } from '../../../src/server/index.ts';
import { methods } from '../../../src/wire/amqp/index.ts';
import { makeTemporaryDirectory } from '../../support/index.ts';
import { protocolsOff } from '../../support/ports.ts';
import { Peer } from '../amqp/amqp-kit.ts';

// dist*/test/protocols/amqp-admin/ -> the sources, where the fixtures are.
const protocols = fileURLToPath(new URL('../../../../test/protocols/', import.meta.url));
const certificate = join(protocols, 'kafka/fixtures/localhost-cert.pem');
const key = join(protocols, 'kafka/fixtures/localhost-key.pem');
const ofClient = (name: string): Promise<Buffer> =>
  readFile(join(protocols, 'connections/fixtures', `client-${name}.pem`));

async function withServer(
  settings: Parameters<typeof startServer>[0],
  work: (server: PillarboxServer, ca: Buffer) => Promise<void>,
): Promise<void> {
  await using directory = await makeTemporaryDirectory();
  await using server = await startServer({
    data: join(directory.path, 'data'),
    ...protocolsOff,
    amqpPort: 0,
    amqpAdminPort: 0,
    adminPort: 0,
    amqpAdminTlsCert: certificate,
    amqpAdminTlsKey: key,
    users: [{ name: 'ann', password: 'secret', certificate: 'CN=ann' }],
    ...settings,
  });
  await work(server, await readFile(certificate));
  await server.close({ graceMs: 0 });
}

/** Opens a WebSocket; rejects with the status of a refusal, or with the error of the handshake. */
async function open({ ports }: PillarboxServer, options: ClientOptions): Promise<WebSocket> {
  const client = new WebSocket(`wss://localhost:${ports.amqpAdmin}/ws/amqp`, ['amqp'], options);
  await new Promise<void>((resolve, reject) => {
    client.once('open', resolve);
    client.once('error', reject);
    client.once('unexpected-response', (_, response) => {
      client.terminate();
      reject(new Error(String(response.statusCode)));
    });
  });
  return client;
}

/** An AMQP client on a WebSocket. */
function peerOn(client: WebSocket): Peer {
  const stream = createWebSocketStream(client);
  stream.on('end', () => stream.destroy());
  return Peer.on(stream);
}

describe('AMQP by wss', () => {
  test('publishes and delivers more than a record of TLS holds, and pages of any origin get in', async () => {
    await withServer({}, async (server, ca) => {
      const client = await open(server, { ca, origin: 'https://shop.example' });
      assert.equal(client.protocol, 'amqp');
      using peer = peerOn(client);
      await peer.handshake({ user: 'ann', password: 'secret' });
      peer.send(methods.channel.open, { reserved1: '' });
      await peer.expect('1 channel.open-ok');
      await peer.declare('jobs');
      peer.publish('', 'jobs', 'x'.repeat(200_000));
      peer.get('jobs', true);
      assert.equal((await peer.message()).body.length, 200_000);
      using other = peerOn(await open(server, { ca }));
      await assert.rejects(other.handshake({ user: 'ann', password: 'wrong' }), /ACCESS_REFUSED/);
    });
  });

  test('a client that does not know the certificate does not connect, and one without TLS is cut off', async () => {
    await withServer({}, async (server, ca) => {
      await assert.rejects(open(server, {}), /self-signed|unable to verify|CERT/i);
      const plain = new WebSocket(`ws://localhost:${server.ports.amqpAdmin}/ws/amqp`);
      const [error] = (await once(plain, 'error')) as [Error];
      assert.match(error.message, /hang up|ECONNRESET|Parse Error/i);
      (await open(server, { ca })).terminate();
    });
  });

  test('where clients are asked for certificates, pages of other origins stay out', async () => {
    await withServer({ amqpAdminTlsCa: certificate }, async (server, ca) => {
      const shown = { ca, cert: await ofClient('cert'), key: await ofClient('key') };
      await assert.rejects(open(server, { ...shown, origin: 'https://shop.example' }), /^Error: 403$/);
      await assert.rejects(open(server, { ca })); // without a certificate
      using peer = peerOn(await open(server, shown));
      await peer.handshake({ user: 'ann', password: 'secret' });
    });
  });
});
