/** Streams, read by amqplib and rabbitmq-client; those of NATS and Kafka, too. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import amqplib, { type ChannelModel } from 'amqplib';
import { Connection } from 'rabbitmq-client';
import { eventually, uniqueName, useServer } from '../../support/index.ts';
import { kafkaAt } from '../kafka/kafka-clients.ts';

const stream = { durable: true, arguments: { 'x-queue-type': 'stream' as const } };

describe('streams', () => {
  const server = useServer();
  let amqp: ChannelModel;
  before(async () => {
    amqp = await amqplib.connect(`amqp://127.0.0.1:${server().amqpPort}`);
  });
  after(async () => {
    await amqp?.close().catch(() => {}); // the server may have stopped before
  });

  /** `count` messages of a queue, as `offset body`, read from this offset. */
  async function read(queue: string, offset: unknown, count: number): Promise<string[]> {
    const channel = await amqp.createChannel();
    await channel.prefetch(10);
    const seen: string[] = [];
    const onMessage = (message: amqplib.ConsumeMessage | null): void => {
      if (!message) return;
      seen.push(`${message.properties.headers?.['x-stream-offset']} ${message.content.toString()}`);
      channel.ack(message);
    };
    await channel.consume(queue, onMessage, { arguments: { 'x-stream-offset': offset } });
    await eventually(() => seen.length >= count);
    await channel.close();
    return seen;
  }

  test('amqplib reads a stream again and again, from where it wants', async () => {
    const queue = uniqueName('log');
    const channel = await amqp.createConfirmChannel();
    await channel.assertQueue(queue, stream);
    for (let i = 0; i < 100; i++) channel.sendToQueue(queue, Buffer.from(`m${i}`));
    await channel.waitForConfirms();
    const all = Array.from({ length: 100 }, (_, i) => `${i} m${i}`);
    assert.deepEqual(await read(queue, 'first', 100), all);
    assert.deepEqual(await read(queue, 'first', 100), all);
    assert.deepEqual(await read(queue, 98, 2), all.slice(98));
    assert.deepEqual(await read(queue, 'last', 1), all.slice(99));
    const longAgo = { '!': 'timestamp', value: 1_000 };
    assert.deepEqual(await read(queue, longAgo, 100), all);
    assert.deepEqual(await read(queue, '1h', 100), all);
    assert.equal((await channel.checkQueue(queue)).messageCount, 100);
    await channel.close();
  });

  test('rabbitmq-client reads a stream', async () => {
    const queue = uniqueName('log');
    const rabbit = new Connection(`amqp://127.0.0.1:${server().amqpPort}`);
    const publisher = rabbit.createPublisher({ confirm: true });
    await rabbit.queueDeclare({ queue, ...stream });
    for (const id of [1, 2, 3]) await publisher.send({ routingKey: queue }, { id });
    const seen: unknown[] = [];
    const consumer = rabbit.createConsumer(
      { queue, queueOptions: stream, qos: { prefetchCount: 1 }, arguments: { 'x-stream-offset': 1 } },
      async ({ body, headers }) => void seen.push([headers?.['x-stream-offset'], body]),
    );
    await eventually(() => seen.length === 2);
    assert.deepEqual(seen, [
      [1, { id: 2 }],
      [2, { id: 3 }],
    ]);
    await consumer.close();
    await publisher.close();
    await rabbit.close();
  });

  test('a stream of NATS and a topic of Kafka are streams', async () => {
    const nats = await connect({ servers: server().natsAddress });
    const name = uniqueName('orders');
    await (await jetstreamManager(nats)).streams.add({ name, subjects: [`${name}.>`] });
    await jetstream(nats).publish(`${name}.a`, 'by nats');
    const producer = kafkaAt(server().kafkaPort).producer();
    await producer.connect();
    await producer.send({ topic: name, messages: [{ value: 'by kafka' }] });
    await producer.disconnect();
    await nats.close();
    const channel = await amqp.createChannel();
    await channel.assertQueue(name, stream);
    await channel.close();
    const all = ['0 by nats', '1 by kafka'];
    assert.deepEqual(await read(name, 'first', 2), all);
    assert.deepEqual(await read(name, 'first', 2), all);
  });
});
