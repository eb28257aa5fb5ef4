import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrokerEvent, GroupOptions, TopicOptions } from '../../../src/broker/index.ts';
import { TestBroker, text } from '../kit.ts';

/** A broker with a topic of `count` messages m0, m1, … and a group on it. */
async function withGroup(
  count: number,
  group: Partial<GroupOptions> = {},
  topic: Partial<TopicOptions> = {},
) {
  const kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders', ...topic });
  for (let i = 0; i < count; i++) void orders.send({ value: `m${i}` });
  await kit.settle();
  const billing = await orders.createGroup({ name: 'billing', ackWaitMs: 1000, ...group });
  return { kit, orders, billing };
}

test('a consumer gets messages in order, as far as its credit goes', async () => {
  const { kit, billing } = await withGroup(5);
  await using _ = kit;
  const consumer = kit.attach(billing, 3);
  await kit.settle();
  assert.deepEqual(consumer.values, ['m0', 'm1', 'm2']);
  assert.deepEqual(
    consumer.got.map(({ pending }) => pending),
    [4, 3, 2],
  );
  consumer.credit = 10;
  billing.wake();
  await kit.settle();
  assert.deepEqual(consumer.values, ['m0', 'm1', 'm2', 'm3', 'm4']);
});

test('nothing is delivered before it is durable', async () => {
  const { kit, orders, billing } = await withGroup(0);
  await using _ = kit;
  const consumer = kit.attach(billing);
  let published = false;
  const sent = orders.send({ value: 'x' }).then(() => {
    published = true;
  });
  await Promise.resolve();
  assert.deepEqual(consumer.values, []);
  assert.equal(published, false);
  await sent;
  await kit.settle();
  assert.deepEqual(consumer.values, ['x']);
});

test('two groups each get everything; two consumers of one group share', async () => {
  const { kit, orders, billing } = await withGroup(4);
  await using _ = kit;
  const shipping = await orders.createGroup({ name: 'shipping' });
  const whole = kit.attach(billing);
  const one = kit.attach(shipping);
  const other = kit.attach(shipping);
  await kit.settle();
  assert.deepEqual(whole.values, ['m0', 'm1', 'm2', 'm3']);
  assert.deepEqual(
    [one.values, other.values],
    [
      ['m0', 'm2'],
      ['m1', 'm3'],
    ],
  );
});

test('only a delivery takes a turn: the first consumer to ask is served first', async () => {
  const { kit, orders, billing } = await withGroup(0);
  await using _ = kit;
  const [first, second] = [kit.attach(billing), kit.attach(billing)];
  await kit.settle();
  for (const value of ['a', 'b', 'c']) {
    await orders.send({ value });
    await kit.settle();
  }
  assert.deepEqual([first.values, second.values], [['a', 'c'], ['b']]);
});

test('a nacked message goes out again before new ones, at once or after its delay', async () => {
  const { kit, billing } = await withGroup(3);
  await using _ = kit;
  const consumer = kit.attach(billing, 2);
  await kit.settle();
  assert.equal(billing.nack(0, 0), true);
  assert.equal(billing.nack(0, 1, 500), true);
  consumer.credit = 2;
  billing.wake();
  await kit.settle();
  assert.deepEqual(consumer.values, ['m0', 'm1', 'm0', 'm2']);
  assert.equal(consumer.got[2]!.deliveries, 2);
  consumer.credit = 1;
  await kit.advance(499);
  assert.equal(consumer.got.length, 4);
  await kit.advance(1);
  assert.equal(consumer.values[4], 'm1');
});

test('a message that is not acked in time comes back, and extend gives it more time', async () => {
  const { kit, billing } = await withGroup(2);
  await using _ = kit;
  const consumer = kit.attach(billing);
  await kit.settle();
  await kit.advance(900);
  assert.equal(billing.extend(0, 1), true);
  await kit.advance(100);
  assert.deepEqual(consumer.values, ['m0', 'm1', 'm0']);
  await kit.advance(900);
  assert.deepEqual(consumer.values, ['m0', 'm1', 'm0', 'm1']);
});

test('an acked message is done: not again after its deadline, not again after a restart', async () => {
  const { kit, billing } = await withGroup(3);
  await using _ = kit;
  kit.attach(billing);
  await kit.settle();
  assert.equal(billing.ack(0, 0), true);
  assert.equal(billing.ack(0, 2), true);
  assert.equal(billing.ack(0, 2), false);
  await kit.restart();
  const again = kit.broker.topic('orders')!.groups.get('billing')!;
  const consumer = kit.attach(again);
  await kit.settle();
  assert.deepEqual(consumer.values, ['m1']);
  assert.equal(consumer.got[0]!.deliveries, 2);
  again.ack(0, 1);
  const { ackFloor, inFlight, lag } = again.info();
  assert.deepEqual({ ackFloor, inFlight, lag }, { ackFloor: 3, inFlight: 0, lag: 0 });
});

test('ackAll covers earlier deliveries', async () => {
  const { kit, billing } = await withGroup(4, { ack: 'all' });
  await using _ = kit;
  kit.attach(billing, 3);
  await kit.settle();
  assert.equal(billing.ackAll(0, 1), true);
  const { ackFloor, inFlight } = billing.info();
  assert.deepEqual({ ackFloor, inFlight }, { ackFloor: 2, inFlight: 1 });
});

test('ackAll covers no later delivery, also if the room it makes pushes its message out', async () => {
  const limits = { retention: 'queue', messagesPerKeyMax: 1, messagesMax: 3, overflow: 'wait' } as const;
  await using kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders', ...limits });
  const billing = await orders.createGroup({ name: 'billing', ack: 'all' });
  for (const key of ['a', 'b', 'c']) await orders.send({ key, value: key });
  kit.attach(billing, 3);
  await kit.settle();
  // The second one waits behind the first, and then pushes out the message of its key.
  const waiting = ['d', 'b'].map((key) => orders.send({ key, value: 'late' }));
  await kit.settle();
  assert.equal(billing.ackAll(0, 1), true);
  await Promise.all(waiting);
  assert.ok(billing.ack(0, 2), 'the third message is still out');
});

test('a group with ack none is done when it delivers, and keeps its place over a restart', async () => {
  const { kit, billing } = await withGroup(3, { ack: 'none' });
  await using _ = kit;
  const consumer = kit.attach(billing, 2);
  await kit.advance(5000);
  assert.deepEqual(consumer.values, ['m0', 'm1']);
  assert.equal(billing.info().inFlight, 0);
  await kit.restart();
  const after = kit.attach(kit.broker.topic('orders')!.groups.get('billing')!);
  await kit.settle();
  assert.deepEqual(after.values, ['m2']);
});

test('no more than maxInFlight are under way', async () => {
  const { kit, billing } = await withGroup(5, { maxInFlight: 2 });
  await using _ = kit;
  const consumer = kit.attach(billing);
  await kit.settle();
  assert.deepEqual(consumer.values, ['m0', 'm1']);
  billing.ack(0, 1);
  await kit.settle();
  assert.deepEqual(consumer.values, ['m0', 'm1', 'm2']);
  billing.nack(0, 0, 10_000);
  await kit.settle();
  assert.deepEqual(consumer.values, ['m0', 'm1', 'm2']);
});

test('backoff sets the wait after each failure, the last step repeating', async () => {
  const { kit, billing } = await withGroup(1, { backoffMs: [100, 300] });
  await using _ = kit;
  const consumer = kit.attach(billing);
  await kit.settle();
  for (const waitMs of [100, 300, 300]) {
    const before = consumer.got.length;
    billing.nack(0, 0);
    await kit.advance(waitMs - 1);
    assert.equal(consumer.got.length, before);
    await kit.advance(1);
    assert.equal(consumer.got.length, before + 1);
  }
});

test('a message on its way to the dead letters takes no ack any more', async () => {
  const { kit, billing } = await withGroup(2, { maxDeliver: 1, deadLetter: 'dead' });
  await using _ = kit;
  kit.attach(billing);
  await kit.settle();
  billing.nack(0, 1);
  assert.equal(billing.ack(0, 1), false);
  assert.equal(billing.ackAll(0, 1), false);
  await kit.settle();
  assert.equal(kit.broker.topic('dead')!.partitions.at(0)!.count, 1);
  assert.equal(billing.ackAll(0, 0), true);
});

test('after maxDeliver failures a message is copied to the dead-letter topic, with where it came from and why', async () => {
  const { kit, orders, billing } = await withGroup(2, { maxDeliver: 3, deadLetter: 'orders-billing-dlq' });
  await using _ = kit;
  const events: string[] = [];
  kit.broker.events.subscribe((event: BrokerEvent) => events.push(event.kind));
  const consumer = kit.attach(billing);
  consumer.answer = ({ offset }) => (offset === 0 ? billing.nack(0, 0) : billing.ack(0, offset));
  await kit.settle();
  await kit.settle();
  assert.deepEqual(consumer.offsets.filter((offset) => offset === 0).length, 3);
  const letters = kit.broker.topic('orders-billing-dlq')!;
  assert.equal(letters.count, 1);
  const letter = (await letters.partitions.at(0)!.get(0))!;
  assert.equal(text(letter.value), 'm0');
  const headers = Object.fromEntries(letter.headers.map(({ name, value }) => [name, text(value)]));
  assert.equal(headers['Pillarbox-Dead-Letter-Topic'], 'orders');
  assert.equal(headers['Pillarbox-Dead-Letter-Group'], 'billing');
  assert.equal(headers['Pillarbox-Dead-Letter-Offset'], '0');
  assert.equal(headers['Pillarbox-Dead-Letter-Cause'], 'max-deliveries');
  assert.equal(headers['Pillarbox-Dead-Letter-Deliveries'], '3');
  assert.equal(orders.count, 2, 'a log-like topic keeps its copy');
  assert.equal(billing.info().inFlight, 0);
  assert.deepEqual(
    events.filter((kind) => kind !== 'nacked'),
    ['max-deliveries', 'topic-created', 'dead-lettered'],
  );
});

test('the reason of the last nack is in the cause of the dead letter', async () => {
  const { kit, billing } = await withGroup(4, { maxDeliver: 2, deadLetter: 'dead', backoffMs: [] });
  await using _ = kit;
  const reasons: unknown[] = [];
  kit.broker.events.subscribe((event) => {
    if (event.kind === 'nacked') reasons.push(event.reason);
  });
  const consumer = kit.attach(billing);
  await kit.settle();
  const long = `${'é'.repeat(198)}\u{1f600}${'x'.repeat(1000)}`;
  for (const [offset, reason] of ['first', 'first', 'first'].entries()) billing.nack(0, offset, 0, reason);
  billing.nack(0, 3);
  await kit.settle();
  assert.equal(consumer.got.length, 8);
  billing.nack(0, 0, 0, 'second');
  billing.nack(0, 1, 0, long);
  billing.nack(0, 3);
  await kit.advance(2000); // offset 2: no answer
  const letters = kit.broker.topic('dead')!.partitions.at(0)!;
  const causes: string[] = [];
  for await (const { headers } of letters.scan(0))
    causes.push(text(headers.find(({ name }) => name === 'Pillarbox-Dead-Letter-Cause')!.value));
  assert.deepEqual(causes, [
    'max-deliveries: second',
    `max-deliveries: ${'é'.repeat(198)}…`,
    'max-deliveries',
    'max-deliveries',
  ]);
  assert.deepEqual(reasons, [
    'first',
    'first',
    'first',
    undefined,
    'second',
    `${'é'.repeat(198)}…`,
    undefined,
  ]);
});

test('a dead letter leaves a queue-like topic, and redrive brings it back', async () => {
  const { kit, orders, billing } = await withGroup(
    1,
    { maxDeliver: 1, deadLetter: 'dead' },
    { retention: 'queue' },
  );
  await using _ = kit;
  const consumer = kit.attach(billing);
  await kit.settle();
  billing.reject(0, 0, 'no such customer');
  await kit.settle();
  assert.equal(orders.count, 0);
  const letters = kit.broker.topic('dead')!;
  assert.equal(letters.count, 1);
  assert.deepEqual(await kit.broker.redrive(letters), { moved: 1, stayed: [] });
  await kit.settle();
  assert.equal(letters.count, 0);
  assert.deepEqual(consumer.values, ['m0', 'm0']);
  assert.equal(consumer.got[1]!.deliveries, 1);
  await kit.restart();
  assert.equal(kit.broker.topic('dead')!.count, 0);
  assert.equal(kit.broker.topic('orders')!.count, 1);
});

test('a restart costs no extra delivery: the last one may still be answered, else the message is given up', async () => {
  const { kit, billing } = await withGroup(2, { maxDeliver: 1, deadLetter: 'dead' });
  await using _ = kit;
  kit.attach(billing);
  await kit.settle();
  await kit.restart();
  const again = kit.broker.topic('orders')!.groups.get('billing')!;
  const consumer = kit.attach(again);
  await kit.settle();
  assert.equal(again.ack(0, 0), true);
  await kit.advance(1000);
  await kit.settle();
  assert.deepEqual(consumer.values, []);
  assert.equal(kit.broker.topic('dead')!.count, 1);
  assert.equal(again.info().inFlight, 0);
});

test('a group keeps its ordering, ack policy and durability', async () => {
  const { kit, billing } = await withGroup(0);
  await using _ = kit;
  for (const change of [{ ordering: 'key' }, { ack: 'none' }, { durable: false }] as const) {
    await assert.rejects(billing.update({ ...billing.config, ...change }), { code: 'group-config-invalid' });
  }
  await billing.update({ ...billing.config, ackWaitMs: 5 });
});

test('new filters count the messages to be delivered anew', async () => {
  const kit = await TestBroker.open();
  await using _ = kit;
  const topic = await kit.broker.createTopic({ name: 'events' });
  for (const key of ['a', 'b', 'a', 'b', 'b']) void topic.send({ key, value: key });
  await kit.settle();
  const group = await topic.createGroup({ name: 'g', filters: ['a'] });
  assert.equal(group.info().lag, 2);
  await group.update({ ...group.config, filters: ['b'] });
  assert.equal(group.info().lag, 3);
  await kit.restart();
  const again = kit.broker.topic('events')!.groups.get('g')!;
  assert.equal(again.info().lag, 3);
  const consumer = kit.attach(again);
  await kit.settle();
  assert.deepEqual(consumer.offsets, [1, 3, 4]);
});

test('without a dead-letter topic a rejected message leaves the queue, one that failed too often stays', async () => {
  const { kit, orders, billing } = await withGroup(2, { maxDeliver: 1 }, { retention: 'queue' });
  await using _ = kit;
  const consumer = kit.attach(billing);
  await kit.settle();
  billing.reject(0, 0, '');
  billing.nack(0, 1);
  await kit.settle();
  assert.deepEqual([orders.count, orders.partitions.at(0)!.firstOffset], [1, 1]);
  await kit.advance(60_000);
  assert.deepEqual(consumer.values, ['m0', 'm1']);
});

test('a filtered group gets the keys it asked for, and counts only those', async () => {
  const kit = await TestBroker.open();
  await using _ = kit;
  const topic = await kit.broker.createTopic({ name: 'events', keyState: true });
  for (const key of ['eu.a', 'us.a', 'eu.b', 'us.b', 'eu.a']) void topic.send({ key, value: key });
  await kit.settle();
  const group = await topic.createGroup({ name: 'eu', filters: ['eu.*'] });
  assert.equal(group.info().lag, 3);
  const consumer = kit.attach(group, 2);
  await kit.settle();
  assert.deepEqual(consumer.offsets, [0, 2]);
  assert.equal(group.info().lag, 1);
  void topic.send({ key: 'us.c', value: 'x' });
  void topic.send({ key: 'eu.c', value: 'y' });
  await kit.settle();
  assert.equal(group.info().lag, 2);
  await kit.restart();
  const again = kit.broker.topic('events')!.groups.get('eu')!;
  assert.equal(again.info().lag, 2);
  const after = kit.attach(again);
  await kit.settle();
  assert.deepEqual(after.offsets, [0, 2, 4, 6]);
  assert.equal(again.info().lag, 0);
});

test('start positions: new, last, last per key, offset, time', async () => {
  const kit = await TestBroker.open();
  await using _ = kit;
  const topic = await kit.broker.createTopic({ name: 'events', keyState: true });
  for (const [i, key] of ['a', 'b', 'a', 'c', 'b'].entries()) {
    void topic.send({ key, value: `${key}${i}` });
    await kit.advance(1000);
  }
  const starts: [string, Partial<GroupOptions>, number[]][] = [
    ['new', { start: { kind: 'new' } }, []],
    ['last', { start: { kind: 'last' } }, [4]],
    ['last-of-a', { start: { kind: 'last' }, filters: ['a'] }, [2]],
    ['last-per-key', { start: { kind: 'last-per-key' } }, [2, 3, 4]],
    ['offset', { start: { kind: 'offset', offset: 3 } }, [3, 4]],
    ['time', { start: { kind: 'time', timestampMs: 1_700_000_000_000 + 1500 } }, [2, 3, 4]],
  ];
  for (const [name, options, expected] of starts) {
    const group = await topic.createGroup({ name, ...options });
    assert.equal(group.info().lag, expected.length, name);
    const consumer = kit.attach(group);
    await kit.settle();
    assert.deepEqual(consumer.offsets, expected, name);
  }
  void topic.send({ key: 'a', value: 'a5' });
  await kit.settle();
  for (const name of ['new', 'last', 'last-of-a', 'last-per-key', 'offset', 'time']) {
    assert.equal(topic.groups.get(name)!.info().cursor, 6, name);
  }
});

test('with order per key a key has one message under way, other keys go on', async () => {
  const kit = await TestBroker.open();
  await using _ = kit;
  const topic = await kit.broker.createTopic({ name: 'events' });
  for (const [i, key] of ['a', 'a', 'b', 'a', 'b'].entries()) void topic.send({ key, value: `${key}${i}` });
  await kit.settle();
  const group = await topic.createGroup({ name: 'g', ordering: 'key' });
  const consumer = kit.attach(group);
  await kit.settle();
  assert.deepEqual(consumer.values, ['a0', 'b2']);
  group.nack(0, 0, 100);
  await kit.settle();
  assert.deepEqual(consumer.values, ['a0', 'b2'], 'a failed message holds its key');
  group.ack(0, 2);
  await kit.settle();
  assert.deepEqual(consumer.values, ['a0', 'b2', 'b4']);
  await kit.advance(100);
  assert.deepEqual(consumer.values, ['a0', 'b2', 'b4', 'a0']);
  group.ack(0, 0);
  await kit.settle();
  assert.deepEqual(consumer.values.at(-1), 'a1');
  await kit.restart();
  const after = kit.attach(kit.broker.topic('events')!.groups.get('g')!);
  await kit.settle();
  assert.deepEqual(after.values, ['a1', 'b4'], 'the order per key outlives a restart');
});

test('a paused group holds deliveries back until resumed, or until its time', async () => {
  const { kit, billing } = await withGroup(1);
  await using _ = kit;
  await billing.pause(kit.clock.now() + 500);
  const consumer = kit.attach(billing);
  await kit.settle();
  assert.equal(billing.info().paused, true);
  assert.deepEqual(consumer.values, []);
  await kit.advance(500);
  assert.deepEqual(consumer.values, ['m0']);
  await billing.pause();
  billing.nack(0, 0);
  await kit.settle();
  assert.deepEqual(consumer.values, ['m0']);
  await billing.resume();
  await kit.settle();
  assert.deepEqual(consumer.values, ['m0', 'm0']);
});

test('a message too large for a consumer is refused to it and goes to another', async () => {
  const { kit, billing } = await withGroup(1);
  await using _ = kit;
  const small = kit.attach(billing);
  small.creditBytes = 1;
  await kit.settle();
  assert.deepEqual([small.values, small.refusals], [[], [2]]);
  const large = kit.attach(billing);
  await kit.settle();
  assert.deepEqual(large.values, ['m0']);
});

test('a group without consumers goes after inactiveMs', async () => {
  const { kit, orders, billing } = await withGroup(1, { inactiveMs: 1000, durable: false });
  await using _ = kit;
  const consumer = kit.attach(billing);
  await kit.advance(2000);
  assert.equal(orders.groups.has('billing'), true);
  billing.detach(consumer);
  await kit.advance(999);
  assert.equal(orders.groups.has('billing'), true);
  await kit.advance(1);
  assert.equal(orders.groups.has('billing'), false);
});

test('reset starts over from another position, and forgets pending messages', async () => {
  const { kit, billing } = await withGroup(3);
  await using _ = kit;
  const consumer = kit.attach(billing);
  await kit.settle();
  await billing.reset({ kind: 'offset', offset: 1 });
  await kit.settle();
  assert.deepEqual(consumer.values, ['m0', 'm1', 'm2', 'm1', 'm2']);
  billing.ack(0, 1);
  await kit.restart();
  const after = kit.attach(kit.broker.topic('orders')!.groups.get('billing')!);
  await kit.settle();
  assert.deepEqual(after.values, ['m2']);
});

test('resets that are asked for together are made one after the other, with no deliveries in between', async () => {
  const { kit, orders, billing } = await withGroup(0, { filters: ['even'] });
  await using _ = kit;
  for (let i = 0; i < 6; i++) void orders.send({ key: i % 2 === 0 ? 'even' : 'odd', value: `m${i}` });
  await kit.settle();
  const consumer = kit.attach(billing, 100);
  await kit.settle();
  consumer.got.length = 0;
  const resets = [
    billing.reset({ kind: 'all' }),
    billing.reset({ kind: 'offset', offset: 1 }),
    billing.reset({ kind: 'last' }),
  ];
  await resets[0];
  assert.equal(consumer.got.length, 0);
  await Promise.all(resets);
  await kit.settle();
  assert.deepEqual(consumer.values, ['m4']);
  billing.detach(consumer);
  await Promise.all([billing.reset({ kind: 'all' }), billing.reset({ kind: 'all' })]);
  assert.equal(billing.lag, 3);
});

test('deleting a group or its topic tells its consumers', async () => {
  const { kit, orders, billing } = await withGroup(1);
  await using _ = kit;
  const shipping = await orders.createGroup({ name: 'shipping' });
  const [one, other] = [kit.attach(billing), kit.attach(shipping)];
  await billing.delete();
  assert.equal(one.endedBy, 'group-deleted');
  await orders.delete();
  assert.equal(other.endedBy, 'topic-deleted');
  await kit.restart();
  assert.equal(kit.broker.topic('orders'), undefined);
});
