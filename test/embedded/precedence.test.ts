import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BrokerError } from '../../src/index.ts';
import { openTestBox, settle } from './kit.ts';

describe('precedence among consumers', () => {
  test('a handler of a higher priority goes first, and the next gets what it has no room for', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group = await topic.group('g');
    const got: string[] = [];
    const taker = (name: string) => (message: { value: unknown }) => {
      got.push(`${name} ${String(message.value)}`);
      return new Promise(() => {});
    };
    group.consume(taker('low'), { concurrency: 10 });
    group.consume(taker('high'), { concurrency: 2, priority: 1 });
    await topic.publishBatch(['a', 'b', 'c']);
    await settle();
    assert.deepEqual(got.sort(), ['high a', 'high b', 'low c']);
  });

  test('one consumer is active: loops, handlers and batches say so, and the next takes over', async () => {
    await using t = await openTestBox();
    const events: string[] = [];
    t.box.watch((event) => {
      if (event.kind === 'active-changed') events.push(`${event.why} ${event.active?.member ?? '-'}`);
    });
    const topic = await t.box.topic('orders');
    const group = await topic.group('g', { activeConsumers: 'single', activeSilenceMs: 1000 });
    const loop = group.deliveries({ member: 'loop' });
    const batches = group.batches({ member: 'batches', priority: -1 });
    const handled: unknown[] = [];
    const handler = group.consume(({ value }) => handled.push(value), { member: 'handler', priority: 1 });
    assert.deepEqual([loop.isActive, batches.isActive, handler.isActive], [true, false, false]);
    const next = batches.next();
    await topic.publish('a');
    await settle();
    assert.equal((await loop.next()).value?.value, 'a');
    await loop.close();
    await topic.publish('b');
    await settle();
    assert.deepEqual(handled, ['b']);
    assert.deepEqual([handler.isActive, group.active?.member], [true, 'handler']);
    await handler.close();
    await topic.publish('c');
    assert.deepEqual((await next).value?.values, ['c']);
    assert.ok(batches.isActive, 'between its pulls, too');
    await batches.close();
    assert.deepEqual(events, ['chosen loop', 'left -', 'chosen handler', 'left -', 'chosen batches']);
  });

  test('a batch loop that is not asked again is silent after a time', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group = await topic.group('g', { activeConsumers: 'single', activeSilenceMs: 1000 });
    const batches = group.batches();
    await topic.publish('a');
    await (await batches.next()).value!.ack();
    const handler = group.consume(() => {});
    await topic.publish('b');
    await settle();
    assert.equal(group.lag, 1);
    t.clock.advance(1000);
    await settle();
    assert.deepEqual([group.lag, handler.isActive], [0, true]);
    assert.equal(group.releaseActive(), true);
  });

  test('an exclusive consumer is refused in words, and is not there afterwards', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group = await topic.group('g');
    const first = group.consume(() => {}, { exclusive: true, member: 'a' });
    const refused = (error: unknown): boolean =>
      error instanceof BrokerError && error.code === 'consumer-exclusive';
    assert.throws(() => group.consume(() => {}), refused);
    assert.throws(() => group.deliveries(), refused);
    await assert.rejects(group.batches().next(), refused);
    await assert.rejects(group.next(), refused);
    group.deliveries({ member: 'a' });
    await first.close();
    const second = group.consume(() => {}, { member: 'a' });
    assert.throws(() => group.consume(() => {}, { exclusive: true }), refused);
    await second.close();
  });

  test('its options and settings are checked, and a group changes back', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group = await topic.group('g');
    const invalid = { code: 'option-invalid' };
    for (const options of [{ priority: 1001 }, { priority: 0.5 }, { member: '' }, { exclusive: 1 as never }])
      assert.throws(() => group.consume(() => {}, options), invalid);
    assert.throws(() => group.batches({ exclusive: true } as object), invalid);
    await assert.rejects(topic.group('h', { activeSilenceMs: 5 }), { code: 'group-config-invalid' });
    await group.update({ activeConsumers: 'single', activeSilenceMs: 5 });
    assert.equal(group.config.activeConsumers, 'single');
    await group.update({ maxDeliver: 7 });
    assert.equal(group.config.activeSilenceMs, 5, 'it keeps its value');
    await group.update({ activeConsumers: 'all' });
    assert.deepEqual([group.config.activeConsumers, group.config.activeSilenceMs], ['all', undefined]);
  });
});
