import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes } from '../../src/index.ts';
import { collect, openTestBox, settle } from './kit.ts';

test('a schedule publishes its value as the codec writes it, with key and headers', async () => {
  await using test = await openTestBox();
  const { box, clock } = test;
  const orders = await box.topic('orders');
  const raw = await box.topic('raw', { codec: bytes });
  await box.schedule('a', {
    topic: 'orders',
    value: { id: 1 },
    key: 'k',
    headers: { Trace: 't' },
    everyMs: 1000,
  });
  await box.schedule('b', { topic: 'raw', value: new Uint8Array([0, 255]), codec: bytes, everyMs: 1000 });
  clock.advance(1000);
  await settle();
  const [order] = await collect(orders.browse());
  assert.deepEqual([order!.value, order!.key, order!.headers.get('Trace')], [{ id: 1 }, 'k', 't']);
  assert.equal(order!.headers.get('Pillarbox-Schedule'), 'a');
  assert.deepEqual([...(await collect(raw.browse()))[0]!.value], [0, 255]);
});

test('the messages of a schedule expire, and have a priority', async () => {
  await using test = await openTestBox();
  const { box, clock } = test;
  const orders = await box.topic('orders', { priorities: 4 });
  const group = await orders.group('g');
  await box.schedule('low', { topic: 'orders', value: 'low', everyMs: 60_000, ttlMs: 5000 });
  await box.schedule('high', { topic: 'orders', value: 'high', everyMs: 60_000, priority: 3, ttlMs: 5000 });
  clock.advance(60_000);
  await settle();
  assert.equal((await group.next({ waitMs: 0 }))?.value, 'high');
  clock.advance(6000);
  await settle();
  assert.equal(orders.count, 0);
});

test('a schedule is shown, paused, resumed, run and deleted', async () => {
  await using test = await openTestBox();
  const { box, clock } = test;
  await box.topic('orders');
  const startMs = clock.now();
  const tick = await box.schedule('tick', { topic: 'orders', value: 1, everyMs: 60_000, count: 3 });
  assert.deepEqual(
    [tick.name, tick.topic, tick.status, tick.nextMs, tick.lastMs, tick.runs, tick.missed, tick.failure],
    ['tick', 'orders', 'active', startMs + 60_000, undefined, 0, 0, undefined],
  );
  await tick.pause();
  assert.equal(box.schedules.get('tick')!.status, 'paused');
  assert.equal((await tick.run()).offset, 0);
  await tick.resume();
  clock.advance(60_000);
  await settle();
  assert.deepEqual([tick.runs, tick.lastMs, tick.status], [2, startMs + 60_000, 'active']);
  await tick.run();
  assert.equal(tick.status, 'ended');
  await tick.delete();
  assert.equal(box.schedules.size, 0);
  await assert.rejects(tick.pause(), { code: 'schedule-not-found' });
});

test('wrong settings of a schedule are refused in words', async () => {
  await using test = await openTestBox();
  const { box } = test;
  await box.topic('orders');
  const invalid = { code: 'option-invalid' };
  const settings = { topic: 'orders', value: 1, everyMs: 1000 };
  await assert.rejects(box.schedule('', settings), invalid);
  await assert.rejects(box.schedule('s', { ...settings, evryMs: 1 } as never), /did you mean "everyMs"/);
  await assert.rejects(box.schedule('s', { ...settings, missed: 'some' as never }), invalid);
  await assert.rejects(box.schedule('s', { value: 1, everyMs: 1000 } as never), /needs the topic/);
  await assert.rejects(box.schedule('s', { ...settings, cron: '* * * * *' }), {
    code: 'schedule-config-invalid',
  });
  await assert.rejects(box.schedule('s', { ...settings, value: new Map() }), { name: 'ValueError' });
  await assert.rejects(box.schedule('s', { ...settings, topic: 'none' }), { code: 'topic-not-found' });
});
