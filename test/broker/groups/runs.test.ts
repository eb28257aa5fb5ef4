import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Group, GroupOptions } from '../../../src/broker/index.ts';
import { TestBroker, type TestConsumer } from '../kit.ts';

/** A broker with a topic of these messages, `key:value`, and a group with order per key. */
async function withMessages(
  messages: readonly string[],
  options: Partial<GroupOptions> = {},
): Promise<{ kit: TestBroker; group: Group }> {
  const kit = await TestBroker.open();
  const topic = await kit.broker.createTopic({ name: 'orders' });
  const group = await topic.createGroup({ name: 'g', ordering: 'key', ...options });
  for (const message of messages) void topic.send({ key: message.split(':')[0]!, value: message });
  await kit.settle();
  return { kit, group };
}

async function send(kit: TestBroker, ...messages: readonly string[]): Promise<void> {
  const topic = kit.broker.topic('orders')!;
  for (const message of messages) await topic.send({ key: message.split(':')[0]!, value: message });
  await kit.settle();
}

function ack(group: Group, consumer: TestConsumer, ...values: readonly string[]): void {
  for (const value of values) group.ack(0, offsetOf(consumer, value));
}

function offsetOf(consumer: TestConsumer, value: string): number {
  return consumer.got.find((got) => got.value === value)!.offset;
}

test('a run: one consumer gets several messages of a key in order, and no other gets the key', async () => {
  const { kit, group } = await withMessages(['a:0', 'a:1', 'b:0', 'a:2', 'a:3', 'b:1'], { keyRunMax: 3 });
  await using _ = kit;
  const [first, second] = [kit.attach(group), kit.attach(group)];
  await kit.settle();
  assert.deepEqual(first.values, ['a:0', 'a:1', 'a:2']);
  assert.deepEqual(second.values, ['b:0', 'b:1']);
  ack(group, first, 'a:1');
  await kit.settle();
  assert.deepEqual(first.values.at(-1), 'a:3', 'an answer leaves the key with its consumer');
  ack(group, first, 'a:0', 'a:2', 'a:3');
  await kit.settle();
  first.credit = 0;
  await send(kit, 'a:4');
  assert.deepEqual(second.values.at(-1), 'a:4', 'when all are answered the key is free');
});

test('a failed message ends the run, and comes first when the rest of the run is answered', async () => {
  const { kit, group } = await withMessages(['a:0', 'a:1', 'a:2', 'a:3'], { keyRunMax: 3 });
  await using _ = kit;
  const consumer = kit.attach(group);
  await kit.settle();
  group.nack(0, 1);
  group.nack(0, 0);
  await kit.settle();
  assert.deepEqual(consumer.values, ['a:0', 'a:1', 'a:2'], 'a:2 is not answered yet');
  ack(group, consumer, 'a:2');
  await kit.settle();
  assert.deepEqual(consumer.values.slice(3), ['a:0', 'a:1', 'a:3']);
});

test('a message that is given up ends the run, too', async () => {
  const { kit, group } = await withMessages(['a:0', 'a:1', 'a:2'], { keyRunMax: 2, maxDeliver: 1 });
  await using _ = kit;
  const consumer = kit.attach(group);
  await kit.settle();
  group.nack(0, 0);
  await kit.settle();
  assert.deepEqual(consumer.values, ['a:0', 'a:1'], 'a:1 of the run is still out');
  ack(group, consumer, 'a:1');
  await kit.settle();
  assert.deepEqual(consumer.values, ['a:0', 'a:1', 'a:2']);
});

test('a message that waits for its backoff keeps back its key alone', async () => {
  const { kit, group } = await withMessages(['a:0', 'a:1', 'a:2', 'b:0'], { keyRunMax: 2 });
  await using _ = kit;
  const consumer = kit.attach(group);
  await kit.settle();
  assert.deepEqual(consumer.values, ['a:0', 'a:1', 'b:0']);
  group.nack(0, 0, 100);
  group.nack(0, 1, 50);
  await kit.advance(60);
  assert.equal(consumer.values.length, 3, 'a:1 is due, and behind a:0');
  await kit.advance(40);
  assert.deepEqual(consumer.values.slice(3), ['a:0', 'a:1']);
});

test('a consumer that leaves gives its run back in order', async () => {
  const { kit, group } = await withMessages(['a:0', 'a:1', 'a:2', 'a:3'], { keyRunMax: 3 });
  await using _ = kit;
  const gone = kit.attach(group);
  await kit.settle();
  group.detach(gone, { held: 'release' });
  const next = kit.attach(group);
  await kit.settle();
  assert.deepEqual(next.values, ['a:0', 'a:1', 'a:2']);
});

test('a run that its consumer kept on leaving goes on after its deadline', async () => {
  const { kit, group } = await withMessages(['a:0', 'a:1', 'a:2'], { keyRunMax: 2, ackWaitMs: 1000 });
  await using _ = kit;
  const gone = kit.attach(group);
  await kit.settle();
  group.detach(gone);
  const next = kit.attach(group);
  await kit.settle();
  assert.deepEqual(next.values, []);
  group.ack(0, 0);
  await kit.settle();
  assert.deepEqual(next.values, [], 'a:1 is still with the consumer that left');
  await kit.advance(1000);
  assert.deepEqual(next.values, ['a:1', 'a:2']);
});

test('a consumer has at most keysPerConsumerMax keys, and gets more of those it has', async () => {
  const messages = ['a:0', 'b:0', 'c:0', 'a:1', 'c:1', 'b:1'];
  const { kit, group } = await withMessages(messages, { keyRunMax: 2, keysPerConsumerMax: 2 });
  await using _ = kit;
  const first = kit.attach(group);
  await kit.settle();
  assert.deepEqual(
    first.values,
    ['a:0', 'b:0', 'a:1', 'b:1'],
    'the group looks past the key that may not go',
  );
  const second = kit.attach(group);
  await kit.settle();
  assert.deepEqual(second.values, ['c:0', 'c:1']);
  await send(kit, 'd:0', 'e:0');
  assert.deepEqual(second.values.at(-1), 'd:0');
  ack(group, first, 'a:0', 'a:1');
  await kit.settle();
  assert.deepEqual(first.values.at(-1), 'e:0');
});

test('with keyConcurrency so many messages of a key are in flight, with any consumers', async () => {
  const messages = ['a:0', 'a:1', 'a:2', 'b:0', 'a:3'];
  const { kit, group } = await withMessages(messages, { keyConcurrency: 2 });
  await using _ = kit;
  const [first, second] = [kit.attach(group), kit.attach(group)];
  await kit.settle();
  assert.deepEqual([first.values, second.values], [['a:0', 'b:0'], ['a:1']]);
  group.nack(0, 0, 100);
  await kit.settle();
  assert.deepEqual(second.values, ['a:1', 'a:2'], 'a message that failed keeps no other back');
  await kit.advance(100);
  assert.deepEqual(first.values, ['a:0', 'b:0']);
  ack(group, second, 'a:1');
  await kit.settle();
  assert.deepEqual(first.values, ['a:0', 'b:0', 'a:0'], 'it goes before those that were never delivered');
});

test('limits of keys change while messages are out', async () => {
  const { kit, group } = await withMessages(['a:0', 'a:1', 'a:2', 'a:3'], {});
  await using _ = kit;
  const consumer = kit.attach(group);
  await kit.settle();
  assert.deepEqual(consumer.values, ['a:0']);
  await group.update({ ...group.config, keyRunMax: 2 });
  ack(group, consumer, 'a:0');
  await kit.settle();
  assert.deepEqual(consumer.values, ['a:0', 'a:1', 'a:2']);
  await group.update({ ...group.config, keyRunMax: 1 });
  ack(group, consumer, 'a:1');
  await kit.settle();
  assert.deepEqual(consumer.values, ['a:0', 'a:1', 'a:2']);
  ack(group, consumer, 'a:2');
  await kit.settle();
  assert.deepEqual(consumer.values.at(-1), 'a:3');
});

test('after a restart the keys of pending messages go on in order', async () => {
  const messages = ['a:0', 'a:1', 'b:0', 'a:2', 'a:3'];
  for (const redeliverAfterRestart of ['at-once', 'at-deadline'] as const) {
    const { kit, group } = await withMessages(messages, {
      keyRunMax: 2,
      ackWaitMs: 1000,
      redeliverAfterRestart,
    });
    await using _ = kit;
    kit.attach(group);
    await kit.settle();
    group.nack(0, 0, 5000);
    await kit.advance(50);
    await kit.restart();
    const again = kit.broker.topic('orders')!.groups.get('g')!;
    const consumer = kit.attach(again);
    await kit.advance(0);
    const atOnce = redeliverAfterRestart === 'at-once';
    assert.deepEqual(consumer.values, atOnce ? ['a:0', 'a:1', 'b:0'] : []);
    if (atOnce) continue;
    await kit.advance(5000);
    assert.deepEqual(consumer.values, ['b:0', 'a:0', 'a:1']);
  }
});

test('the cursor stops when heldMax messages are held', async () => {
  const { kit, group } = await withMessages(['a:0', 'a:1', 'a:2', 'a:3', 'b:0'], { heldMax: 2 });
  await using _ = kit;
  const consumer = kit.attach(group);
  await kit.settle();
  assert.deepEqual([consumer.values, group.info().cursor], [['a:0'], 3]);
  ack(group, consumer, 'a:0');
  await kit.settle();
  ack(group, consumer, 'a:1');
  await kit.settle();
  assert.deepEqual(consumer.values, ['a:0', 'a:1', 'a:2', 'b:0']);
});

test('a removed message leaves the line of its key', async () => {
  const { kit, group } = await withMessages(['a:0', 'a:1', 'a:2', 'a:3'], { keyRunMax: 2 });
  await using _ = kit;
  const consumer = kit.attach(group);
  await kit.settle();
  const topic = kit.broker.topic('orders')!;
  await topic.deleteMessage(topic.partitions.at(0)!, 2);
  ack(group, consumer, 'a:0', 'a:1');
  await kit.settle();
  assert.deepEqual(consumer.values, ['a:0', 'a:1', 'a:3']);
  ack(group, consumer, 'a:3');
  await kit.settle();
  assert.equal(kit.broker.budgets.used('ordered'), 0);
});

test('a rate per key spreads its deliveries, and no others', async () => {
  const messages = ['a:0', 'a:1', 'a:2', 'b:0', 'a:3'];
  const { kit, group } = await withMessages(messages, {
    keyConcurrency: 10,
    keyRate: { perSecond: 10, burst: 2 },
  });
  await using _ = kit;
  const consumer = kit.attach(group);
  await kit.settle();
  assert.deepEqual(consumer.values, ['a:0', 'a:1', 'b:0']);
  await kit.advance(99);
  assert.equal(consumer.values.length, 3);
  await kit.advance(1);
  assert.deepEqual(consumer.values.slice(3), ['a:2']);
  await kit.advance(100);
  assert.deepEqual(consumer.values.slice(3), ['a:2', 'a:3']);
  for (const { offset } of consumer.got) group.ack(0, offset);
  await kit.advance(1000);
  assert.equal(kit.broker.budgets.used('ordered'), 0, 'a key whose rate has recovered is forgotten');
});

test('at most once: what its rate kept back is not delivered again after a restart', async () => {
  for (const how of ['restart', 'crash'] as const) {
    const keyRate = { perSecond: 10, burst: 1 };
    const { kit, group } = await withMessages(['a:0', 'a:1', 'b:0'], { ack: 'none', keyRate });
    await using _ = kit;
    const consumer = kit.attach(group);
    await kit.settle();
    assert.deepEqual(consumer.values, ['a:0', 'b:0']);
    await kit.advance(100);
    assert.deepEqual(consumer.values, ['a:0', 'b:0', 'a:1']);
    await send(kit, 'b:1'); // its commit has the delivery
    await kit[how]();
    const again = kit.attach(kit.broker.topic('orders')!.groups.get('g')!);
    await kit.settle();
    assert.deepEqual(again.values, []);
  }
});

test('settings of keys are refused where they cannot hold', async () => {
  const { kit } = await withMessages([]);
  await using _ = kit;
  const topic = kit.broker.topic('orders')!;
  const refused: readonly [Partial<GroupOptions>, RegExp][] = [
    [{ ordering: 'none', keyRunMax: 2 }, /keyRunMax needs ordering: 'key'/],
    [{ ordering: 'key', keyRunMax: 0 }, /keyRunMax must be a whole number from 1/],
    [{ ordering: 'key', keyConcurrency: 2, keyRunMax: 2 }, /keyConcurrency above 1/],
    [{ ordering: 'key', keyRate: { perSecond: 0, burst: 1 } }, /keyRate needs perSecond/],
  ];
  for (const [options, message] of refused)
    await assert.rejects(topic.createGroup({ name: 'other', ...options }), {
      code: 'group-config-invalid',
      message,
    });
});
