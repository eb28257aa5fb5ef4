import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrokerEvent, GroupOptions, TopicOptions } from '../../../src/broker/index.ts';
import { eventually } from '../../support/index.ts';
import { TestBroker } from '../kit.ts';

/** A broker with a topic of `count` messages m0, m1, … and a group on it. */
async function withGroup(
  count: number,
  group: Partial<GroupOptions> = {},
  topic: Partial<TopicOptions> = {},
) {
  const kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders', ...topic });
  for (let i = 0; i < count; i++) void orders.send({ key: 'k', value: `m${i}` });
  await kit.settle();
  const billing = await orders.createGroup({ name: 'billing', ackWaitMs: 1000, ...group });
  return { kit, orders, billing };
}

for (const place of ['waiting', 'ready'] as const)
  test(`a lowered maxDeliver gives up at once what is ${place} and has failed so often`, async () => {
    const { kit, billing } = await withGroup(2, { deadLetter: 'dead', ordering: 'key' });
    await using _ = kit;
    const events: BrokerEvent[] = [];
    kit.broker.events.subscribe((event) => events.push(event));
    const consumer = kit.attach(billing, 1);
    for (let failures = 0; failures < 2; failures++) {
      await kit.settle();
      billing.nack(0, 0, 0, 'no stock');
      consumer.credit = failures === 0 ? 1 : 0;
      billing.wake();
    }
    if (place === 'waiting') {
      consumer.credit = 1;
      billing.wake();
      await kit.settle();
      billing.nack(0, 0, 5000, 'no stock');
    }
    await kit.settle();
    assert.equal(billing.info().inFlight, 1);
    await billing.update({ ...billing.config, maxDeliver: 2 });
    const dead = await eventually(() => kit.broker.topic('dead'));
    await eventually(() => dead.count === 1);
    assert.equal(billing.info().inFlight, 0);
    assert.equal(events.filter(({ kind }) => kind === 'max-deliveries').length, 1);
    const before = consumer.got.length;
    consumer.credit = 10;
    billing.wake();
    await kit.advance(10_000);
    assert.deepEqual(consumer.values.slice(before), ['m1']);
  });

test('a shortened ackWait holds at once for messages in flight, a longer one too', async () => {
  const { kit, billing } = await withGroup(1, { ackWaitMs: 60_000 });
  await using _ = kit;
  const consumer = kit.attach(billing);
  await kit.settle();
  await kit.advance(2000);
  await billing.update({ ...billing.config, ackWaitMs: 3000 });
  await kit.advance(900);
  assert.equal(consumer.got.length, 1);
  await kit.advance(100);
  assert.equal(consumer.got.length, 2);
  await billing.update({ ...billing.config, ackWaitMs: 10_000 });
  await kit.advance(9900);
  assert.equal(consumer.got.length, 2);
  await kit.advance(100);
  assert.equal(consumer.got.length, 3);
});

test('a lowered maxInFlight holds redeliveries back too', async () => {
  const { kit, billing } = await withGroup(4, { maxInFlight: 4 });
  await using _ = kit;
  const consumer = kit.attach(billing);
  await kit.settle();
  assert.equal(consumer.got.length, 4);
  await billing.update({ ...billing.config, maxInFlight: 2 });
  for (let offset = 0; offset < 4; offset++) billing.nack(0, offset, 100);
  await kit.advance(100);
  assert.equal(consumer.got.length, 6);
  billing.ack(0, 0);
  billing.ack(0, 1);
  await kit.settle();
  assert.deepEqual(consumer.offsets.slice(4), [0, 1, 2, 3]);
});

test('messages that failed with one due time come again in their order', async () => {
  const { kit, billing } = await withGroup(9);
  await using _ = kit;
  const consumer = kit.attach(billing);
  await kit.settle();
  for (const offset of [7, 1, 4, 8, 0, 3, 6, 2, 5]) billing.nack(0, offset, 500);
  await kit.advance(500);
  assert.deepEqual(consumer.offsets.slice(9), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

test('a topic that turns to interest drops the messages its groups are done with at once', async () => {
  const { kit, orders, billing } = await withGroup(3);
  await using _ = kit;
  const consumer = kit.attach(billing, 2);
  await kit.settle();
  assert.equal(consumer.got.length, 2);
  billing.ack(0, 0);
  billing.ack(0, 1);
  await orders.update({ ...orders.config, retention: 'interest' });
  await eventually(() => orders.count === 1);
});
