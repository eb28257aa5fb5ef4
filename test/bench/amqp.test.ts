import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AmqpConfirms } from '../../bench/load/amqp-confirms.ts';
import { AmqpConnections } from '../../bench/load/amqp-connections.ts';
import { AmqpConsumer } from '../../bench/load/amqp-consumer.ts';
import { AmqpPacedPublisher } from '../../bench/load/amqp-paced-publisher.ts';
import { AmqplibConsumer } from '../../bench/load/amqplib-consumer.ts';
import { AmqplibPublisher } from '../../bench/load/amqplib-publisher.ts';
import { AmqpPublisher } from '../../bench/load/amqp-publisher.ts';
import type { AmqpSocket } from '../../bench/load/amqp-socket.ts';
import { AmqpQueues } from '../../bench/servers/amqp-queues.ts';
import { methodFrame, methods } from '../../src/wire/amqp/index.ts';
import { TestServer } from '../protocols/amqp/amqp-kit.ts';
import { eventually } from '../support/index.ts';

const fail = (error: unknown): never => {
  throw error;
};

const ack = (deliveryTag: number, multiple = false): Buffer =>
  methodFrame(1, methods.basic.ack, { deliveryTag, multiple });

/** A socket that is fed by hand. */
class FedSocket {
  reader: (buffer: Buffer, end: number) => number = () => 0;

  feed(...frames: readonly Buffer[]): number {
    const bytes = Buffer.concat(frames);
    return this.reader(bytes, bytes.length);
  }
}

test('confirms are counted once each, in any order', () => {
  const socket = new FedSocket();
  const counts: number[] = [];
  const tags: number[] = [];
  void new AmqpConfirms(
    socket as unknown as AmqpSocket,
    (count) => counts.push(count),
    (tag) => tags.push(tag),
  );
  socket.feed(ack(2), ack(1));
  socket.feed(ack(4));
  socket.feed(ack(6, true), ack(7));
  assert.deepEqual(counts, [2, 1, 4]);
  assert.deepEqual(
    tags.toSorted((one, other) => one - other),
    [1, 2, 3, 4, 5, 6, 7],
  );
  // Half a frame waits for the rest.
  assert.equal(socket.feed(ack(8).subarray(0, 10)), 0);
  assert.throws(
    () =>
      socket.feed(methodFrame(1, methods.basic.nack, { deliveryTag: 9, multiple: false, requeue: false })),
    /refused/,
  );
});

test('publishers publish what they report, and a consumer acks all of it', async () => {
  await using server = await TestServer.start();
  const { port } = server;
  const admin = await AmqpQueues.connect(port, 'classic');
  const queues = ['q-1', 'q-2'];
  for (const queue of queues) await admin.declare(queue);
  await admin.declareFanout('all', queues);
  const job = { kind: 'amqp-publisher', port, payloadBytes: 16, window: 10, seconds: 60 } as const;
  const publisher = await AmqpPublisher.open(
    { ...job, exchange: '', routingKeys: queues, messages: 100 },
    fail,
  );
  assert.equal((await publisher.run()).messages, 100);
  publisher.end();
  const fanout = await AmqpPublisher.open({ ...job, exchange: 'all', routingKeys: [''], messages: 50 }, fail);
  assert.equal((await fanout.run()).messages, 50);
  fanout.end();
  const paced = await AmqpPacedPublisher.open(
    { kind: 'amqp-paced-publisher', port, queue: 'q-1', payloadBytes: 16, rate: 1000, seconds: 0.1 },
    fail,
  );
  assert.equal((await paced.run()).messages, 100);
  paced.end();
  await admin.requireCount(queues, 50 * 2 + 100 + 100);
  const consumer = await AmqpConsumer.open(
    { kind: 'amqp-consumer', port, queue: 'q-1', prefetch: 7, messages: 200 },
    () => {}, // it stays until the server ends
  );
  assert.equal((await consumer.run()).messages, 200);
  await admin.requireCount(['q-1'], 0);
  await eventually(() => server.broker.topic('q-1')!.count === 0);
  for (const queue of queues) await admin.delete(queue);
  assert.equal(server.broker.topics.size, 0);
  admin.end();
});

test('amqplib publishes and acks what it reports', async () => {
  await using server = await TestServer.start();
  const { port } = server;
  const admin = await AmqpQueues.connect(port, 'classic');
  await admin.declare('q');
  const publisher = await AmqplibPublisher.open(
    { kind: 'amqplib-publisher', port, queue: 'q', payloadBytes: 16, window: 10, seconds: 60, messages: 100 },
    fail,
  );
  assert.equal((await publisher.run()).messages, 100);
  await publisher.end();
  await admin.requireCount(['q'], 100);
  const consumer = await AmqplibConsumer.open(
    { kind: 'amqplib-consumer', port, queue: 'q', prefetch: 7, messages: 100 },
    fail,
  );
  assert.equal((await consumer.run()).messages, 100);
  await consumer.end();
  await eventually(() => server.broker.topic('q')!.count === 0);
  admin.end();
});

test('idle connections stay until they are ended', async () => {
  await using server = await TestServer.start();
  const job = { kind: 'amqp-connections', port: server.port, connections: 60 } as const;
  const idle = await AmqpConnections.open(job, fail);
  assert.equal(server.amqp.connections, 60);
  idle.end();
  await eventually(() => server.amqp.connections === 0);
});
