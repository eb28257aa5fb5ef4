/** A virtual host of the configuration: amqplib is in it, NATS and Kafka clients see its topics. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import amqplib, { type GetMessage } from 'amqplib';
import { useServer } from '../../support/index.ts';
import { kafkaAt } from '../kafka/kafka-clients.ts';

describe('a virtual host', () => {
  const server = useServer({ args: ['--amqp-vhosts', '["test"]'] });

  test('is a prefix for other protocols', async () => {
    const amqp = await amqplib.connect(`amqp://127.0.0.1:${server().amqpPort}/test`);
    const channel = await amqp.createConfirmChannel();
    await channel.assertQueue('orders');
    channel.sendToQueue('orders', Buffer.from('hello'));
    await channel.waitForConfirms();

    const nats = await connect({ servers: server().natsAddress });
    const manager = await jetstreamManager(nats);
    const stored = await manager.streams.getMessage('test:orders', { seq: 1 });
    assert.equal(stored?.string(), 'hello');
    await nats.close();

    const kafka = kafkaAt(server().kafkaPort);
    const producer = kafka.producer();
    await producer.connect();
    const topic = 'escaped.test_3aorders';
    await producer.send({ topic, messages: [{ key: 'k', value: 'by kafka' }] });
    await producer.disconnect();

    const bodies: string[] = [];
    for (let i = 0; i < 2; i++) {
      const message = (await channel.get('orders', { noAck: true })) as GetMessage;
      bodies.push(message.content.toString());
    }
    assert.deepEqual(bodies, ['hello', 'by kafka']);
    await amqp.close();
  });

  test('is refused under a name that is not there', async () => {
    await assert.rejects(amqplib.connect(`amqp://127.0.0.1:${server().amqpPort}/nope`), /ConnectionClose/);
  });
});
