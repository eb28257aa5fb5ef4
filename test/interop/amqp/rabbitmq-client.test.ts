/** rabbitmq-client (cody-greene), with its defaults. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Connection } from 'rabbitmq-client';
import { eventually, uniqueName, useServer } from '../../support/index.ts';

describe('rabbitmq-client', () => {
  const server = useServer();

  test('publishes with confirms and consumes', async () => {
    const rabbit = new Connection(`amqp://guest:guest@127.0.0.1:${server().amqpPort}`);
    const [exchange, queue] = [uniqueName('events'), uniqueName('users')];
    const bodies: unknown[] = [];
    const consumer = rabbit.createConsumer(
      {
        queue,
        queueOptions: { durable: true },
        qos: { prefetchCount: 2 },
        exchanges: [{ exchange, type: 'topic' }],
        queueBindings: [{ exchange, routingKey: 'users.*' }],
      },
      async (message) => void bodies.push(message.body),
    );
    await new Promise((resolve) => consumer.once('ready', resolve));
    const publisher = rabbit.createPublisher({ confirm: true, maxAttempts: 2 });
    for (const id of [1, 2, 3]) await publisher.send({ exchange, routingKey: 'users.visit' }, { id });
    await eventually(() => bodies.length === 3);
    assert.deepEqual(bodies, [{ id: 1 }, { id: 2 }, { id: 3 }]);
    await publisher.close();
    await consumer.close();
    await rabbit.close();
  });

  test('calls by a queue for replies', async () => {
    const rabbit = new Connection(`amqp://guest:guest@127.0.0.1:${server().amqpPort}`);
    const queue = uniqueName('rpc');
    const answering = rabbit.createConsumer({ queue }, async (request, reply) => {
      await reply(`pong ${request.body as string}`);
    });
    await new Promise((resolve) => answering.once('ready', resolve));
    const replies = uniqueName('replies');
    await rabbit.queueDeclare({ queue: replies, exclusive: true });
    const publisher = rabbit.createPublisher({ confirm: true });
    await publisher.send({ routingKey: queue, replyTo: replies, correlationId: '1' }, 'ping');
    const reply = await eventually(
      async () => (await rabbit.basicGet({ queue: replies, noAck: true })) ?? false,
    );
    assert.equal(reply.body, 'pong ping');
    await publisher.close();
    await answering.close();
    await rabbit.close();
  });
});
