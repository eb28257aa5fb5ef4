/**
 * amqplib 0.10, whose users are the most: its defaults are those of amqplib 1 and 2, its frames are smaller.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import type amqplib from 'amqplib';
import type { ConsumeMessage } from 'amqplib';
import { eventually, uniqueName, useServer } from '../../support/index.ts';
import { kickAmqp } from './kick.ts';

const older = createRequire(import.meta.url)('amqplib-0.10') as typeof amqplib;

describe('amqplib 0.10', () => {
  const server = useServer();
  const url = (): string => `amqp://guest:guest@127.0.0.1:${server().amqpPort}`;

  test('a call by an exclusive queue for replies, with bodies of many frames', async () => {
    const connection = await older.connect(url());
    const channel = await connection.createConfirmChannel();
    const { queue } = await channel.assertQueue(uniqueName('rpc'), { durable: false });
    await channel.consume(queue, (message) => {
      const { replyTo, correlationId } = message!.properties;
      channel.sendToQueue(replyTo as string, message!.content, { correlationId: correlationId as string });
      channel.ack(message!);
    });
    const replies = await channel.assertQueue('', { exclusive: true });
    const seen: ConsumeMessage[] = [];
    await channel.consume(replies.queue, (message) => void seen.push(message!), { noAck: true });
    const body = Buffer.alloc(500_000, 'abc');
    channel.sendToQueue(queue, body, { replyTo: replies.queue, correlationId: '7' });
    await channel.waitForConfirms();
    await eventually(() => seen.length === 1);
    assert.equal(seen[0]!.properties.correlationId, '7');
    assert.equal(seen[0]!.content.equals(body), true);
    await connection.close();
  });

  test('a program hears why its connection was closed, and finds its messages again', async () => {
    const queue = uniqueName('again');
    const first = await older.connect(url());
    const errors: string[] = [];
    first.on('error', (error: Error) => errors.push(error.message));
    const closed = new Promise<Error>((resolve) => first.once('close', resolve));
    const channel = await first.createConfirmChannel();
    await channel.assertQueue(queue);
    channel.sendToQueue(queue, Buffer.from('precious'), { persistent: true });
    await channel.waitForConfirms();
    await channel.consume(queue, () => {});
    assert.equal(await kickAmqp(server()), 1);
    // The word of an operator is no error to it.
    assert.match((await closed).message, /CONNECTION_FORCED - Closed via the admin API/);
    assert.deepEqual(errors, []);
    const second = await older.connect(url());
    const again = await second.createChannel();
    const message = await again.get(queue);
    assert.equal(message && message.content.toString(), 'precious');
    assert.equal(message && message.fields.redelivered, true);
    await second.close();
  });
});
