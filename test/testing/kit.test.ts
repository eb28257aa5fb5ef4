import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NotSeenError, startTestKit } from '../../src/testing/index.ts';

test('time passes only when told', async () => {
  await using kit = await startTestKit();
  const mails = await kit.client.topic('mails');
  const senders = await mails.group('senders', {
    backoffMs: [1_000, 60_000],
    backoffJitter: 0,
    maxDeliver: 3,
  });
  const at: number[] = [];
  senders.consume(
    ({ deliveries }) => {
      at.push(kit.clock.monotonic());
      if (deliveries < 3) throw new Error('busy');
    },
    { onError: () => {} },
  );
  await mails.publish('a');
  await kit.tick(999);
  assert.deepEqual(at, [0]);
  await kit.tick(1);
  await kit.tick(60_000);
  assert.deepEqual(at, [0, 1_000, 61_000]);
  assert.equal(kit.spy('mails').count('retried'), 2);
  assert.equal(kit.spy('mails').count('acked'), 1);
});

test('a delayed message comes when it is due', async () => {
  await using kit = await startTestKit();
  const reminders = await kit.client.topic('reminders');
  const seen: unknown[] = [];
  (await reminders.group('me')).consume((message) => seen.push(message.value));
  await reminders.publish('stand up', { delayMs: 3_600_000 });
  await kit.tick(3_599_999);
  assert.deepEqual(seen, []);
  await kit.tick(1);
  assert.deepEqual(seen, ['stand up']);
});

test('a spy waits for what will be, and knows what was', async () => {
  await using kit = await startTestKit();
  const orders = await kit.client.topic('orders');
  const billing = await orders.group('billing', { maxDeliver: 1 });
  billing.consume(
    ({ value }) => {
      if ((value as { id: number }).id < 0) throw new Error('no such order');
    },
    { onError: () => {} },
  );
  const spy = kit.spy('orders', 'billing');
  const acked = spy.waitFor({ id: 7 }, 'acked');
  const dead = spy.waitFor(({ key }) => key === 'k', 'dead');
  const { id } = await orders.publish({ id: 7, item: { name: 'tea', sizes: [1, 2] } });
  await orders.publish({ id: -1 }, { key: 'k', headers: { Trace: 't' } });
  assert.equal((await acked).delivery, 1);
  assert.equal((await dead).reason, 'no such order');
  assert.equal((await dead).message.headers.get('Trace'), 't');
  assert.equal((await spy.waitFor(id, 'acked')).message.id, id);
  assert.equal((await spy.waitFor({ item: { sizes: [1, 2] } }, 'acked')).group, 'billing');
  assert.deepEqual(
    spy.events.filter(({ message }) => message.id === id).map(({ fate }) => fate),
    ['published', 'delivered', 'acked'],
  );
});

test('a wait that was in vain tells what was seen', async () => {
  await using kit = await startTestKit();
  const orders = await kit.client.topic('orders');
  const billing = await orders.group('billing', { maxDeliver: 1 });
  billing.consume(
    () => {
      throw new Error('cannot be done');
    },
    { onError: () => {} },
  );
  const { id } = await orders.publish({ id: 7 });
  await kit.settle();
  await assert.rejects(kit.spy('orders').waitFor({ id: 7 }, 'acked', { timeoutMs: 1 }), (error) => {
    assert.ok(error instanceof NotSeenError);
    assert.equal(
      error.message,
      [
        'a message like {"id":7} of topic "orders" was not acked within 1 ms.',
        'Seen of topic "orders":',
        `  ${id} {"id":7}: published, delivered (billing, delivery 1), dead (billing, delivery 1, because: cannot be done)`,
      ].join('\n'),
    );
    assert.equal(error.events.length, 3);
    return true;
  });
  await assert.rejects(kit.spy('others').waitFor('x', 'acked', { timeoutMs: 1 }), {
    message: /Nothing was seen of topic "others", but of orders\./,
  });
});

test('a lost ack brings the message again', async () => {
  await using kit = await startTestKit();
  const orders = await kit.client.topic('orders');
  const billing = await orders.group('billing', { ackWaitMs: 30_000, backoffMs: [0] });
  const deliveries: number[] = [];
  billing.consume((message) => deliveries.push(message.deliveries));
  kit.faults.loseAcks(1);
  await orders.publish('a');
  await kit.tick(29_999);
  assert.deepEqual(deliveries, [1]);
  await kit.tick(1);
  assert.deepEqual(deliveries, [1, 2]);
  await kit.spy('orders').waitFor(() => true, 'acked');
});

test('a duplicate comes twice, and counts once', async () => {
  await using kit = await startTestKit();
  const orders = await kit.client.topic('orders');
  const ids: string[] = [];
  (await orders.group('billing')).consume((message) => ids.push(message.id), { prefetch: 10 });
  kit.faults.duplicate(1);
  await orders.publish('a', { id: 'one' });
  await orders.publish('b', { id: 'two' });
  await kit.settle();
  assert.deepEqual(ids, ['one', 'one', 'two']);
  assert.equal(kit.spy('orders').count('acked'), 2);
});

test('deliveries come in reverse, late, or not at all', async () => {
  await using kit = await startTestKit();
  const orders = await kit.client.topic('orders');
  const seen: unknown[] = [];
  (await orders.group('billing')).consume((message) => seen.push(message.value), { prefetch: 10 });
  kit.faults.reorder(3);
  await orders.publishEach(['a', 'b', 'c', 'd']);
  await kit.settle();
  assert.deepEqual(seen, ['c', 'b', 'a', 'd']);
  kit.faults.slow(500);
  await orders.publish('e');
  await kit.tick(499);
  assert.equal(seen.includes('e'), false);
  await kit.tick(1);
  assert.equal(seen.at(-1), 'e');
  kit.faults.refusePublishes(1);
  await assert.rejects(orders.publish('f'), { code: 'refused' });
  await orders.publish('g');
});

test('a kit ends though a handler hangs', async () => {
  const kit = await startTestKit();
  const orders = await kit.client.topic('orders');
  (await orders.group('billing')).consume(() => new Promise(() => {}));
  await orders.publish('a');
  await kit.settle();
  await kit[Symbol.asyncDispose]();
  assert.equal(kit.spy('orders').count('released'), 1);
});
