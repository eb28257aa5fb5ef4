/**
 * One topic, four ways: what AMQP clients publish, NATS, Kafka and HTTP clients read, and the other way
 * round.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { jetstream, jetstreamManager, type JsMsg } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import amqplib, { type ChannelModel, type ConfirmChannel, type GetMessage } from 'amqplib';
import { eventually, uniqueName, useServer } from '../../support/index.ts';
import { kafkaAt } from '../kafka/kafka-clients.ts';

describe('a topic for AMQP, NATS and Kafka clients', () => {
  const server = useServer();
  let nats: NatsConnection;
  let amqp: ChannelModel;
  let channel: ConfirmChannel;
  before(async () => {
    nats = await connect({ servers: server().natsAddress });
    amqp = await amqplib.connect(`amqp://127.0.0.1:${server().amqpPort}`);
    channel = await amqp.createConfirmChannel();
  });
  after(async () => {
    await amqp?.close().catch(() => {}); // the server may have stopped before
    await nats?.close();
  });

  /** A stream that keeps its messages. */
  async function makeStream(): Promise<string> {
    const stream = uniqueName('orders');
    const manager = await jetstreamManager(nats);
    await manager.streams.add({ name: stream, subjects: [`${stream}.>`] });
    return stream;
  }

  test('amqplib publishes, nats.js and kafkajs consume', async () => {
    const stream = await makeStream();
    await channel.bindQueue(stream, 'amq.topic', `${stream}.#`);
    channel.publish('amq.topic', `${stream}.new`, Buffer.from('hello'), {
      contentType: 'text/plain',
      headers: { tenant: 'acme', try: 3 },
    });
    await channel.waitForConfirms();

    const manager = await jetstreamManager(nats);
    await manager.consumers.add(stream, { durable_name: 'reader' });
    const consumer = await jetstream(nats).consumers.get(stream, 'reader');
    const message = (await consumer.next({ expires: 5000 })) as JsMsg;
    assert.equal(message.subject, `${stream}.new`);
    assert.equal(message.string(), 'hello');
    assert.equal(message.headers?.get('amqp-content-type'), 'text/plain');
    assert.equal(message.headers?.get('tenant'), 'acme');
    assert.equal(message.headers?.get('try'), '3');
    message.ack();

    const reader = kafkaAt(server().kafkaPort).consumer({ groupId: uniqueName('group') });
    await reader.connect();
    await reader.subscribe({ topic: stream, fromBeginning: true });
    const seen: string[] = [];
    await reader.run({
      eachMessage: async ({ message: { key, value, headers } }) =>
        void seen.push(`${key?.toString()} ${value?.toString()} ${headers?.['tenant']?.toString()}`),
    });
    await eventually(() => seen.length === 1);
    assert.deepEqual(seen, [`${stream}.new hello acme`]);
    await reader.disconnect();
  });

  test('nats.js and kafkajs publish, amqplib consumes', async () => {
    const stream = await makeStream();
    const made = headers();
    made.set('tenant', 'acme');
    await jetstream(nats).publish(`${stream}.one`, 'by nats', { headers: made });
    const producer = kafkaAt(server().kafkaPort).producer();
    await producer.connect();
    await producer.send({ topic: stream, messages: [{ key: 'k', value: 'by kafka', headers: { n: '1' } }] });
    await producer.disconnect();
    const seen: string[] = [];
    for (let i = 0; i < 2; i++) {
      const message = (await channel.get(stream)) as GetMessage;
      channel.ack(message);
      const { routingKey } = message.fields;
      seen.push(`${routingKey} ${message.content.toString()} ${JSON.stringify(message.properties.headers)}`);
    }
    assert.deepEqual(seen, [`${stream}.one by nats {"tenant":"acme"}`, 'k by kafka {"n":"1"}']);
    // The stream keeps them for others.
    assert.equal((await (await jetstreamManager(nats)).streams.info(stream)).state.messages, 2);
  });

  test('a queue of amqplib is a queue for the admin HTTP', async () => {
    const queue = uniqueName('jobs');
    await channel.assertQueue(queue);
    const api = `http://127.0.0.1:${server().adminPort}/api/v1/topics/${queue}`;
    const published = await fetch(`${api}/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ value: 'by http' }] }),
    });
    assert.equal(published.ok, true);
    const message = (await channel.get(queue)) as GetMessage;
    assert.equal(message.content.toString(), 'by http');
    assert.equal(message.fields.routingKey, queue);
    channel.ack(message);
  });
});
