import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Group, GroupOptions } from '../../../src/broker/index.ts';
import { TestBroker } from '../kit.ts';

async function withMessages(
  count: number,
  options: Partial<GroupOptions> = {},
): Promise<{ kit: TestBroker; group: Group }> {
  const kit = await TestBroker.open();
  const topic = await kit.broker.createTopic({ name: 'orders' });
  const group = await topic.createGroup({ name: 'g', ...options });
  for (let i = 0; i < count; i++) void topic.send({ key: i % 2 === 0 ? 'a' : 'b', value: `m${i}` });
  await kit.settle();
  return { kit, group };
}

function groupOf(kit: TestBroker): Group {
  return kit.broker.topic('orders')!.groups.get('g')!;
}

test('a postponed message comes again after its time, and uses up no attempt', async () => {
  const { kit, group } = await withMessages(2, { maxDeliver: 2, deadLetter: 'dead' });
  await using _ = kit;
  const consumer = kit.attach(group);
  await kit.settle();
  for (let round = 0; round < 3; round++) {
    assert.equal(group.postpone(0, 0, 100), true);
    assert.equal(group.postpone(0, 0, 100), false, 'it is with nobody now');
    await kit.advance(99);
    assert.equal(consumer.got.length, 2 + round);
    await kit.advance(1);
    assert.equal(consumer.values.at(-1), 'm0');
  }
  group.nack(0, 0);
  await kit.settle();
  assert.equal(consumer.got.length, 6, 'it has failed once');
  group.nack(0, 0);
  await kit.settle();
  assert.equal(kit.broker.topic('dead')!.count, 1);
});

test('a hold of the group keeps everything back, over a restart too, until its time', async () => {
  const { kit, group } = await withMessages(3);
  await using _ = kit;
  const consumer = kit.attach(group, 1);
  await kit.settle();
  group.postpone(0, 0, 1000, 'group');
  consumer.credit = 5;
  group.wake();
  await kit.settle();
  assert.deepEqual([consumer.values, group.deliverable], [['m0'], 0]);
  assert.equal(group.info().heldUntilMs, kit.clock.now() + 1000);
  await kit.advance(400);
  await kit.restart();
  assert.equal(groupOf(kit).info().heldUntilMs, kit.clock.now() + 600);
  const again = kit.attach(groupOf(kit));
  await kit.advance(599);
  assert.deepEqual(again.values, []);
  await kit.advance(1);
  assert.deepEqual(again.values, ['m0', 'm1', 'm2']);
});

test('a later hold does not end an earlier one, and resume ends all', async () => {
  const { kit, group } = await withMessages(3);
  await using _ = kit;
  const consumer = kit.attach(group, 2);
  await kit.settle();
  group.postpone(0, 0, 1000, 'group');
  group.postpone(0, 1, 10, 'group');
  consumer.credit = 9;
  await kit.advance(500);
  assert.deepEqual(consumer.values, ['m0', 'm1']);
  await group.resume();
  await kit.settle();
  assert.deepEqual(consumer.values.slice(2), ['m0', 'm1', 'm2']);
  await kit.restart();
  assert.equal(groupOf(kit).info().heldUntilMs, undefined);
});

test('a hold of a key keeps its messages back alone, over a restart too', async () => {
  for (const checkpoint of [false, true]) {
    const { kit, group } = await withMessages(6, { ordering: 'key', keyConcurrency: 2 });
    await using _ = kit;
    const consumer = kit.attach(group, 1);
    await kit.settle();
    group.postpone(0, 0, 1000, 'key');
    consumer.credit = 9;
    group.wake();
    await kit.settle();
    assert.deepEqual(consumer.values, ['m0', 'm1', 'm3']);
    assert.equal(group.info().keysHeld, 1);
    await kit.advance(400);
    if (checkpoint) await kit.broker.checkpoint();
    await kit.crash();
    const again = kit.attach(groupOf(kit));
    await kit.advance(599);
    assert.deepEqual(again.values, ['m1', 'm3']);
    await kit.advance(1);
    assert.deepEqual(again.values, ['m1', 'm3', 'm0', 'm2']);
    assert.equal(groupOf(kit).info().keysHeld, 0);
  }
});

test('a group without order per key holds no key', async () => {
  const { kit, group } = await withMessages(1);
  await using _ = kit;
  kit.attach(group);
  await kit.settle();
  assert.throws(() => group.postpone(0, 0, 100, 'key'), {
    code: 'not-allowed',
    message: /does not deliver by key/,
  });
});

test('without room for more keys none is held', async () => {
  const kit = await TestBroker.open({ budgets: { ordered: 2 } });
  await using _ = kit;
  const topic = await kit.broker.createTopic({ name: 'orders' });
  const group = await topic.createGroup({ name: 'g', ordering: 'key' });
  for (const key of ['a', 'b']) await topic.send({ key, value: key });
  kit.attach(group);
  await kit.settle();
  assert.throws(() => group.postpone(0, 0, 100, 'key'), { code: 'limit-reached', message: /ordered-max/ });
});
