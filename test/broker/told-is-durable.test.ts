import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestBroker } from './kit.ts';

test('counts, bytes and lag are told of messages that are on disk', async () => {
  for (const options of [{}, { filters: ['a'] }] as const) {
    await using kit = await TestBroker.open();
    const orders = await kit.broker.createTopic({ name: 'orders' });
    const billing = await orders.createGroup({ name: 'billing', ...options });
    const told = (): number[] => [
      orders.stats().messages,
      billing.stats().lag,
      orders.durableCount,
      billing.info().durableLag,
    ];
    await orders.send({ key: 'a', value: 'first' });
    const { bytes } = orders.stats();
    const sent = orders.send({ key: 'a', value: 'second' });
    assert.deepEqual(told(), [1, 1, 1, 1]);
    assert.ok(orders.stats().bytes <= bytes * 1.5);
    // Limits count accepted messages.
    assert.equal(orders.count, 2);
    await sent;
    assert.deepEqual(told(), [2, 2, 2, 2]);
    assert.ok(orders.stats().bytes > bytes * 1.5);
  }
});

test('a dead letter counts once it is on disk', async () => {
  await using kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders' });
  const billing = await orders.createGroup({ name: 'billing', deadLetter: 'dead' });
  await orders.send({ value: 'x' });
  kit.attach(billing);
  await kit.settle();
  const counts: number[] = [];
  kit.broker.events.subscribe((event) => {
    if (event.kind === 'dead-lettered') counts.push(kit.broker.topic('dead')!.durableCount);
  });
  billing.reject(0, 0, 'no');
  await kit.settle();
  assert.deepEqual(counts, [0]);
  assert.equal(kit.broker.topic('dead')!.durableCount, 1);
});
