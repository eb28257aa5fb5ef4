import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TopicOptions } from '../../../src/broker/index.ts';
import { TestBroker } from '../kit.ts';

async function open(topic: Partial<TopicOptions>) {
  const kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders', priorities: 10, ...topic });
  const values = async (name: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const record of kit.broker.topic(name)!.partitions.at(0)!.scan(0))
      found.push(Buffer.from(record.value!).toString());
    return found;
  };
  return { kit, orders, values };
}

test('a full topic drops the lowest level first, and of one level the oldest', async () => {
  for (const deadLetter of [undefined, { to: 'lost', causes: ['overflow'] as const }]) {
    const { kit, orders, values } = await open({ messagesMax: 4, ...(deadLetter ? { deadLetter } : {}) });
    await using _ = kit;
    for (const [value, priority] of [
      ['a5', 5],
      ['b0', 0],
      ['c1', 1],
      ['d0', 0],
      ['e1', 1],
      ['f9', 9],
    ] as const)
      await orders.send({ value }, { priority });
    await kit.settle();
    assert.deepEqual(await values('orders'), ['a5', 'c1', 'e1', 'f9']);
    await orders.send({ value: 'g0' }); // the lowest now
    await kit.settle();
    assert.deepEqual(await values('orders'), ['a5', 'c1', 'e1', 'f9']);
    await orders.send({ value: 'h9' }, { priority: 9 });
    await kit.settle();
    assert.deepEqual(await values('orders'), ['a5', 'e1', 'f9', 'h9']);
    assert.equal(orders.stats().left.overflow, 4);
    if (deadLetter) assert.deepEqual(await values('lost'), ['b0', 'd0', 'g0', 'c1']);
  }
});

test('a full topic in bytes does the same', async () => {
  const { kit, orders, values } = await open({ bytesMax: 100_000 });
  await using _ = kit;
  for (let i = 0; i < 50; i++)
    await orders.send({ value: `${i % 2}`.padEnd(10_000, '-') }, { priority: i % 2 });
  await kit.settle();
  assert.ok((await values('orders')).every((value) => value.startsWith('1')));
  assert.ok(orders.bytes <= 100_000);
});

test('a dead letter keeps its priority, and a redrive puts it back at its level', async () => {
  const { kit, orders } = await open({});
  await using _ = kit;
  await kit.broker.createTopic({ name: 'lost', priorities: 3 });
  const group = await orders.createGroup({ name: 'billing', deadLetter: 'lost' });
  await orders.send({ value: 'urgent' }, { priority: 7 });
  await orders.send({ value: 'plain' });
  const consumer = kit.attach(group);
  await kit.settle();
  for (const offset of consumer.offsets) group.reject(0, offset, 'no');
  await kit.settle();
  const { levels } = kit.broker.topic('lost')!.partitions.at(0)!;
  assert.deepEqual([levels!.size, levels!.sizeOf(2)], [1, 1]);
  await kit.broker.redrive(kit.broker.topic('lost')!);
  assert.equal(orders.partitions.at(0)!.levels!.of(2), 7);
  assert.equal(orders.partitions.at(0)!.levels!.of(3), 0);
  assert.equal((await orders.partitions.at(0)!.get(2))!.headers.length, 0);
});

test('beyond the budget, messages with a priority are refused, and others go on', async () => {
  const kit = await TestBroker.open({ budgets: { prioritized: 2 } });
  await using _ = kit;
  const orders = await kit.broker.createTopic({ name: 'orders', priorities: 3 });
  for (let i = 0; i < 2; i++) await orders.send({ value: 'a' }, { priority: 1 });
  await assert.rejects(orders.send({ value: 'b' }, { priority: 2 }), { code: 'limit-reached' });
  await orders.send({ value: 'c' });
  await orders.partitions.at(0)!.delete(0);
  await orders.send({ value: 'd' }, { priority: 2 });
  assert.equal(kit.broker.budgets.used('prioritized'), 2);
  await orders.partitions.at(0)!.purge();
  assert.equal(kit.broker.budgets.used('prioritized'), 0);
  await orders.send({ value: 'e' }, { priority: 2 });
  await orders.delete();
  assert.equal(kit.broker.budgets.used('prioritized'), 0);
});
