/** Messages that live publishes store wait while the broker is congested. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokerError, bytes, open, type Box } from '../../src/index.ts';
import type { Events } from '../../src/broker/events.ts';
import type { Group, Topic } from '../../src/broker/index.ts';
import { TestBroker } from '../broker/kit.ts';

/** A box on a broker that says it is congested until told otherwise, and a topic that captures subjects. */
async function congested(kit: TestBroker): Promise<{ box: Box; topic: Topic; relieve: () => void }> {
  const topic = await kit.broker.createTopic({ name: 'orders', subjects: ['orders.>'] });
  const box = await open({ broker: kit.broker });
  const relieved: (() => void)[] = [];
  let isCongested = true;
  Object.defineProperty(kit.broker, 'congested', { get: () => isCongested });
  kit.broker.onUncongested = (callback) => void relieved.push(callback);
  const relieve = (): void => {
    isCongested = false;
    for (const callback of relieved.splice(0)) callback();
  };
  return { box, topic, relieve };
}

test('live subscribers hear a message at once, its topic stores it when the congestion is over, in order', async () => {
  await using kit = await TestBroker.open();
  const { box, topic, relieve } = await congested(kit);
  box.live.subscribe('orders.*');
  const value = new Uint8Array([1]);
  assert.equal(box.live.publish('orders.new', value, { codec: bytes }), 1);
  value[0] = 2; // the caller's again
  assert.equal(box.live.publish('orders.new', value, { codec: bytes }), 1);
  assert.equal(topic.count, 0);
  relieve();
  await kit.settle();
  assert.equal(topic.count, 2);
  const stored: unknown[] = [];
  for await (const message of (await box.topic('orders', { codec: bytes })).browse())
    stored.push(message.value[0]);
  assert.deepEqual(stored, [1, 2]);
  await box.close();
});

test('a close waits until published messages are stored', async () => {
  await using kit = await TestBroker.open();
  const { box, topic, relieve } = await congested(kit);
  box.live.publish('orders.new', 1);
  let isClosed = false;
  const closed = box.close().then(() => (isClosed = true));
  await kit.settle();
  assert.equal(isClosed, false);
  relieve();
  await closed;
  assert.equal(topic.count, 1);
});

test('a broker that fails while it is congested leaves no caller waiting', async () => {
  await using kit = await TestBroker.open();
  const { box } = await congested(kit);
  const orders = await box.topic('orders');
  const publishing = orders.publish(1);
  const error = new BrokerError('storage-failed', 'The disk is gone.');
  (kit.broker.events as Events<Topic, Group>).emit({ kind: 'failed', error });
  await assert.rejects(publishing, { code: 'storage-failed' });
  await assert.rejects(orders.publish(2), { code: 'storage-failed' });
  await box.close();
});
