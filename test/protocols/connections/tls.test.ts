/**
 * TLS at the doors of NATS, Kafka and SQS, with and without certificates of clients, and with files that
 * change.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile, readFile } from 'node:fs/promises';
import { request as requestTls } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type TLSSocket, connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { type NodeConnectionOptions, connect } from '@nats-io/transport-node';
import { type PillarboxServer, type ServerOptions, startServer } from '../../../src/server/index.ts';
import { makeTemporaryDirectory } from '../../support/index.ts';
import { freePorts } from '../../support/ports.ts';

// dist*/test/protocols/connections/ -> the sources, where the fixtures are.
const protocols = fileURLToPath(new URL('../../../../test/protocols/', import.meta.url));
const certificate = join(protocols, 'kafka/fixtures/localhost-cert.pem');
const key = join(protocols, 'kafka/fixtures/localhost-key.pem');
const fixture = (name: string): string => join(protocols, 'connections/fixtures', name);
const client = { certFile: fixture('client-cert.pem'), keyFile: fixture('client-key.pem') };

async function withServer(
  options: ServerOptions,
  run: (server: PillarboxServer, directory: string) => Promise<void>,
): Promise<void> {
  await using directory = await makeTemporaryDirectory();
  const data = join(directory.path, 'data');
  await using server = await startServer({
    data,
    ...freePorts,
    ...options,
  });
  await run(server, directory.path);
  await server.close({ graceMs: 0 });
}

/** Publishes 300 kB to itself and reads them. */
async function roundTrip(port: number, options: NodeConnectionOptions): Promise<void> {
  const connection = await connect({
    servers: `localhost:${port}`,
    reconnect: false,
    timeout: 5000,
    ...options,
  });
  try {
    const subscription = connection.subscribe('news', { max: 1 });
    connection.publish('news', 'x'.repeat(300_000));
    for await (const message of subscription) assert.equal(message.data.length, 300_000);
  } finally {
    await connection.close();
  }
}

/** The serial number of the certificate that a port shows. */
async function serialAt(port: number): Promise<string> {
  const socket: TLSSocket = connectTls({ port, host: 'localhost', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

describe('NATS over TLS', () => {
  test('greets a client, and then speaks TLS with it', async () => {
    await withServer({ natsTlsCert: certificate, natsTlsKey: key }, async ({ ports, broker }) => {
      await roundTrip(ports.nats!, { tls: { caFile: certificate } });
      await assert.rejects(roundTrip(ports.nats!, { tls: {} }), /self-signed|certificate/i);
      assert.equal(broker.router.subscriptions, 0);
      const socket = connectPlain(ports.nats!, 'localhost').on('error', () => {});
      const [line] = (await once(socket, 'data')) as [Buffer];
      assert.match(String(line), /^INFO \{.*"tls_required":true.*\}\r\n$/);
      // A client that goes on without TLS is cut.
      socket.write('CONNECT {}\r\nPING\r\n');
      await once(socket, 'close');
      await roundTrip(ports.nats!, { tls: { caFile: certificate } });
    });
  });

  test('begins with TLS where that is asked for', async () => {
    const options = { natsTlsCert: certificate, natsTlsKey: key, natsTlsFirst: true };
    await withServer(options, async ({ ports }) => {
      await roundTrip(ports.nats!, { tls: { caFile: certificate, handshakeFirst: true } });
    });
  });

  for (const natsTlsFirst of [false, true])
    test(`lets in clients with a certificate of the CA only (handshake first: ${natsTlsFirst})`, async () => {
      const options = { natsTlsCert: certificate, natsTlsKey: key, natsTlsCa: certificate, natsTlsFirst };
      await withServer(options, async ({ ports }) => {
        const tls = { caFile: certificate, handshakeFirst: natsTlsFirst };
        await roundTrip(ports.nats!, { tls: { ...tls, ...client } });
        await assert.rejects(roundTrip(ports.nats!, { tls }));
        const foreign = { certFile: fixture('renewed-cert.pem'), keyFile: fixture('renewed-key.pem') };
        await assert.rejects(roundTrip(ports.nats!, { tls: { ...tls, ...foreign } }));
      });
    });
});

test('a certificate of a client names its NATS user', async () => {
  const tls = { natsTlsCert: certificate, natsTlsKey: key, natsTlsCa: certificate };
  const users = [
    { name: 'ann', certificate: 'CN=ann', nats: { publish: 'news', subscribe: ['news', '_INBOX.>'] } },
    { name: 'bob', password: 'secret' },
  ];
  await withServer({ ...tls, users, adminToken: 't' }, async (server) => {
    const options = { tls: { caFile: certificate, ...client } };
    const nameOf = async (more: NodeConnectionOptions): Promise<string> => {
      const connection = await connect({
        servers: `localhost:${server.ports.nats}`,
        name: 'probe',
        ...options,
        ...more,
      });
      await connection.flush();
      const response = await fetch(`http://127.0.0.1:${server.ports.admin}/api/v1/connections`, {
        headers: { authorization: 'Bearer t' },
      });
      await connection.close();
      const { connections } = (await response.json()) as { connections: { name: string; user: unknown }[] };
      return connections
        .filter(({ name }) => name === 'probe')
        .map(({ user }) => user)
        .join();
    };
    await roundTrip(server.ports.nats!, options);
    assert.equal(await nameOf({}), 'ann');
    // The credentials in CONNECT win, right or wrong.
    assert.equal(await nameOf({ user: 'bob', pass: 'secret' }), 'bob');
    await assert.rejects(nameOf({ user: 'bob', pass: 'wrong', reconnect: false }), {
      name: 'AuthorizationError',
    });
    await server.renewUsers({ users: [{ name: 'eve', certificate: ['eve@example.com', 'CN=eve'] }] });
    await assert.rejects(nameOf({ reconnect: false }), { name: 'AuthorizationError' });
  });
});

test('Kafka lets in clients with a certificate of the CA only', async () => {
  const options = { kafkaTlsCert: certificate, kafkaTlsKey: key, kafkaTlsCa: certificate };
  await withServer(options, async ({ ports }) => {
    const ca = await readFile(certificate);
    const own = { cert: await readFile(client.certFile), key: await readFile(client.keyFile) };
    /** Whether ApiVersions, version 0, is answered. */
    const isAnswered = async (identity: object): Promise<boolean> => {
      const socket = connectTls({ port: ports.kafka!, host: 'localhost', ca, ...identity });
      socket.on('error', () => {});
      socket.on('secureConnect', () => socket.write(Buffer.from('0000000a0012000000000001ffff', 'hex')));
      const answered = await Promise.race([
        once(socket, 'data').then(
          () => true,
          () => false,
        ),
        once(socket, 'close').then(() => false),
      ]);
      socket.destroy();
      return answered;
    };
    assert.equal(await isAnswered(own), true);
    assert.equal(await isAnswered({}), false);
  });
});

test('SQS lets in clients with a certificate of the CA only, and names its queues by https', async () => {
  const options = { sqsTlsCert: certificate, sqsTlsKey: key, sqsTlsCa: certificate };
  await withServer(options, async ({ ports }) => {
    const ca = await readFile(certificate);
    const own = { cert: await readFile(client.certFile), key: await readFile(client.keyFile) };
    /** What a client hears of CreateQueue; undefined if it is cut. */
    const hears = (identity: object): Promise<string | undefined> =>
      new Promise((resolve) => {
        const headers = {
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': 'AmazonSQS.CreateQueue',
        };
        const request = requestTls(
          {
            port: ports.sqs,
            host: 'localhost',
            method: 'POST',
            path: '/',
            agent: false,
            headers,
            ca,
            ...identity,
          },
          (response) => {
            let text = '';
            response.on('data', (chunk: Buffer) => (text += chunk));
            response.on('end', () => resolve(text));
          },
        );
        request.on('error', () => resolve(undefined));
        request.end('{"QueueName":"orders"}');
      });
    assert.equal(await hears(own), `{"QueueUrl":"https://localhost:${ports.sqs}/000000000000/orders"}`);
    assert.equal(await hears({}), undefined);
  });
});

test('new files are used from the next connection on, and old ones when the new do not fit', async () => {
  await using files = await makeTemporaryDirectory();
  const [kafkaTlsCert, kafkaTlsKey] = [join(files.path, 'cert.pem'), join(files.path, 'key.pem')];
  const put = async (from: string, of: string): Promise<void> => {
    await copyFile(from, kafkaTlsCert);
    await copyFile(of, kafkaTlsKey);
  };
  await put(certificate, key);
  const others = { natsTlsCert: kafkaTlsCert, natsTlsKey: kafkaTlsKey, natsTlsFirst: true };
  await withServer({ kafkaTlsCert, kafkaTlsKey, ...others }, async (server) => {
    const before = await serialAt(server.ports.kafka!);
    await put(fixture('renewed-cert.pem'), key);
    await assert.rejects(server.renewTls(), { code: 'configuration-invalid' });
    assert.equal(await serialAt(server.ports.kafka!), before);
    await put(fixture('renewed-cert.pem'), fixture('renewed-key.pem'));
    await server.renewTls();
    const after = await serialAt(server.ports.kafka!);
    assert.notEqual(after, before);
    assert.equal(await serialAt(server.ports.nats!), after);
  });
});

test('a connection counts while its handshake is under way', async () => {
  const options = { natsTlsCert: certificate, natsTlsKey: key, connectionsMax: 1 };
  await withServer(options, async ({ ports }) => {
    const greeting = async (): Promise<string> => {
      const socket = connectPlain(ports.nats!, 'localhost').on('error', () => {});
      return String((await once(socket, 'data'))[0]);
    };
    assert.match(await greeting(), /^INFO/);
    assert.match(await greeting(), /^-ERR 'maximum connections exceeded'/);
  });
});

test('a stop does not wait for handshakes', async () => {
  const options = { natsTlsCert: certificate, natsTlsKey: key, stopGraceMs: 0 };
  await withServer(options, async (server) => {
    const socket = connectPlain(server.ports.nats!, 'localhost').on('error', () => {});
    await once(socket, 'data');
    const closed = once(socket, 'close');
    await server.close();
    await closed;
  });
});

test('a certificate without its key, or a CA without both, is a mistake', async () => {
  for (const options of [
    { natsTlsCert: certificate },
    { natsTlsCa: certificate },
    { kafkaTlsCa: certificate },
  ])
    await assert.rejects(startServer({ ...freePorts, ...options }), {
      code: 'configuration-invalid',
    });
});
