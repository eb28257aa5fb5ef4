import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Group } from '../../../src/broker/index.ts';
import { eventually } from '../../support/index.ts';
import { TestBroker, TestConsumer, text } from '../kit.ts';

test('a group does not deliver what is older than its messageTtlMs, and another group does', async () => {
  await using kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders' });
  const hasty = await orders.createGroup({ name: 'hasty', messageTtlMs: 1000 });
  const patient = await orders.createGroup({ name: 'patient' });
  await orders.send({ value: 'old' });
  kit.clock.advance(999);
  await orders.send({ value: 'new' });
  await kit.settle();
  assert.equal(hasty.lag, 2);
  kit.clock.advance(1); // no consumer is needed
  await kit.settle();
  assert.equal(hasty.lag, 1);
  assert.equal(hasty.stats().expired, 1);
  const [a, b] = [new TestConsumer(), new TestConsumer()];
  hasty.attach(a);
  patient.attach(b);
  await kit.settle();
  assert.deepEqual([a.values, b.values], [['new'], ['old', 'new']]);
});

test('a message that waits for its redelivery is ended too, and one that a consumer holds is not', async () => {
  await using kit = await TestBroker.open();
  const { topic, group } = await kit.broker.defineQueue({ name: 'jobs' }, { messageTtlMs: 10_000 });
  const consumer = new TestConsumer();
  group.attach(consumer);
  for (const value of ['fails', 'is acked late', 'fails late']) await topic.send({ value });
  await kit.settle();
  group.nack(0, 0, 60_000);
  kit.clock.advance(10_000);
  await kit.settle();
  assert.equal(topic.count, 2);
  assert.equal(group.ack(0, 1), true);
  group.nack(0, 2);
  await kit.settle();
  assert.equal(topic.count, 0);
  assert.equal(group.stats().expired, 2);
  assert.equal(consumer.got.length, 3);
});

for (const [how, giveUp] of [
  ['fails', (group: Group) => group.nack(0, 0)],
  ['is given back', (group: Group) => group.giveBack(0, 0)],
  ['is postponed', (group: Group) => group.postpone(0, 0, 60_000)],
] as const)
  test(`a message that ${how} after its time is ended, without a consumer for it`, async () => {
    await using kit = await TestBroker.open();
    const { topic, group } = await kit.broker.defineQueue({ name: 'jobs' }, { messageTtlMs: 1000 });
    kit.attach(group, 1);
    await topic.send({ value: 'late' });
    await kit.settle();
    await kit.advance(1500);
    assert.equal(giveUp(group), true);
    await kit.advance(100);
    assert.deepEqual([topic.count, group.stats().expired], [0, 1]);
  });

test('messages too old for a group become its dead letters, of cause expired', async () => {
  await using kit = await TestBroker.open();
  const { topic, group } = await kit.broker.defineQueue(
    { name: 'jobs' },
    { messageTtlMs: 1000, deadLetter: { causes: ['expired'] } },
  );
  for (let i = 0; i < 3000; i++) void topic.send({ value: `m${i}` });
  await kit.settle();
  kit.clock.advance(1000);
  await eventually(async () => {
    kit.clock.advance(1);
    await kit.settle();
    return topic.count === 0;
  });
  const letters = kit.broker.topic('jobs-default-dlq')!;
  assert.equal(letters.count, 3000);
  assert.equal(group.stats().expired, 3000);
  const letter = await letters.partitions.at(0)!.get(0);
  const cause = letter!.headers.find(({ name }) => name === 'Pillarbox-Dead-Letter-Cause');
  assert.equal(text(cause!.value), 'expired: messageTtlMs');
});

test('after a restart old messages are ended, also those that were pending', async () => {
  await using kit = await TestBroker.open();
  const { topic, group } = await kit.broker.defineQueue({ name: 'jobs' }, { messageTtlMs: 5000 });
  group.attach(new TestConsumer(2));
  for (const value of ['held', 'failed', 'fresh']) await topic.send({ value });
  await kit.settle();
  group.nack(0, 1, 1000);
  await kit.settle();
  kit.clock.advance(4000);
  await kit.restart();
  assert.equal(kit.broker.topic('jobs')!.count, 3);
  kit.clock.advance(1000);
  await eventually(async () => {
    kit.clock.advance(10);
    await kit.settle();
    return kit.broker.topic('jobs')!.count === 0;
  });
});

test('many old messages are ended in slices', async () => {
  await using kit = await TestBroker.open();
  const { topic } = await kit.broker.defineQueue(
    { name: 'jobs', durability: 'memory' },
    { messageTtlMs: 1000 },
  );
  for (let i = 0; i < 50_000; i++) void topic.send({ value: 'x' });
  await kit.settle();
  kit.clock.advance(1000);
  let most = 0;
  for (let before = topic.count; before > 0;) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    most = Math.max(most, before - topic.count);
    before = topic.count;
  }
  assert.ok(most <= 2048, `${most} in one turn`);
});

test('a changed messageTtlMs applies at once, and a group with committed positions has none', async () => {
  await using kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders' });
  const group = await orders.createGroup({ name: 'g' });
  await orders.send({ value: 'a' });
  kit.clock.advance(5000);
  await group.update({ ...group.config, messageTtlMs: 1000 });
  assert.equal(group.lag, 0);
  await assert.rejects(
    orders.createGroup({ name: 'k', positions: 'committed', messageTtlMs: 1 }),
    /it has no messageTtlMs/,
  );
});

test('the oldest messages of several partitions are loaded once each', async () => {
  await using kit = await TestBroker.open({
    log: { batchRecordsMax: 1, tailCacheBytesMax: 0, readCacheBytesMax: 1, journalFileBytes: 64 * 1024 },
  });
  const orders = await kit.broker.createTopic({ name: 'orders', partitions: 2, keyState: true });
  for (const partition of [0, 1])
    for (let i = 0; i < 3; i++)
      await orders.send({ key: `${partition}.${i}`, value: 'x'.repeat(200) }, { partition });
  await kit.broker.checkpoint();
  let loads = 0;
  for (const { log } of orders.partitions.opened) {
    const load = log.load.bind(log);
    log.load = (offset) => {
      return ++loads > 100 ? new Promise(() => {}) : load(offset);
    };
  }
  const group = await orders.createGroup({
    name: 'latest',
    start: { kind: 'last-per-key' },
    messageTtlMs: 60_000,
  });
  for (let i = 0; i < 10; i++) await kit.settle();
  assert.ok(loads <= 4, `${loads} loads`);
  kit.clock.advance(60_000);
  await eventually(async () => {
    await kit.settle();
    return group.stats().expired === 6;
  });
});
