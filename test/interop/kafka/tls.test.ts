/** TLS, as `serve` offers it, with the certificate of the tests. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import kafkajs from 'kafkajs';
import { uniqueName, useServer } from '../../support/index.ts';

// dist*/test/interop/kafka/ -> the sources, where the fixtures are.
const fixtures = fileURLToPath(new URL('../../../../test/protocols/kafka/fixtures/', import.meta.url));
const certificate = join(fixtures, 'localhost-cert.pem');

describe('Kafka over TLS', () => {
  const server = useServer({
    args: [
      '--kafka-tls-cert',
      certificate,
      '--kafka-tls-key',
      join(fixtures, 'localhost-key.pem'),
      '--kafka-user',
      'ann',
      '--kafka-password',
      'pencil',
    ],
  });

  const kafkaAt = (ssl: { readonly ca: readonly Buffer[] } | false) =>
    new kafkajs.Kafka({
      brokers: [`127.0.0.1:${server().kafkaPort}`],
      logLevel: kafkajs.logLevel.NOTHING,
      retry: { retries: 0 },
      ssl: ssl && { ca: [...ssl.ca] },
      sasl: { mechanism: 'scram-sha-256', username: 'ann', password: 'pencil' },
    });

  test('clients that trust the certificate publish and consume', async () => {
    const kafka = kafkaAt({ ca: [readFileSync(certificate)] });
    const topic = uniqueName('topic');
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages: [{ value: 'x'.repeat(300_000) }] });
    await producer.disconnect();
    const admin = kafka.admin();
    await admin.connect();
    assert.deepEqual(
      (await admin.fetchTopicOffsets(topic)).map(({ high }) => high),
      ['1'],
    );
    await admin.disconnect();
  });

  test('others get nowhere, and do no harm', async () => {
    await assert.rejects(kafkaAt({ ca: [] }).admin().connect());
    await assert.rejects(kafkaAt(false).admin().connect());
    const socket = connect({ port: server().kafkaPort, host: '127.0.0.1' });
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    const admin = kafkaAt({ ca: [readFileSync(certificate)] }).admin();
    await admin.connect();
    await admin.disconnect();
  });
});
