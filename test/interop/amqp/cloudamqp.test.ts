/**
 * @cloudamqp/amqp-client, with its defaults, by TCP and by WebSocket: its plain client, and its session that
 * connects again.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { AMQPClient, AMQPSession, AMQPWebSocketClient } from '@cloudamqp/amqp-client';
import { WebSocket } from 'ws';
import { eventually, uniqueName, useServer } from '../../support/index.ts';
import { kickAmqp } from './kick.ts';

// Node 20 has none of its own, as browsers and newer Nodes do.
globalThis.WebSocket ??= WebSocket as unknown as typeof globalThis.WebSocket;

for (const transport of ['TCP', 'WebSocket'])
  describe(`@cloudamqp/amqp-client by ${transport}`, () => {
    const server = useServer();
    const url = (): string =>
      transport === 'TCP'
        ? `amqp://guest:guest@127.0.0.1:${server().amqpPort}`
        : `ws://127.0.0.1:${server().amqpAdminPort}`;

    test('publishes with confirms, consumes with a prefetch, requeues and rejects', async () => {
      const client = transport === 'TCP' ? new AMQPClient(url()) : new AMQPWebSocketClient(url());
      const connection = await client.connect();
      const channel = await connection.channel();
      await channel.confirmSelect();
      const [exchange, queue, dead] = [uniqueName('orders'), uniqueName('jobs'), uniqueName('dead')];
      await channel.exchangeDeclare(exchange, 'topic');
      await channel.queueDeclare(dead);
      const deadLetters = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead };
      await channel.queueDeclare(queue, {}, deadLetters);
      await channel.queueBind(queue, exchange, 'orders.#');
      const headers = { text: 'x', n: 7, list: [1, 'two'], table: { yes: true } };
      for (let n = 0; n < 20; n++)
        await channel.basicPublish(exchange, 'orders.new', `job ${n}`, { deliveryMode: 2, headers });
      await channel.basicQos(5);
      const seen: string[] = [];
      const consumer = await channel.basicConsume(queue, { noAck: false }, async (message) => {
        const body = message.bodyString()!;
        seen.push(`${body} ${isDeepStrictEqual(message.properties.headers, headers)}`);
        if (body === 'job 3' && !message.redelivered) await message.nack(true);
        else if (body === 'job 5') await message.reject(false);
        else await message.ack();
      });
      await eventually(() => seen.length === 21);
      await consumer.cancel();
      const expected = [...Array.from({ length: 20 }, (_, n) => `job ${n} true`), 'job 3 true'];
      assert.deepEqual(seen.toSorted(), expected.toSorted());
      const letter = await eventually(() => channel.basicGet(dead, { noAck: true }));
      assert.equal(letter.bodyString(), 'job 5');
      const [death] = letter.properties.headers!['x-death'] as { reason: string; queue: string }[];
      assert.deepEqual([death!.reason, death!.queue], ['rejected', queue]);
      await eventually(async () => (await channel.queueDeclare(queue, { passive: true })).messageCount === 0);
      const large = 'large '.repeat(100_000);
      await channel.basicPublish('', dead, large);
      assert.equal((await channel.basicGet(dead, { noAck: true }))?.bodyString(), large);
      await connection.close();
    });

    test('a session goes on after an operator has closed its connection', async () => {
      const session = await AMQPSession.connect(url(), { reconnectInterval: 100 });
      const queue = await session.queue(uniqueName('session'));
      const seen: string[] = [];
      const subscription = await queue.subscribe({ noAck: false }, async (message) => {
        seen.push(message.bodyString()!);
        await message.ack();
      });
      await queue.publish('before');
      await eventually(() => seen.length === 1);
      assert.equal(await kickAmqp(server()), 1);
      await eventually(async () => {
        await queue.publish('after');
        return true;
      });
      await eventually(() => seen.length === 2);
      assert.deepEqual(seen, ['before', 'after']);
      await subscription.cancel();
      await session.stop();
    });
  });
