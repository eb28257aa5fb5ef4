import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collect, openTestBox } from './kit.ts';

test('delayed messages of a topic are read with their values, and only its own', async () => {
  await using test = await openTestBox();
  const { box, clock } = test;
  const orders = await box.topic<{ id: number }>('orders');
  const others = await box.topic<string>('others');
  const nowMs = clock.now();
  const sent = await orders.publish({ id: 1 }, { key: 'a', headers: { Trace: 't' }, delayMs: 60_000 });
  const other = await others.publish('x', { delayMs: 60_000 });
  assert.deepEqual([sent.offset, sent.duplicate], [-1, false]);
  const message = (await orders.delayed.get(sent.delayedId!))!;
  assert.deepEqual(
    [message.value, message.key, message.headers.get('Trace'), message.dueMs, message.timestampMs],
    [{ id: 1 }, 'a', 't', nowMs + 60_000, nowMs],
  );
  assert.equal(await orders.delayed.get(other.delayedId!), undefined);
  assert.equal(await orders.delayed.cancel([other.delayedId!]), 0);
  assert.equal(others.delayed.count, 1);
  assert.equal((await collect(orders.delayed.list())).length, 1);
});

test('a list of delayed messages goes past one page, and keeps to its limit', async () => {
  await using test = await openTestBox();
  const numbers = await test.box.topic<number>('numbers');
  const published = await Promise.all(
    Array.from({ length: 250 }, (_, i) => numbers.publish(i, { delayMs: 1000, key: i % 2 ? 'odd' : 'even' })),
  );
  const values = async (options: object): Promise<number[]> =>
    (await collect(numbers.delayed.list(options))).map(({ value }) => value);
  assert.equal((await values({})).length, 250);
  assert.deepEqual((await values({ limit: 205 })).at(-1), 204);
  assert.deepEqual(await values({ after: published[247]!.delayedId! }), [248, 249]);
  assert.equal((await values({ filter: 'odd' })).length, 125);
  assert.equal(await numbers.delayed.cancel({ filter: 'odd' }), 125);
  assert.equal(numbers.delayed.count, 125);
});

test('wrong options of delayed messages are refused in words', async () => {
  await using test = await openTestBox();
  const { delayed } = await test.box.topic('orders');
  const invalid = { code: 'option-invalid' };
  await assert.rejects(delayed.cancel({ key: 'a' } as never), invalid);
  await assert.rejects(delayed.cancel(-1), invalid);
  await assert.rejects(delayed.move(1, {} as never), invalid);
  await assert.rejects(delayed.move(1, { delayMs: 1, deliverAtMs: 2 }), invalid);
  await assert.rejects(collect(delayed.list({ filter: 'a..b' })), invalid);
  await assert.rejects(collect(delayed.list({ size: 1 } as never)), /has no option "size"/);
});
