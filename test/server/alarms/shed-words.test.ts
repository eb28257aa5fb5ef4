/**
 * A topic that is shed, as clients hear of it. JetStream and Kafka clients hear of rates in the tests of
 * their protocols.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'amqplib';
import { type PillarboxServer, startServer } from '../../../src/server/index.ts';
import { type TemporaryDirectory, eventually, makeTemporaryDirectory } from '../../support/index.ts';
import { freePorts } from '../../support/ports.ts';

let directory: TemporaryDirectory;
let server: PillarboxServer;

before(async () => {
  directory = await makeTemporaryDirectory();
  server = await startServer({
    data: join(directory.path, 'data'),
    ...freePorts,
    alarmIntervalMs: 100,
    shedding: [{ topic: 'orders', lag: 1, action: 'refuse', rate: 0.001, for: '0s' }],
  });
  const { topic } = await server.broker.defineQueue({ name: 'orders', subjects: ['orders.>'] });
  await topic.send({ value: 'too much' });
  await eventually(() => topic.config.publishRate !== undefined);
  await topic.send({ value: 'the one that its rate takes' });
});
after(async () => {
  await server.close({ graceMs: 0 });
  await directory[Symbol.asyncDispose]();
});

describe('a publish to a topic that is shed', () => {
  test('is a nack in AMQP', async () => {
    const connection = await connect(`amqp://127.0.0.1:${server.ports.amqp}`);
    const channel = await connection.createConfirmChannel();
    channel.sendToQueue('orders', Buffer.from('x'));
    await assert.rejects(channel.waitForConfirms(), /nacked/);
    await connection.close();
  });

  test('is throttled in SQS', async () => {
    const url = `http://127.0.0.1:${server.ports.sqs}/`;
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.SendMessage' },
      body: JSON.stringify({ QueueUrl: `${url}000000000000/orders`, MessageBody: 'x' }),
    });
    assert.equal(response.status, 400);
    assert.match(await response.text(), /RequestThrottled.*takes 0\.001 messages a second/);
  });

  test('is 429 with Retry-After on the admin HTTP', async () => {
    const url = `http://127.0.0.1:${server.ports.admin}/api/v1/topics/orders/messages`;
    const body = JSON.stringify({ messages: [{ value: 'x' }] });
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(response.status, 429);
    assert.ok(Number(response.headers.get('retry-after')) > 0);
    await response.text();
  });

  test('counts as refused, by protocol and cause', async () => {
    const response = await fetch(`http://127.0.0.1:${server.ports.admin}/metrics`);
    const text = await response.text();
    for (const protocol of ['amqp', 'sqs', 'admin'])
      assert.match(
        text,
        new RegExp(
          `^pillarbox_protocol_refused_total\\{protocol="${protocol}",cause="rate-exceeded"\\} [1-9]`,
          'm',
        ),
      );
  });
});
