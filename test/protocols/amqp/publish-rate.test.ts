import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TopicOptions } from '../../../src/broker/index.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { methods } from '../../../src/wire/amqp/index.ts';
import { eventually } from '../../support/index.ts';
import { TestServer, type Peer } from './amqp-kit.ts';

const clock = new VirtualClock();

/** A server whose queue `orders` takes one message a second. */
async function start(overRate: TopicOptions['overRate']): Promise<TestServer> {
  const server = await TestServer.start({ brokerOptions: { clock } });
  using peer = await server.open();
  await peer.declare('orders');
  const topic = server.broker.topic('orders')!;
  await topic.update({ ...topic.config, publishRate: { perSecond: 1, burst: 1 }, overRate: overRate! });
  return server;
}

async function confirming(server: TestServer): Promise<Peer> {
  const peer = await server.open();
  peer.send(methods.confirm.select, { noWait: false });
  await peer.expect('1 confirm.select-ok');
  return peer;
}

describe('a publish beyond the rate of its queue', () => {
  it('is nacked', async () => {
    await using server = await start('reject');
    using peer = await confirming(server);
    for (const body of ['a', 'b']) peer.publish('', 'orders', body);
    const answers = [await peer.next(), await peer.next()].map((line) => line.split(' ')[1]);
    assert.deepEqual(new Set(answers), new Set(['basic.ack', 'basic.nack']));
    assert.equal(server.broker.topic('orders')!.count, 1);
  });

  it('is dropped where nobody asks for confirms', async () => {
    await using server = await start('reject');
    using peer = await server.open();
    for (const body of ['a', 'b']) peer.publish('', 'orders', body);
    await peer.silent();
    assert.equal(server.broker.topic('orders')!.count, 1);
    assert.equal(server.broker.topic('orders')!.publishRate.refused, 1);
  });

  it('is confirmed late where it waits', async () => {
    await using server = await start('wait');
    using peer = await confirming(server);
    peer.publish('', 'orders', 'a');
    await peer.expect('1 basic.ack {"deliveryTag":1');
    peer.publish('', 'orders', 'b');
    await peer.silent();
    assert.equal(server.broker.topic('orders')!.count, 1);
    clock.advance(1_000);
    await peer.expect('1 basic.ack {"deliveryTag":2');
    assert.equal(server.broker.topic('orders')!.count, 2);
  });

  it('does not wait with an expiration', async () => {
    await using server = await start('wait');
    using peer = await confirming(server);
    for (const body of ['a', 'b']) peer.publish('', 'orders', body, { expiration: '60000' });
    const answers = [await peer.next(), await peer.next()].map((line) => line.split(' ')[1]);
    assert.deepEqual(new Set(answers), new Set(['basic.ack', 'basic.nack']));
  });
});

describe('a consumer beyond consumers-max', () => {
  it('is refused, and its channel is closed', async () => {
    await using server = await TestServer.start({ brokerOptions: { budgets: { consumers: 1 } } });
    using one = await server.open();
    await one.declare('orders');
    assert.match(await one.consume('orders'), /^1 basic\.consume-ok/);
    using other = await server.open();
    assert.match(
      await other.consume('orders'),
      /^1 channel\.close .*"replyCode":406,.*The broker has 1 of at most 1 consumers/,
    );
    one.end();
    await eventually(() => server.broker.stats().budgets.consumers.used === 0);
  });
});
