/** AMQP over TLS, and logins by certificate, with amqplib. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import amqplib, { credentials } from 'amqplib';
import { startServer } from '../../../src/server/index.ts';
import { makeTemporaryDirectory } from '../../support/index.ts';
import { protocolsOff } from '../../support/ports.ts';

// dist*/test/interop/amqp/ -> the sources, where the fixtures are.
const protocols = fileURLToPath(new URL('../../../../test/protocols/', import.meta.url));
const certificate = join(protocols, 'kafka/fixtures/localhost-cert.pem');
const key = join(protocols, 'kafka/fixtures/localhost-key.pem');
const fixture = (name: string): string => join(protocols, 'connections/fixtures', name);

describe('amqps', () => {
  test('a certificate is a login with EXTERNAL, and a password still is one with PLAIN', async () => {
    await using directory = await makeTemporaryDirectory();
    await using server = await startServer({
      data: join(directory.path, 'data'),
      ...protocolsOff,
      amqpPort: 0,
      adminPort: 0,
      amqpTlsCert: certificate,
      amqpTlsKey: key,
      amqpTlsCa: certificate,
      users: [{ name: 'ann', password: 'secret', certificate: 'CN=ann' }],
    });
    const url = `amqps://localhost:${server.ports.amqp}`;
    const shown = {
      ca: [await readFile(certificate)],
      cert: await readFile(fixture('client-cert.pem')),
      key: await readFile(fixture('client-key.pem')),
    };
    for (const proof of [credentials.external(), credentials.plain('ann', 'secret')]) {
      const connection = await amqplib.connect(url, { ...shown, credentials: proof });
      const channel = await connection.createChannel();
      const { queue } = await channel.assertQueue('', { exclusive: true });
      channel.sendToQueue(queue, Buffer.from('x'), { userId: 'ann' });
      assert.notEqual(await channel.get(queue), false);
      await connection.close();
    }
    await assert.rejects(
      amqplib.connect(url, { ...shown, credentials: credentials.plain('ann', 'wrong') }),
      /ACCESS_REFUSED|403/,
    );
    await assert.rejects(amqplib.connect(url, { ca: shown.ca, credentials: credentials.external() }));
    await server.close({ graceMs: 0 });
  });
});
