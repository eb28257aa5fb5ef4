import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Group, GroupOptions } from '../../../src/broker/index.ts';
import { TestBroker } from '../kit.ts';

async function withMessages(
  count: number,
  options: Partial<GroupOptions>,
  partitions: number = 1,
): Promise<{ kit: TestBroker; group: Group }> {
  const kit = await TestBroker.open();
  const topic = await kit.broker.createTopic({ name: 'orders', partitions });
  const group = await topic.createGroup({ name: 'g', ...options });
  for (let i = 0; i < count; i++) void topic.send({ value: `m${i}` }, { partition: i % partitions });
  await kit.settle();
  return { kit, group };
}

test('a rate holds over all consumers, with its burst at once', async () => {
  const { kit, group } = await withMessages(30, { rate: { perSecond: 10, burst: 4 } });
  await using _ = kit;
  const consumers = [kit.attach(group), kit.attach(group)];
  const count = (): number => consumers.reduce((sum, { got }) => sum + got.length, 0);
  await kit.settle();
  assert.equal(count(), 4);
  for (const [ms, expected] of [
    [99, 4],
    [1, 5],
    [1000, 9],
  ] as const) {
    await kit.advance(ms);
    assert.equal(count(), expected);
  }
  for (let i = 0; i < 10; i++) await kit.advance(100);
  assert.equal(count(), 19);
  assert.equal(group.info().throttledMs, 2100);
});

test('redeliveries count, and a rate that keeps nothing back costs no time', async () => {
  const { kit, group } = await withMessages(1, { rate: { perSecond: 10, burst: 1 } });
  await using _ = kit;
  const consumer = kit.attach(group);
  await kit.settle();
  await kit.advance(1000);
  assert.equal(group.info().throttledMs, 0);
  group.nack(0, 0);
  group.wake();
  await kit.settle();
  group.nack(0, 0);
  await kit.settle();
  assert.equal(consumer.got.length, 2);
  await kit.advance(100);
  assert.equal(consumer.got.length, 3);
});

test('a rate is changed, and taken away, while the group waits for it', async () => {
  const { kit, group } = await withMessages(30, { rate: { perSecond: 0.001, burst: 1 } });
  await using _ = kit;
  const consumer = kit.attach(group);
  await kit.settle();
  await group.update({ ...group.config, rate: { perSecond: 10, burst: 2 } });
  await kit.advance(100);
  assert.equal(consumer.got.length, 2);
  const { rate: _rate, ...config } = group.config;
  await group.update(config);
  await kit.settle();
  assert.equal(consumer.got.length, 30);
});

test('with at most once a rate holds too', async () => {
  const rate = { perSecond: 1, burst: 2 };
  const { kit, group } = await withMessages(5, { ack: 'none', rate, concurrency: 1 });
  await using _ = kit;
  const consumer = kit.attach(group);
  await kit.settle();
  assert.equal(consumer.got.length, 2);
  await kit.advance(1000);
  assert.equal(consumer.got.length, 3);
});

test('concurrency limits what is in flight, over all consumers and partitions', async () => {
  const { kit, group } = await withMessages(9, { concurrency: 4, ackWaitMs: 1000 }, 3);
  await using _ = kit;
  const consumers = [kit.attach(group), kit.attach(group)];
  const count = (): number => consumers.reduce((sum, { got }) => sum + got.length, 0);
  await kit.settle();
  assert.equal(count(), 4);
  group.ack(0, 0);
  await kit.settle();
  assert.equal(count(), 5);
  group.nack(1, 0, 60_000);
  await kit.settle();
  assert.equal(count(), 6, 'a message that waits for its backoff is not in flight');
  await kit.advance(1000);
  assert.equal(count(), 10, 'nor is one whose deadline has passed');
});

test('a message that waits for room among the dead letters is not in flight', async () => {
  const { kit, group } = await withMessages(2, { concurrency: 1, deadLetter: 'letters' });
  await using _ = kit;
  const letters = await kit.broker.createTopic({ name: 'letters', messagesMax: 1, overflow: 'reject' });
  await letters.send({ value: 'first' });
  const consumer = kit.attach(group);
  await kit.settle();
  group.reject(0, 0, 'unwanted');
  await kit.settle();
  assert.deepEqual(consumer.values, ['m0', 'm1']);
});

test('a rate and a concurrency are refused that cannot be', async () => {
  const { kit } = await withMessages(0, {});
  await using _ = kit;
  const topic = kit.broker.topic('orders')!;
  for (const options of [{ rate: { perSecond: 1, burst: 0 } }, { concurrency: 0 }])
    await assert.rejects(topic.createGroup({ name: 'other', ...options }), { code: 'group-config-invalid' });
});
