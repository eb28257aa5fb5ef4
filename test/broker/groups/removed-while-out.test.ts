import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Topic, TopicOptions } from '../../../src/broker/index.ts';
import { eventually } from '../../support/index.ts';
import { TestBroker } from '../kit.ts';

const publish = (topic: Topic, key: string, options?: Parameters<Topic['send']>[1]) =>
  topic.send({ key, value: key }, options);

/** Ways for the messages at offsets 0 and 1, of the keys a and b, to go while a consumer has them. */
const removers: readonly {
  readonly name: string;
  readonly topic?: Partial<TopicOptions>;
  readonly remove: (topic: Topic, kit: TestBroker) => Promise<unknown>;
  /** Offsets the group is given next; it takes two at a time. */
  readonly next?: readonly number[];
}[] = [
  {
    name: 'deletion of messages',
    remove: (topic) => Promise.all([0, 1].map((offset) => topic.partitions.at(0)!.delete(offset))),
  },
  { name: 'a purge by offset', remove: (topic) => topic.partitions.at(0)!.purge({ before: 2 }) },
  { name: 'a purge that keeps the last', remove: (topic) => topic.partitions.at(0)!.purge({ keep: 2 }) },
  {
    name: 'a purge of keys',
    remove: async (topic) => {
      for (const pattern of ['a', 'b']) await topic.partitions.at(0)!.purge({ pattern });
    },
  },
  {
    name: 'a purge of everything',
    remove: async (topic) => {
      await topic.partitions.at(0)!.purge();
      await publish(topic, 'e');
    },
    next: [4],
  },
  {
    name: 'a limit of count that is lowered',
    remove: (topic) => topic.update({ ...topic.config, messagesMax: 2 }),
  },
  {
    name: 'a limit of bytes that is lowered',
    remove: (topic) => topic.update({ ...topic.config, bytesMax: topic.bytes / 2 }),
  },
  {
    name: 'a limit of count',
    topic: { messagesMax: 4, overflow: 'drop-oldest' },
    remove: (topic) => Promise.all([publish(topic, 'e'), publish(topic, 'f')]),
  },
  {
    name: 'a limit per key',
    topic: { messagesPerKeyMax: 1, overflowPerKey: 'drop-oldest', keyState: true },
    remove: (topic) => Promise.all([publish(topic, 'a'), publish(topic, 'b')]),
  },
  {
    name: 'compaction',
    topic: { compaction: true, keyState: true },
    remove: (topic) => Promise.all([publish(topic, 'a'), publish(topic, 'b')]),
  },
  {
    name: 'a rollup of keys',
    topic: { keyState: true },
    remove: (topic) =>
      Promise.all([publish(topic, 'a', { replaces: 'key' }), publish(topic, 'b', { replaces: 'key' })]),
  },
  {
    name: 'a rollup of the topic',
    remove: (topic) => publish(topic, 'e', { replaces: 'topic' }),
    next: [4],
  },
  {
    name: 'a limit of age',
    topic: { ageMsMax: 5000 },
    remove: async (topic, kit) => {
      // Those behind were published later.
      await eventually(async () => {
        await kit.advance(500);
        return topic.count === 2;
      });
    },
  },
  {
    name: 'an ack by the only other group, once this one does not ask for it any more',
    topic: { retention: 'interest' },
    remove: async (topic) => {
      const [other, group] = [topic.groups.get('other')!, topic.groups.get('billing')!];
      await group.update({ ...group.config, filters: ['c', 'd'] });
      for (const offset of [0, 1]) other.ack(0, offset);
    },
  },
];

for (const { name, topic: options, remove, next = [2, 3] } of removers)
  test(`a message that goes while it is out leaves room: ${name}`, async () => {
    await using kit = await TestBroker.open();
    const orders = await kit.broker.createTopic({ name: 'orders', ...options });
    const billing = await orders.createGroup({ name: 'billing', maxInFlight: 2, ackWaitMs: 60_000 });
    if (options?.retention === 'interest') kit.attach(await orders.createGroup({ name: 'other' }), 2);
    await Promise.all([publish(orders, 'a'), publish(orders, 'b')]);
    if (options?.ageMsMax !== undefined) await kit.advance(3000);
    await Promise.all([publish(orders, 'c'), publish(orders, 'd')]);
    const consumer = kit.attach(billing);
    await kit.settle();
    assert.deepEqual(consumer.offsets, [0, 1]);
    await remove(orders, kit);
    await eventually(async () => {
      await kit.settle();
      return consumer.got.length === 2 + next.length;
    });
    assert.deepEqual(consumer.offsets.slice(2), next);
    assert.equal(billing.info().inFlight, next.length);
    assert.equal(billing.info().ackFloor, next[0]);
    // A late answer is one about nothing.
    assert.equal(billing.ack(0, 0), false);
    assert.equal(billing.nack(0, 1, 0), false);
    await kit.settle();
    assert.equal(consumer.got.length, 2 + next.length);
    for (const offset of next) assert.equal(billing.ack(0, offset), true);
    await kit.settle();
    await kit.restart();
    const again = kit.broker.topic('orders')!.groups.get('billing')!;
    assert.equal(again.positions.at(0)!.pending.get(0), undefined);
    assert.equal(again.positions.at(0)!.pending.get(1), undefined);
  });

test('a removed message gives up its key: the next of the key goes', async () => {
  await using kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders' });
  const billing = await orders.createGroup({ name: 'billing', ordering: 'key', maxInFlight: 2 });
  for (const value of ['a0', 'a1', 'a2', 'b3']) await orders.send({ key: value[0]!, value });
  const consumer = kit.attach(billing);
  await kit.settle();
  assert.deepEqual(consumer.values, ['a0', 'b3']);
  await orders.partitions.at(0)!.delete(1); // it is held behind a0
  await kit.settle();
  assert.deepEqual(consumer.values, ['a0', 'b3']);
  assert.equal(billing.info().inFlight, 2);
  assert.equal(billing.lag, 1);
  await orders.partitions.at(0)!.delete(0);
  await kit.settle();
  assert.deepEqual(consumer.values, ['a0', 'b3', 'a2']);
  assert.equal(billing.info().inFlight, 2);
  assert.equal(billing.lag, 0);
});

test('a message that goes on its way to the dead letters is no dead letter', async () => {
  await using kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders' });
  const billing = await orders.createGroup({ name: 'billing', maxInFlight: 1, deadLetter: 'dead' });
  await Promise.all([publish(orders, 'a'), publish(orders, 'b')]);
  const consumer = kit.attach(billing);
  await kit.settle();
  assert.equal(billing.reject(0, 0, 'no'), true);
  const gone = orders.partitions.at(0)!.delete(0);
  assert.equal(await gone, true);
  await kit.settle();
  assert.deepEqual(consumer.offsets, [0, 1]);
  assert.equal(kit.broker.topic('dead')?.count ?? 0, 0);
});

test('a message removed in flight stays away over a crash before the checkpoint', async () => {
  await using kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders' });
  const billing = await orders.createGroup({ name: 'billing', ackWaitMs: 60_000 });
  await Promise.all([publish(orders, 'a'), publish(orders, 'b')]);
  kit.attach(billing);
  await kit.advance(25);
  await orders.partitions.at(0)!.delete(0);
  const crashed = new TestBroker(kit.files.copy());
  await crashed.start();
  await using _ = crashed;
  const again = crashed.broker.topic('orders')!.groups.get('billing')!;
  assert.equal(again.info().inFlight, 1);
  const consumer = crashed.attach(again);
  await crashed.settle();
  assert.deepEqual(
    consumer.got.map(({ offset, deliveries }) => [offset, deliveries]),
    [[1, 2]],
  );
});
