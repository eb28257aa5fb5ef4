import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Group, GroupOptions } from '../../src/broker/index.ts';
import { TestBroker } from './kit.ts';

/* Facts that hold from the first moment after a start. */

test('messages that an age limit removed before a crash are not seen again', async () => {
  await using kit = await TestBroker.open();
  const readings = await kit.broker.createTopic({ name: 'readings', partitions: 2, ageMsMax: 1000 });
  await readings.send({ value: 'old' }, { partition: 0 });
  await readings.send({ value: 'old' }, { partition: 1 });
  kit.clock.advance(900);
  await readings.send({ value: 'young' }, { partition: 1 });
  await kit.restart(); // nothing is in memory any more
  const files = kit.files.copy(); // a kill before the removal was on disk
  await kit.advance(200);
  assert.equal(kit.broker.topic('readings')!.count, 1);
  const again = new TestBroker(files, kit.clock);
  await again.start();
  await using _ = again;
  const counts = again.broker.topic('readings')!.partitions.opened.map(({ count }) => count);
  assert.deepEqual(counts, [0, 1]);
});

test('a message that stays out over a restart holds its key', async () => {
  const waits: readonly Partial<GroupOptions>[] = [
    { redeliverAfterRestart: 'at-deadline' },
    { maxDeliver: 1, deadLetter: 'dead' }, // its last delivery may still be answered
  ];
  for (const options of waits) {
    await using kit = await TestBroker.open();
    const orders = await kit.broker.createTopic({ name: 'orders' });
    const group = await orders.createGroup({ name: 'g', ordering: 'key', ackWaitMs: 1000, ...options });
    await orders.send({ key: 'ada', value: 'first' });
    kit.attach(group, 1);
    await kit.settle();
    await orders.send({ key: 'ada', value: 'second' });
    await orders.send({ key: 'bob', value: 'other' });
    await kit.advance(50);
    await kit.restart();
    const again = groupOf(kit, 'orders');
    const consumer = kit.attach(again, 5);
    await kit.settle();
    assert.deepEqual(consumer.values, ['other']);
    again.ack(0, 2);
    await kit.advance(1000);
    const isGivenUp = options.maxDeliver === 1;
    assert.deepEqual(consumer.values, ['other', isGivenUp ? 'second' : 'first']);
  }
});

function groupOf(kit: TestBroker, topic: string): Group {
  return kit.broker.topic(topic)!.groups.get('g')!;
}

test('deliverable messages are counted by partition, as the limit of messages in flight holds', async () => {
  await using kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders', partitions: 2 });
  const group = await orders.createGroup({ name: 'g', maxInFlight: 1 });
  await orders.send({ value: 'a' }, { partition: 0 });
  const consumer = kit.attach(group, 1);
  await kit.settle();
  for (const value of ['b', 'c']) await orders.send({ value }, { partition: 1 });
  await orders.send({ value: 'd' }, { partition: 0 });
  assert.equal(group.deliverable, 2);
  consumer.credit = 5;
  group.wake();
  await kit.settle();
  assert.deepEqual(consumer.values, ['a', 'b']);
});
