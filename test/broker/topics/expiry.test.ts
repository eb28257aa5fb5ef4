import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordOf, type Topic } from '../../../src/broker/index.ts';
import { eventually } from '../../support/index.ts';
import { TestBroker, TestConsumer, text } from '../kit.ts';

async function valuesOf(topic: Topic): Promise<string[]> {
  const values: string[] = [];
  for await (const { value } of topic.partitions.at(0)!.scan(0)) values.push(text(value));
  return values;
}

/** Moves the clock on, and waits for all that becomes due. */
async function pass(kit: TestBroker, ms: number): Promise<void> {
  kit.clock.advance(ms);
  await kit.settle();
}

test('a message expires at its time, wherever it stands, and is counted', async () => {
  await using kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders' });
  await orders.send({ value: 'long' }, { ttlMs: 10_000 });
  await orders.send({ value: 'short' }, { ttlMs: 1000 });
  await orders.send({ value: 'for ever' });
  await pass(kit, 999);
  assert.deepEqual(await valuesOf(orders), ['long', 'short', 'for ever']);
  await pass(kit, 1);
  assert.deepEqual(await valuesOf(orders), ['long', 'for ever']);
  await pass(kit, 9000);
  assert.deepEqual(await valuesOf(orders), ['for ever']);
  assert.equal(orders.stats().left.expired, 2);
  assert.equal(kit.broker.budgets.used('expiring'), 0);
});

test('a time to live begins when the message enters its topic, not while its publish waits for room', async () => {
  await using kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders', messagesMax: 1, overflow: 'wait' });
  await orders.send({ value: 'first' }, { ttlMs: 5000 });
  const waiting = orders.send({ value: 'waited' }, { ttlMs: 1000 });
  await pass(kit, 4999);
  assert.deepEqual(await valuesOf(orders), ['first']);
  await pass(kit, 1);
  await waiting;
  await pass(kit, 999);
  assert.deepEqual(await valuesOf(orders), ['waited']);
  await pass(kit, 1);
  assert.deepEqual(await valuesOf(orders), []);
});

for (const checkpoint of [false, true]) {
  const from = checkpoint ? 'a checkpoint' : 'the journal';

  test(`times to live survive a restart, from ${from}, and time without a broker counts`, async () => {
    await using kit = await TestBroker.open();
    const orders = await kit.broker.createTopic({ name: 'orders', partitions: 2 });
    await orders.send({ value: 'short' }, { ttlMs: 1000, partition: 0 });
    await orders.send({ value: 'middle' }, { ttlMs: 5000, partition: 0 });
    await orders.send({ value: 'long' }, { ttlMs: 60_000, partition: 0 });
    await orders.send({ value: 'late' }, { ttlMs: 1000, partition: 0, deliverAtMs: kit.clock.now() + 6000 });
    await pass(kit, 2000);
    if (checkpoint) await kit.broker.checkpoint();
    const { files } = kit;
    await kit.broker.close();
    kit.files = checkpoint ? files : files.copy();
    kit.clock.advance(3500);
    await kit.start();
    const again = kit.broker.topic('orders')!;
    assert.deepEqual(await valuesOf(again), ['long']);
    assert.equal(kit.broker.budgets.used('expiring'), 1);
    await pass(kit, 500);
    await eventually(async () => (await valuesOf(again)).join() === 'long,late');
    await pass(kit, 999);
    assert.deepEqual(await valuesOf(again), ['long', 'late']);
    await pass(kit, 1);
    assert.deepEqual(await valuesOf(again), ['long']);
  });
}

test('after a crash no message comes back, and those that were due are gone before clients come', async () => {
  await using kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders' });
  for (let i = 0; i < 10; i++) await orders.send({ value: `m${i}` }, { ttlMs: (i + 1) * 1000 });
  await pass(kit, 4000);
  kit.clock.advance(3000);
  await kit.crash();
  assert.deepEqual(await valuesOf(kit.broker.topic('orders')!), ['m7', 'm8', 'm9']);
});

test('no expired message is delivered, also when they expire together with the wake of the group', async () => {
  await using kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders' });
  const group = await orders.createGroup({ name: 'g' });
  for (let i = 0; i < 10_000; i++)
    void orders.send({ value: `m${i}` }, i % 100 === 99 ? undefined : { ttlMs: 1000 });
  await kit.settle();
  const consumer = new TestConsumer();
  // The timers of the same time come later.
  kit.clock.setTimer(1000, () => group.attach(consumer));
  kit.clock.advance(1000);
  await eventually(() => consumer.got.length === 100);
  await kit.settle();
  assert.ok(consumer.got.every(({ offset }) => offset % 100 === 99));
  assert.equal(orders.count, 100);
});

test('a million messages that are due together are taken out in slices', async () => {
  await using kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders', durability: 'memory' });
  const count = 1_000_000;
  const record = recordOf({ value: 'x' });
  const listener = { published: () => {}, refused: (_: unknown, error: Error) => assert.fail(error) };
  for (let i = 0; i < count; i++) {
    orders.publish(record, { ttlMs: 1000 }, listener, undefined);
    if (i % 50_000 === 0) await kit.settle();
  }
  await kit.settle();
  assert.equal(orders.count, count);
  let turns = 0;
  let most = 0;
  kit.clock.advance(1000);
  for (let before = orders.count; before > 0; turns++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    most = Math.max(most, before - orders.count);
    before = orders.count;
  }
  assert.ok(most <= 4096, `${most} in one turn`);
  assert.ok(turns >= count / 4096 && turns <= count / 500, `${turns} turns`);
  assert.equal(orders.stats().left.expired, count);
});

test('in a queue a message that a consumer holds is left to it: an ack counts, a failure expires it', async () => {
  await using kit = await TestBroker.open();
  const { topic, group } = await kit.broker.defineQueue({ name: 'jobs' });
  const consumer = new TestConsumer();
  group.attach(consumer);
  for (const value of ['a', 'b', 'c', 'd']) await topic.send({ value }, { ttlMs: 1000 });
  await kit.settle();
  assert.deepEqual(consumer.values, ['a', 'b', 'c', 'd']);
  await pass(kit, 1000);
  assert.equal(topic.count, 4);
  assert.equal(group.ack(0, 0), true);
  assert.equal(group.nack(0, 1), true);
  assert.equal(group.giveBack(0, 2), true);
  await pass(kit, 30_000); // the deadline of the last one
  assert.equal(topic.count, 0);
  assert.equal(topic.stats().left.expired, 3);
  assert.equal(consumer.got.length, 4);
});

test('in a queue with two groups a message held by one is not delivered by the other any more', async () => {
  await using kit = await TestBroker.open();
  const jobs = await kit.broker.createTopic({ name: 'jobs', retention: 'queue' });
  const [holder, other] = [await jobs.createGroup({ name: 'a' }), await jobs.createGroup({ name: 'b' })];
  const [first, second] = [new TestConsumer(), new TestConsumer()];
  holder.attach(first);
  for (const value of ['x', 'y']) await jobs.send({ value }, { ttlMs: 1000 });
  await jobs.send({ value: 'z' });
  await kit.settle();
  await pass(kit, 1000);
  other.attach(second);
  await kit.settle();
  assert.deepEqual(second.values, ['z']);
  assert.equal(jobs.count, 3);
  holder.ack(0, 0);
  await holder.delete();
  await kit.settle();
  assert.equal(jobs.count, 1);
});

test('in a log a message that a consumer holds goes, and a later answer settles nothing', async () => {
  await using kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders' });
  const group = await orders.createGroup({ name: 'g' });
  group.attach(new TestConsumer());
  await orders.send({ value: 'a' }, { ttlMs: 1000 });
  await kit.settle();
  await pass(kit, 1000);
  assert.equal(orders.count, 0);
  assert.equal(group.ack(0, 0), false);
});

test('expired messages become dead letters where the policy of the topic says so', async () => {
  await using kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders', deadLetter: { causes: ['expired'] } });
  const group = await orders.createGroup({ name: 'g' });
  for (let i = 0; i < 1000; i++)
    void orders.send({ value: `m${i}` }, i % 2 === 0 ? { ttlMs: 1000 } : undefined);
  await kit.settle();
  kit.clock.advance(1000);
  const consumer = new TestConsumer();
  group.attach(consumer);
  await eventually(() => consumer.got.length === 500);
  assert.ok(consumer.got.every(({ offset }) => offset % 2 === 1));
  const letters = kit.broker.topic('orders-dlq')!;
  assert.equal(letters.count, 500);
  const letter = await letters.partitions.at(0)!.get(0);
  const causes = letter!.headers.filter(({ name }) => name === 'Pillarbox-Dead-Letter-Cause');
  assert.equal(text(causes[0]!.value), 'expired: ttlMs');
});

test('the entries of messages that are gone do not stay in memory', async () => {
  await using kit = await TestBroker.open();
  const { topic, group } = await kit.broker.defineQueue({ name: 'jobs' });
  const consumer = new TestConsumer();
  consumer.answer = ({ offset }) => group.ack(0, offset);
  group.attach(consumer);
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 1000; i++) void topic.send({ value: 'x' }, { ttlMs: 86_400_000 });
    await eventually(async () => {
      await kit.settle();
      return topic.count === 0;
    });
  }
  assert.ok(topic.expiry.size < 4000, `${topic.expiry.size} entries`);
  await topic.delete();
  assert.equal(kit.broker.budgets.used('expiring'), 0);
});

test('the budget refuses a publish with a time to live, and no other', async () => {
  await using kit = await TestBroker.open({ budgets: { expiring: 2 } });
  const orders = await kit.broker.createTopic({ name: 'orders' });
  await orders.send({ value: 'a' }, { ttlMs: 1000 });
  await orders.send({ value: 'b' }, { ttlMs: 1000 });
  await assert.rejects(orders.send({ value: 'c' }, { ttlMs: 1000 }), /raise expiring-max/);
  await orders.send({ value: 'd' });
  await pass(kit, 1000);
  await orders.send({ value: 'c' }, { ttlMs: 1000 });
});

test('a clock set forward expires nothing', async () => {
  await using kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders' });
  await orders.send({ value: 'a' }, { ttlMs: 10_000 });
  kit.clock.jump(3_600_000);
  await pass(kit, 9_999);
  assert.equal(orders.count, 1);
  await pass(kit, 1);
  assert.equal(orders.count, 0);
});

test('a message without an age limit outlives the others, after a restart too', async () => {
  await using kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders', ageMsMax: 1000 });
  await orders.send({ value: 'a' });
  await orders.send({ value: 'kept' }, { ttlMs: Infinity });
  await orders.send({ value: 'b' });
  await orders.send({ value: 'late' }, { ttlMs: Infinity, deliverAtMs: kit.clock.now() + 500 });
  await pass(kit, 1000);
  await eventually(async () => (await valuesOf(orders)).join() === 'kept,late');
  await orders.send({ value: 'c' });
  for (const checkpoint of [true, false]) {
    if (checkpoint) await kit.broker.checkpoint();
    await kit.crash();
    assert.deepEqual(await valuesOf(kit.broker.topic('orders')!), ['kept', 'late', 'c']);
  }
  await pass(kit, 1000);
  const again = kit.broker.topic('orders')!;
  await eventually(async () => (await valuesOf(again)).join() === 'kept,late');
  assert.equal(kit.clock.timerCount < 20, true);
  await again.partitions.at(0)!.purge();
  assert.equal(again.expiry.isUsed, false);
});

test('ages count from the arrival, whatever the timestamps say, or from the timestamps', async () => {
  await using kit = await TestBroker.open();
  const names = ['arrival', 'timestamp'] as const;
  const [byArrival, byTimestamp] = await Promise.all(
    names.map((name) =>
      kit.broker.createTopic({
        name,
        ageMsMax: 60_000,
        ...(name === 'timestamp' ? { ageFrom: 'timestamp' } : {}),
      }),
    ),
  );
  const nowMs = kit.clock.now();
  for (const topic of [byArrival!, byTimestamp!]) {
    await topic.send({ value: 'old', timestampMs: nowMs - 100_000 });
    await topic.send({ value: 'young', timestampMs: nowMs + 100_000 });
    await topic.send({ value: 'plain' });
  }
  await pass(kit, 10);
  await eventually(async () => (await valuesOf(byTimestamp!)).join() === 'young,plain');
  assert.deepEqual(await valuesOf(byArrival!), ['old', 'young', 'plain']);
  await kit.crash();
  await pass(kit, 59_000);
  assert.equal(kit.broker.topic('arrival')!.count, 3);
  await pass(kit, 2000);
  await eventually(() => kit.broker.topic('arrival')!.count === 0);
  assert.equal(kit.broker.topic('timestamp')!.count, 2);
});

test('the last message of a key leaves a marker, which expires without another', async () => {
  await using kit = await TestBroker.open();
  const headers = [['Marker', 'expired']] as const;
  const kv = await kit.broker.createTopic({
    name: 'kv',
    keyState: true,
    ageMsMax: 60_000,
    expiryMarker: { ttlMs: 5000, headers },
  });
  await kv.send({ key: 'a', value: '1' }, { ttlMs: 1000 });
  await kv.send({ key: 'b', value: '1' }, { ttlMs: 1000 });
  await kv.send({ key: 'b', value: '2' });
  await pass(kit, 1000);
  await eventually(async () => {
    await kit.settle();
    return (await valuesOf(kv)).join() === '2,';
  });
  const marker = await kv.partitions.at(0)!.get(3);
  assert.deepEqual([text(marker!.key), marker!.headers[0]!.name], ['a', 'Marker']);
  await pass(kit, 5000);
  await eventually(async () => (await valuesOf(kv)).join() === '2');
  await pass(kit, 60_000);
  await eventually(async () => {
    await kit.settle();
    return kv.partitions.at(0)!.nextOffset === 5 && kv.count === 1; // the age of "b" leaves one, too
  });
});

test('messages that expire at a start wait for the dead-letter route that comes after it', async () => {
  await using kit = await TestBroker.open();
  const deadLetter = { causes: ['expired'], to: { route: 'mail' } } as const;
  const orders = await kit.broker.createTopic({ name: 'orders', deadLetter });
  await kit.broker.createTopic({ name: 'letters' });
  await orders.send({ value: 'short' }, { ttlMs: 1000 });
  await kit.broker.close();
  kit.clock.advance(2000);
  await kit.start();
  const again = kit.broker.topic('orders')!;
  const letters = kit.broker.topic('letters')!;
  await pass(kit, 1000);
  assert.deepEqual([again.stats().deadLettersLost, letters.count], [0, 0]);
  kit.broker.addDeadLetterRoute('mail', () => [letters]);
  await pass(kit, 1000);
  assert.deepEqual([again.count, letters.count], [0, 1]);
});

test('a message given back past its time is a dead letter in spite of a crash before that', async () => {
  await using kit = await TestBroker.open();
  const deadLetter = { causes: ['expired'], to: { route: 'mail' } } as const;
  const { topic, group } = await kit.broker.defineQueue({ name: 'jobs', deadLetter });
  await kit.broker.createTopic({ name: 'letters' });
  const consumer = new TestConsumer(2);
  group.attach(consumer);
  await topic.send({ value: 'short' }, { ttlMs: 1000 });
  await kit.settle();
  assert.deepEqual(consumer.values, ['short']);
  await pass(kit, 1000);
  group.nack(0, 0); // it waits for the route now
  await topic.send({ value: 'other' });
  await kit.settle();
  assert.deepEqual(consumer.values, ['short', 'other']);
  await topic.send({ value: 'last' });
  await kit.crash();
  const letters = kit.broker.topic('letters')!;
  kit.broker.addDeadLetterRoute('mail', () => [letters]);
  await pass(kit, 1000);
  assert.deepEqual([kit.broker.topic('jobs')!.count, letters.count], [2, 1]);
});

test('a message passed over past its time is a dead letter, whoever looks through the topic before', async () => {
  await using kit = await TestBroker.open();
  const deadLetter = { causes: ['expired'], to: { route: 'mail' } } as const;
  const { topic, group } = await kit.broker.defineQueue({ name: 'jobs', deadLetter });
  await topic.createGroup({ name: 'audit' });
  await kit.broker.createTopic({ name: 'letters' });
  const auditor = new TestConsumer(1);
  topic.groups.get('audit')!.attach(auditor);
  await topic.send({ value: 'short' }, { ttlMs: 1000 });
  await topic.send({ value: 'other' });
  await kit.settle();
  topic.groups.get('audit')!.ack(0, 0); // the other group still wants it
  await pass(kit, 1000); // it waits for the route now
  const consumer = new TestConsumer(1);
  group.attach(consumer);
  await kit.settle();
  assert.deepEqual([auditor.values, consumer.values], [['short'], ['other']]);
  await topic.send({ value: 'last' });
  await kit.crash();
  await pass(kit, 1000);
  const letters = kit.broker.topic('letters')!;
  kit.broker.addDeadLetterRoute('mail', () => [letters]);
  await pass(kit, 1000);
  assert.deepEqual([kit.broker.topic('jobs')!.count, letters.count], [2, 1]);
});

test('a message that is acked in time is no dead letter after a crash', async () => {
  await using kit = await TestBroker.open();
  const deadLetter = { causes: ['expired'], to: 'letters' } as const;
  await kit.broker.createTopic({ name: 'letters' });
  const { topic, group } = await kit.broker.defineQueue({ name: 'jobs', deadLetter });
  const consumer = new TestConsumer(2);
  group.attach(consumer);
  await topic.send({ value: 'short' }, { ttlMs: 1000 });
  await kit.settle();
  group.ack(0, 0);
  await topic.send({ value: 'last' });
  await kit.crash();
  await pass(kit, 2000);
  assert.deepEqual([kit.broker.topic('jobs')!.count, kit.broker.topic('letters')!.count], [1, 0]);
});

test('messages do not wait for ever for a dead-letter route of a protocol that is off', async () => {
  await using kit = await TestBroker.open();
  const deadLetter = { causes: ['expired'], to: { route: 'mail' } } as const;
  const orders = await kit.broker.createTopic({ name: 'orders', deadLetter });
  await orders.send({ value: 'short' }, { ttlMs: 1000 });
  await pass(kit, 2000);
  assert.equal(orders.count, 1);
  for (let second = 0; second < 61; second++) await pass(kit, 1000);
  assert.deepEqual([orders.count, orders.stats().deadLettersLost], [0, 1]);
});
