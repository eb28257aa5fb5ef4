import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Group, GroupOptions, TopicOptions } from '../../../src/broker/index.ts';
import { TestBroker, TestConsumer } from '../kit.ts';
import { TransactionKit } from '../transactions-kit.ts';

/** A broker with a topic of ten priorities and a group on it. */
async function withPriorities(
  group: Partial<GroupOptions> = {},
  topic: Partial<TopicOptions> = {},
): Promise<{
  kit: TestBroker;
  group: () => Group;
  send: (value: string, priority?: number, key?: string, partition?: number) => Promise<unknown>;
}> {
  const kit = await TestBroker.open();
  await kit.broker.createTopic({ name: 'orders', priorities: 10, ...topic });
  const orders = () => kit.broker.topic('orders')!;
  await orders().createGroup({ name: 'billing', ackWaitMs: 60_000, ...group });
  return {
    kit,
    group: () => orders().groups.get('billing')!,
    send: (value, priority, key, partition) =>
      orders().send(
        { value, ...(key === undefined ? {} : { key }) },
        {
          ...(priority === undefined ? {} : { priority }),
          ...(partition === undefined ? {} : { partition }),
        },
      ),
  };
}

test('higher levels go first, and each level in order of publish', async () => {
  const { kit, group, send } = await withPriorities();
  await using _ = kit;
  for (const [value, priority] of [
    ['a0', 0],
    ['b5', 5],
    ['c9', 9],
    ['d0', 0],
    ['e5', 5],
    ['f9', 9],
  ] as const)
    void send(value, priority);
  await kit.settle();
  const consumer = kit.attach(group());
  await kit.settle();
  assert.deepEqual(consumer.values, ['c9', 'f9', 'b5', 'e5', 'a0', 'd0']);
  assert.deepEqual(
    consumer.got.map(({ pending }) => pending),
    [5, 4, 3, 2, 1, 0],
  );
  assert.equal(group().lag, 0);
});

test('an urgent message overtakes a backlog within one delivery', async () => {
  const { kit, group, send } = await withPriorities();
  await using _ = kit;
  for (let i = 0; i < 100; i++) void send(`m${i}`);
  await kit.settle();
  const consumer = kit.attach(group(), 3);
  await kit.settle();
  await send('urgent', 1);
  consumer.credit = 2;
  group().wake();
  await kit.settle();
  assert.deepEqual(consumer.values, ['m0', 'm1', 'm2', 'urgent', 'm3']);
});

test('a priority that the topic does not have is refused', async () => {
  const { kit, send } = await withPriorities();
  await using _ = kit;
  await assert.rejects(send('a', 10), {
    code: 'message-invalid',
    message: /takes priorities 0 to 9, not 10/,
  });
  await assert.rejects(send('a', -1), { code: 'message-invalid' });
  const plain = await kit.broker.createTopic({ name: 'plain' });
  await plain.send({ value: 'a' }, { priority: 0 });
  await assert.rejects(plain.send({ value: 'a' }, { priority: 1 }), { message: /has no priorities/ });
});

test('what was delivered ahead of the cursor survives a restart and a crash', async () => {
  for (const how of ['restart', 'crash'] as const) {
    const { kit, group, send } = await withPriorities();
    await using _ = kit;
    for (let i = 0; i < 6; i++) void send(`m${i}`, i % 2 === 0 ? 0 : i);
    await kit.settle();
    const consumer = kit.attach(group(), 3);
    await kit.settle();
    assert.deepEqual(consumer.values, ['m5', 'm3', 'm1']);
    assert.ok(group().ack(0, 5));
    assert.ok(group().ack(0, 3));
    await kit.settle();
    const before = group().info();
    assert.deepEqual([before.cursor, before.ackFloor, before.lag, before.inFlight], [0, 0, 3, 1]);
    await kit[how]();
    assert.equal(group().lag, 3);
    assert.ok(group().isDone(0, 5) && group().isDone(0, 3) && !group().isDone(0, 1) && !group().isDone(0, 0));
    await send('n9', 9);
    const again = kit.attach(group());
    await kit.settle();
    assert.deepEqual(again.values, ['n9', 'm1', 'm0', 'm2', 'm4']);
    for (const offset of again.offsets) assert.ok(group().ack(0, offset));
    await kit.settle();
    const after = group().info();
    assert.deepEqual([after.cursor, after.ackFloor, after.lag, after.inFlight], [7, 7, 0, 0]);
  }
});

test('a retry keeps its level, and goes before the first deliveries of that level', async () => {
  const { kit, group, send } = await withPriorities();
  await using _ = kit;
  for (const [value, priority] of [
    ['a2', 2],
    ['b2', 2],
    ['c5', 5],
    ['d0', 0],
  ] as const)
    void send(value, priority);
  await kit.settle();
  const consumer = kit.attach(group(), 2);
  await kit.settle();
  assert.deepEqual(consumer.values, ['c5', 'a2']);
  assert.ok(group().nack(0, 0));
  await send('e9', 9);
  consumer.credit = 4;
  group().wake();
  await kit.settle();
  assert.deepEqual(consumer.values.slice(2), ['e9', 'a2', 'b2', 'd0']);
});

test('a retry of a low level lets higher ones pass', async () => {
  const { kit, group, send } = await withPriorities();
  await using _ = kit;
  await send('a0');
  const consumer = kit.attach(group(), 1);
  await kit.settle();
  void send('b1', 1);
  void send('c0');
  await kit.settle();
  assert.ok(group().nack(0, 0));
  consumer.credit = 3;
  group().wake();
  await kit.settle();
  assert.deepEqual(consumer.values, ['a0', 'b1', 'a0', 'c0']);
});

test('with order by key, a key under way holds its messages of all levels; then the highest goes first', async () => {
  const { kit, group, send } = await withPriorities({ ordering: 'key' });
  await using _ = kit;
  void send('k1', 0, 'k');
  void send('k2', 0, 'k');
  await kit.settle();
  const consumer = kit.attach(group(), 1);
  await kit.settle();
  void send('k3', 5, 'k');
  void send('j1', 3, 'j');
  void send('j2', 4, 'j');
  await kit.settle();
  consumer.credit = 10;
  group().wake();
  await kit.settle();
  assert.deepEqual(consumer.values, ['k1', 'j2']);
  assert.ok(group().ack(0, 0));
  await kit.settle();
  assert.deepEqual(consumer.values, ['k1', 'j2', 'k3']);
  assert.ok(group().ack(0, 2));
  assert.ok(group().ack(0, 4));
  await kit.settle();
  assert.deepEqual(consumer.values, ['k1', 'j2', 'k3', 'j1', 'k2']);
});

test('a filter applies to all levels, and the lag counts what passes it', async () => {
  const { kit, group, send } = await withPriorities({ filters: ['eu.>'] }, { keyState: true });
  await using _ = kit;
  for (let i = 0; i < 12; i++) void send(`m${i}`, i % 3, i % 2 === 0 ? 'eu.a' : 'us.a');
  await kit.settle();
  assert.equal(group().lag, 6);
  const consumer = kit.attach(group(), 3);
  await kit.settle();
  assert.deepEqual(consumer.values, ['m2', 'm8', 'm4']);
  assert.equal(group().lag, 3);
  // Removed before it is delivered, and removed while it is ahead.
  await kit.broker.topic('orders')!.partitions.at(0)!.delete(10);
  await kit.broker.topic('orders')!.partitions.at(0)!.delete(8);
  await kit.settle();
  assert.equal(group().lag, 2);
  consumer.credit = 10;
  group().wake();
  await kit.settle();
  assert.deepEqual(consumer.values.slice(3), ['m0', 'm6']);
  assert.equal(group().lag, 0);
});

test('of several partitions, the one with the highest level goes first', async () => {
  const { kit, group, send } = await withPriorities({}, { partitions: 3 });
  await using _ = kit;
  for (let partition = 0; partition < 3; partition++)
    for (let priority = 0; priority < 3; priority++)
      void send(`${partition}-${priority}`, priority, undefined, partition);
  await kit.settle();
  const consumer = kit.attach(group());
  await kit.settle();
  assert.deepEqual(
    consumer.values.map((value) => value.split('-')[1]),
    ['2', '2', '2', '1', '1', '1', '0', '0', '0'],
  );
  assert.deepEqual(new Set(consumer.values.slice(0, 3)).size, 3);
});

test('a group that ignores priorities gets messages in order of publish, and sees their priority', async () => {
  const { kit, group, send } = await withPriorities({ priority: 'ignore' });
  await using _ = kit;
  for (let i = 0; i < 4; i++) void send(`m${i}`, i);
  await kit.settle();
  const seen: number[] = [];
  const consumer = kit.attach(group());
  const receive = consumer.receive.bind(consumer);
  consumer.receive = (delivery) => {
    seen.push(delivery.priority);
    receive(delivery);
  };
  await kit.settle();
  assert.deepEqual(consumer.values, ['m0', 'm1', 'm2', 'm3']);
  assert.deepEqual(seen, [0, 1, 2, 3]);
  await group().update({ ...group().config, priority: 'honour' });
  for (let i = 4; i < 7; i++) void send(`m${i}`, i);
  await kit.settle();
  assert.deepEqual(consumer.values.slice(4), ['m6', 'm5', 'm4']);
});

test('what follows an undecided message waits for it, whatever its level', async () => {
  await using kit = await TransactionKit.open();
  const orders = await kit.createTopic('orders', { priorities: 3 });
  const group = await orders.createGroup({ name: 'billing' });
  const consumer = new TestConsumer();
  group.attach(consumer);
  const producer = await kit.producer();
  await orders.send({ value: 'a1' }, { priority: 1 });
  await producer.send('orders', ['undecided']);
  await orders.send({ value: 'b2' }, { priority: 2 });
  await orders.send({ value: 'c0' });
  await kit.settle();
  assert.deepEqual(consumer.values, ['a1']);
  await producer.end('commit');
  await kit.settle();
  assert.deepEqual(consumer.values, ['a1', 'b2', 'undecided', 'c0']);
  assert.equal(group.lag, 0);
});

test('at most once: nothing is delivered again after a restart', async () => {
  for (const how of ['restart', 'crash'] as const) {
    const { kit, group, send } = await withPriorities({ ack: 'none' });
    await using _ = kit;
    for (let i = 0; i < 4; i++) void send(`m${i}`, i);
    await kit.settle();
    const consumer = kit.attach(group(), 2);
    await kit.settle();
    assert.deepEqual(consumer.values, ['m3', 'm2']);
    await send('m4'); // its commit has the deliveries
    await kit[how]();
    const again = kit.attach(group());
    await kit.settle();
    assert.deepEqual(again.values, ['m1', 'm0', 'm4']);
  }
});

test('an ack of all that came before covers the deliveries before it, not the offsets below', async () => {
  const { kit, group, send } = await withPriorities({ ack: 'all' });
  await using _ = kit;
  for (let i = 0; i < 4; i++) void send(`m${i}`, i % 2);
  await kit.settle();
  const consumer = kit.attach(group());
  await kit.settle();
  assert.deepEqual(consumer.values, ['m1', 'm3', 'm0', 'm2']);
  assert.ok(group().ackAll(0, 0));
  const left = [...group().unanswered(0, 0, 10)].map(({ offset }) => offset);
  assert.deepEqual(left, [2]);
});

test('a queue removes what was acked ahead, and starts over where it is told', async () => {
  const { kit, group, send } = await withPriorities({}, { retention: 'queue' });
  await using _ = kit;
  for (let i = 0; i < 6; i++) void send(`m${i}`, i % 3);
  await kit.settle();
  const consumer = kit.attach(group(), 2);
  await kit.settle();
  assert.deepEqual(consumer.values, ['m2', 'm5']);
  for (const offset of consumer.offsets) assert.ok(group().ack(0, offset));
  await kit.settle();
  const orders = kit.broker.topic('orders')!;
  assert.deepEqual([orders.count, group().lag], [4, 4]);
  assert.equal(orders.partitions.at(0)!.levels!.size, 2);
  await group().reset({ kind: 'all' });
  consumer.credit = 10;
  group().wake();
  await kit.settle();
  assert.deepEqual(consumer.values.slice(2), ['m1', 'm4', 'm0', 'm3']);
  for (const offset of consumer.offsets) group().ack(0, offset);
  await kit.settle();
  assert.equal(orders.count, 0);
  const { cursor, ackFloor } = group().info();
  assert.deepEqual([cursor, ackFloor], [6, 6]);
});

test('a delayed message keeps its priority, and the publisher a header of the internal name', async () => {
  const { kit, group } = await withPriorities();
  await using _ = kit;
  const orders = kit.broker.topic('orders')!;
  const deliverAtMs = kit.clock.now() + 1000;
  const headers = [{ name: 'Pillarbox-Delayed-Options', value: Buffer.from('{"priority":3}') }];
  void orders.send({ value: 'plain', headers }, { deliverAtMs });
  void orders.send({ value: 'urgent' }, { deliverAtMs, priority: 7 });
  await kit.settle();
  const { messages } = await kit.broker.delayed.list({ topic: orders, limit: 10 });
  assert.deepEqual(
    messages.map(({ priority, headers }) => [priority, headers.length]),
    [
      [0, 1],
      [7, 0],
    ],
  );
  await kit.advance(1000);
  const consumer = kit.attach(group());
  await kit.settle();
  assert.deepEqual(consumer.values, ['urgent', 'plain']);
  assert.equal(orders.partitions.at(0)!.levels!.size, 1);
  const message = await orders.partitions.at(0)!.get(consumer.offsets[1]!);
  assert.equal(message!.headers.length, 1);
  assert.equal((await orders.partitions.at(0)!.get(consumer.offsets[0]!))!.headers.length, 0);
});

test('priorities of a topic may grow, and never shrink', async () => {
  const { kit, send } = await withPriorities();
  await using _ = kit;
  const orders = kit.broker.topic('orders')!;
  await orders.update({ ...orders.config, priorities: 256 });
  await send('a', 255);
  await assert.rejects(orders.update({ ...orders.config, priorities: 10 }), {
    message: /has 256 priorities and cannot have fewer/,
  });
  for (const priorities of [0, 257, 1.5])
    await assert.rejects(kit.broker.createTopic({ name: 'other', priorities }), {
      code: 'topic-config-invalid',
    });
});
