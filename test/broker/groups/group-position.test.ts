import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Group, GroupOptions } from '../../../src/broker/index.ts';
import { TestBroker } from '../kit.ts';

/** A broker with a topic of messages m0, m1, …, whose keys are a, b, a, b, …, and a group on it. */
async function withGroup(count: number, options: Partial<GroupOptions> = {}) {
  const kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders', keyState: true });
  const send = (i: number): void => void orders.send({ key: i % 2 === 0 ? 'a' : 'b', value: `m${i}` });
  for (let i = 0; i < count; i++) send(i);
  await kit.settle();
  const billing = await orders.createGroup({ name: 'billing', ackWaitMs: 1000, ...options });
  const again = (): Group => kit.broker.topic('orders')!.groups.get('billing')!;
  return { kit, orders, billing, again, send };
}

const ends = (group: Group): readonly number[] => {
  const { deliveredEnd, answeredEnd } = group.info();
  return [deliveredEnd, answeredEnd];
};

test('after a restart deliveries go out at once, or stay with their consumers for another wait', async () => {
  for (const redeliverAfterRestart of ['at-once', 'at-deadline'] as const) {
    const { kit, billing, again } = await withGroup(3, { redeliverAfterRestart });
    await using _ = kit;
    kit.attach(billing, 2);
    await kit.settle();
    assert.ok(billing.ack(0, 0));
    await kit.settle();
    await kit.restart();
    const consumer = kit.attach(again());
    await kit.settle();
    const isHeld = redeliverAfterRestart === 'at-deadline';
    assert.deepEqual(consumer.values, isHeld ? ['m2'] : ['m1', 'm2']);
    await kit.advance(999);
    assert.deepEqual(consumer.values, isHeld ? ['m2'] : ['m1', 'm2']);
    await kit.advance(1);
    if (isHeld) assert.deepEqual(consumer.values, ['m2', 'm1', 'm2']);
  }
});

test('an answer that comes after the restart is taken, where deliveries stay with their consumers', async () => {
  const { kit, billing, again } = await withGroup(1, { redeliverAfterRestart: 'at-deadline' });
  await using _ = kit;
  kit.attach(billing);
  await kit.settle();
  await kit.restart();
  assert.ok(again().ack(0, 0));
  const consumer = kit.attach(again());
  await kit.advance(5000);
  assert.deepEqual(consumer.values, []);
});

test('a group waits for an offset beyond the end, over a restart too; earlier messages do not count', async () => {
  for (const filters of [[], ['a', 'b']]) {
    const { kit, again, send, billing } = await withGroup(2, { filters });
    await using _ = kit;
    const early = kit.attach(billing);
    await kit.settle();
    await billing.reset({ kind: 'offset', offset: 4, beyondEnd: true });
    assert.deepEqual([billing.info().cursor, billing.lag], [4, 0]);
    for (const i of [2, 3]) send(i);
    await kit.settle();
    assert.equal(billing.lag, 0);
    const topic = kit.broker.topic('orders')!;
    if (filters.length > 0) {
      billing.detach(early); // or the position would pass the message by
      void topic.send({ key: 'c', value: 'not for this group' });
      await kit.settle();
      assert.equal(billing.lag, 0, 'what came before the position');
    }
    await kit.restart();
    const consumer = kit.attach(again());
    for (const i of [4, 5]) void kit.broker.topic('orders')!.send({ key: 'a', value: `m${i}` });
    await kit.settle();
    assert.deepEqual(consumer.values, ['m4', 'm5']);
    assert.equal(again().lag, 0);
  }
  const { kit, billing } = await withGroup(2);
  await using _ = kit;
  await billing.reset({ kind: 'offset', offset: 4 });
  assert.equal(billing.info().cursor, 2, 'unless it was told, the end is as far as it goes');
});

test('a reset counts deliveries from 1 again', async () => {
  const { kit, billing } = await withGroup(2);
  await using _ = kit;
  const consumer = kit.attach(billing, 2);
  await kit.settle();
  billing.ack(0, 0);
  await billing.reset({ kind: 'all' });
  const { deliverySequence, lastDeliveredMs, lastAckMs } = billing.info();
  assert.deepEqual([deliverySequence, lastDeliveredMs, lastAckMs], [0, undefined, undefined]);
  consumer.credit = 1;
  billing.wake();
  await kit.settle();
  assert.equal(consumer.got.at(-1)!.sequence, 1);
});

test('delivered and floor move with deliveries and answers, not with messages that the cursor skips', async () => {
  const { kit, billing, again } = await withGroup(8, {
    filters: ['b'],
    redeliverAfterRestart: 'at-deadline',
  });
  await using _ = kit;
  assert.deepEqual(ends(billing), [0, 0]);
  kit.attach(billing); // m1, m3, m5, m7
  await kit.settle();
  assert.deepEqual(ends(billing), [8, 0]);
  billing.ack(0, 5);
  assert.deepEqual(ends(billing), [8, 0]);
  billing.ack(0, 1);
  assert.deepEqual(ends(billing), [8, 3], 'up to the next that is pending');
  billing.ack(0, 3);
  billing.ack(0, 7);
  assert.deepEqual(ends(billing), [8, 8]);
  for (const key of ['a', 'a', 'a']) void kit.broker.topic('orders')!.send({ key, value: 'x' });
  await kit.settle();
  billing.wake();
  await kit.settle();
  assert.deepEqual(ends(billing), [8, 8], 'messages that the filter passes over are not delivered');
  await kit.restart();
  assert.deepEqual(ends(again()), [8, 8]);
});

test('a purge moves the positions that stood before it', async () => {
  const { kit, billing, again } = await withGroup(4);
  await using _ = kit;
  billing.notePurged(0, 3);
  assert.deepEqual([...ends(billing), billing.info().cursor], [3, 3, 3]);
  billing.notePurged(0, 2);
  assert.deepEqual(ends(billing), [3, 3]);
  await kit.settle();
  await kit.restart();
  assert.deepEqual(ends(again()), [3, 3]);
});
