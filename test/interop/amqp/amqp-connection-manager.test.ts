/** amqp-connection-manager, which keeps a connection of amqplib: its topology and consumers outlive that. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { connect, type AmqpConnectionManager, type Channel } from 'amqp-connection-manager';
import type { ConsumeMessage } from 'amqplib';
import { eventually, uniqueName, useServer } from '../../support/index.ts';
import { kickAmqp } from './kick.ts';

describe('amqp-connection-manager', () => {
  const server = useServer();

  let connection: AmqpConnectionManager;
  before(() => {
    // By default it waits for 5 s before it connects again.
    connection = connect([`amqp://guest:guest@127.0.0.1:${server().amqpPort}`], {
      reconnectTimeInSeconds: 0.1,
    });
  });
  after(() => connection.close());

  test('publishes are confirmed and consumed, before and after an operator closes the connection', async () => {
    const [exchange, queue] = [uniqueName('events'), uniqueName('jobs')];
    const setups: string[] = [];
    const wrapper = connection.createChannel({
      json: true,
      setup: async (channel: Channel) => {
        await channel.assertExchange(exchange, 'topic');
        await channel.assertQueue(queue);
        await channel.bindQueue(queue, exchange, 'jobs.*');
        setups.push(queue);
      },
    });
    const seen: unknown[] = [];
    await wrapper.consume(
      queue,
      (message: ConsumeMessage) => {
        seen.push(JSON.parse(message.content.toString()));
        wrapper.ack(message);
      },
      { prefetch: 10 },
    );
    await wrapper.publish(exchange, 'jobs.new', { n: 1 });
    await eventually(() => seen.length === 1);
    const disconnected = once(connection, 'disconnect');
    assert.equal(await kickAmqp(server()), 1);
    await disconnected;
    await wrapper.publish(exchange, 'jobs.new', { n: 2 });
    await eventually(() => seen.length === 2);
    assert.deepEqual(seen, [{ n: 1 }, { n: 2 }]);
    assert.equal(setups.length, 2, 'the topology was declared once for each connection');
    await wrapper.close();
  });

  test('a publish during a restart of the broker arrives after it', async () => {
    const queue = uniqueName('again');
    const wrapper = connection.createChannel({ setup: (channel: Channel) => channel.assertQueue(queue) });
    await wrapper.waitForConnect();
    const disconnected = once(connection, 'disconnect');
    const restarted = server().restart();
    await disconnected;
    const publish = wrapper.sendToQueue(queue, Buffer.from('patient'), { persistent: true });
    await restarted;
    assert.equal(await publish, true);
    const message = await wrapper.get(queue, { noAck: true });
    assert.equal(message && message.content.toString(), 'patient');
    await wrapper.close();
  });
});
