import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Group } from '../../src/index.ts';
import { collect, openTestBox, settle } from './kit.ts';

/** Values the group has for us now; they are acked. */
async function take(group: Group<unknown>): Promise<unknown[]> {
  const values: unknown[] = [];
  while (group.lag > 0) {
    const message = await group.next();
    values.push(message?.value);
    await message?.ack();
  }
  return values;
}

describe('a group', () => {
  test('is drained when the messages it waits for are purged, and the handler is not told', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group = await topic.group('g');
    await topic.publish('a');
    const message = (await group.next())!;
    const drained = group.drained();
    await topic.purge();
    await drained;
    assert.equal(group.inFlight, 0);
    assert.equal(await message.ack(), false);
  });

  test('begins where it is told', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders', { keyState: true });
    for (const [value, key] of [
      ['a1', 'a'],
      ['b1', 'b'],
      ['a2', 'a'],
      ['b2', 'b'],
    ] as const) {
      await topic.publish(value, { key });
      t.clock.advance(1000);
    }
    const timeOfThird = (await topic.get(2))!.timestampMs;
    assert.deepEqual(await take(await topic.group('all')), ['a1', 'b1', 'a2', 'b2']);
    assert.deepEqual(await take(await topic.group('offset', { start: { offset: 1 } })), ['b1', 'a2', 'b2']);
    assert.deepEqual(await take(await topic.group('time', { start: { timestampMs: timeOfThird } })), [
      'a2',
      'b2',
    ]);
    assert.deepEqual(await take(await topic.group('last', { start: 'last' })), ['b2']);
    assert.deepEqual(await take(await topic.group('per-key', { start: 'last-per-key' })), ['a2', 'b2']);
    const fresh = await topic.group('new', { start: 'new' });
    assert.equal(fresh.lag, 0);
    await topic.publish('later');
    assert.deepEqual(await take(fresh), ['later']);
  });

  test('filters by key', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const keys = ['eu.de', 'eu.fr', 'us.ny', 'eu.de.berlin'];
    await topic.publishMessages(keys.map((key) => ({ value: key, key })));
    assert.deepEqual(await take(await topic.group('one', { filter: 'eu.*' })), ['eu.de', 'eu.fr']);
    assert.deepEqual(await take(await topic.group('two', { filter: ['us.>', 'eu.fr'] })), ['eu.fr', 'us.ny']);
  });

  test('is the same when it is opened again: given settings change, others stay', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group = await topic.group('g', { ackWaitMs: 1234, maxInFlight: 7 });
    await topic.group('g');
    assert.deepEqual(
      [group.config.ackWaitMs, group.config.maxInFlight, group.config.maxDeliver],
      [1234, 7, 5],
    );
    await topic.group('g', { maxInFlight: Infinity, maxDeliver: 2, filter: 'a.>', deadLetter: false });
    const { ackWaitMs, maxInFlight, maxDeliver, filters, deadLetter } = group.config;
    assert.deepEqual(
      [ackWaitMs, maxInFlight, maxDeliver, filters, deadLetter],
      [1234, undefined, 2, ['a.>'], undefined],
    );
    await group.update({ maxDeliver: Infinity, deadLetter: 'elsewhere' });
    assert.deepEqual([group.config.maxDeliver, group.config.deadLetter], [undefined, 'elsewhere']);
    await assert.rejects(topic.group('g', { ordering: 'key' }), { code: 'group-config-invalid' });
    await assert.rejects(topic.group('h', { ackWaitMs: -1 }), { code: 'group-config-invalid' });
  });

  test('may be opened by many at once', async () => {
    await using t = await openTestBox();
    const [topic] = await Promise.all([t.box.topic('orders'), t.box.topic('orders')]);
    const groups = await Promise.all([topic.group('g'), topic.group('g'), topic.group('g')]);
    await topic.publishBatch([1, 2, 3]);
    const values = await Promise.all(groups.map(async (group) => (await group.next())?.value));
    assert.deepEqual(new Set(values), new Set([1, 2, 3]));
  });

  test('pauses and resumes', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group = await topic.group('g');
    await group.pause();
    await topic.publish('x');
    let value: unknown;
    void group.next().then((message) => (value = message?.value));
    await settle();
    assert.equal(value, undefined);
    await group.resume();
    await settle();
    assert.equal(value, 'x');
    await group.pause({ untilMs: t.clock.now() + 5000 });
    await topic.publish('y');
    void group.next().then((message) => (value = message?.value));
    await settle();
    assert.equal(value, 'x');
    t.clock.advance(5000);
    await settle();
    assert.equal(value, 'y');
  });

  test('can start over', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publishBatch([1, 2, 3]);
    const group = await topic.group('g');
    assert.deepEqual(await take(group), [1, 2, 3]);
    await group.reset({ offset: 1 });
    assert.deepEqual(await take(group), [2, 3]);
  });

  test('tells how it is doing', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group = await topic.group('g');
    await topic.publishBatch([1, 2, 3]);
    t.clock.advance(5000);
    await (await group.next())?.ack();
    await group.next();
    const { lag, inFlight, delivered, acked, oldestAgeMs } = await group.stats();
    assert.deepEqual(
      { lag, inFlight, delivered, acked, oldestAgeMs },
      { lag: 1, inFlight: 1, delivered: 2, acked: 1, oldestAgeMs: 5000 },
    );
    assert.equal(topic.stats().messages, 3);
    assert.equal(topic.stats().published, 3);
  });

  test('drained can be called off', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publish(1);
    const group = await topic.group('g');
    const end = new AbortController();
    const drained = group.drained({ signal: end.signal });
    end.abort(new Error('enough'));
    await assert.rejects(drained, { message: 'enough' });
    const inVain = assert.rejects(group.drained(), { code: 'group-not-found' });
    await group.delete();
    await inVain;
    const other = assert.rejects((await topic.group('other')).drained(), { code: 'topic-not-found' });
    await topic.delete();
    await other;
  });
});

describe('a topic', () => {
  test('is the same when it is opened again: given settings change, others stay', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders', { messagesMax: 2, retention: 'limits' });
    await topic.publishBatch([1, 2]);
    await t.box.topic('orders');
    assert.equal(topic.config.messagesMax, 2);
    await t.box.topic('orders', { messagesMax: 1 });
    assert.deepEqual(
      (await collect(topic.browse())).map(({ value }) => value),
      [2],
    );
    await topic.update({ messagesMax: Infinity });
    assert.equal(topic.config.messagesMax, undefined);
    await assert.rejects(t.box.topic('orders', { durability: 'memory' }), { code: 'topic-config-invalid' });
    await assert.rejects(t.box.topic('', {}), { code: 'topic-config-invalid' });
  });

  test('is browsed without side effects', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders', { retention: 'queue', partitions: 2 });
    const group = await topic.group('g');
    for (const [value, partition] of [
      [1, 0],
      [2, 1],
      [3, 0],
      [4, 1],
    ] as const) {
      await topic.publish(value, { partition, key: value % 2 ? 'odd' : 'even' });
      t.clock.advance(1000);
    }
    const browse = async (options: Parameters<typeof topic.browse>[0]): Promise<unknown[]> =>
      (await collect(topic.browse(options))).map(({ value }) => value);
    assert.deepEqual(await browse({}), [1, 3, 2, 4]);
    assert.deepEqual(await browse({ partition: 1 }), [2, 4]);
    assert.deepEqual(await browse({ start: { offset: 1 } }), [3, 4]);
    assert.deepEqual(await browse({ start: { timestampMs: t.clock.now() - 2000 } }), [3, 4]);
    assert.deepEqual(await browse({ filter: 'odd' }), [1, 3]);
    assert.deepEqual(await browse({ limit: 3 }), [1, 3, 2]);
    assert.deepEqual(await browse({ limit: 0 }), []);
    await assert.rejects(browse({ signal: AbortSignal.abort(new Error('no')) }), { message: 'no' });
    assert.deepEqual([group.lag, group.inFlight, topic.count], [4, 0, 4]);
    assert.equal((await topic.get(1, { partition: 1 }))?.value, 4);
    assert.equal(await topic.get(2), undefined);
    assert.equal((await topic.last('odd'))?.value, 3);
    assert.equal(await topic.last('neither'), undefined);
  });

  test('loses messages that are deleted, purged, or with it', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publishMessages(['a.1', 'a.2', 'b.1', 'b.2'].map((key) => ({ value: key, key })));
    assert.equal(await topic.deleteMessage(0), true);
    assert.equal(await topic.deleteMessage(0), false);
    assert.equal(await topic.purge({ filter: 'b.*' }), 2);
    assert.deepEqual(
      (await collect(topic.browse())).map(({ value }) => value),
      ['a.2'],
    );
    assert.equal(await topic.purge(), 1);
    await topic.delete();
    assert.deepEqual(t.box.topics, []);
    await assert.rejects(topic.publish('x'), { code: 'topic-not-found' });
  });

  test('is followed by any number, each by a group that goes with it', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('prices');
    await topic.publish('before');
    const end = new AbortController();
    const feeds = [
      await topic.follow(),
      await topic.follow({ signal: end.signal }),
      await topic.follow({ start: 'all', filter: 'x.>' }),
    ];
    await topic.publish('one', { key: 'x.y' });
    await topic.publish('two');
    assert.equal(topic.groups.length, 3);
    assert.equal((await feeds[0]!.next()).value?.value, 'one');
    assert.equal((await feeds[0]!.next()).value?.value, 'two');
    assert.equal((await feeds[1]!.next()).value?.value, 'one');
    assert.equal((await feeds[2]!.next()).value?.value, 'one');
    await feeds[0]!.return();
    end.abort();
    assert.equal((await feeds[1]!.next()).done, true);
    await feeds[2]![Symbol.asyncDispose]();
    assert.deepEqual(topic.groups, []);
  });
});

describe('dead letters', () => {
  test('say where they come from, and go back there', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders', { retention: 'queue' });
    const group = await topic.group('billing', { maxDeliver: 1 });
    await topic.publish({ id: 1 }, { key: 'k', headers: { Trace: 'abc' } });
    await topic.publish({ id: 2 });
    for (let i = 0; i < 2; i++) await (await group.next())?.nack();
    await group.drained();
    assert.deepEqual(t.box.topics, ['orders', 'orders-billing-dlq']);
    assert.deepEqual([topic.count, group.deadLetters.count], [0, 2]);
    const [letter] = await collect(group.deadLetters.browse());
    assert.deepEqual(letter?.value, { id: 1 });
    assert.equal(letter.headers.get('Trace'), 'abc');
    const { topic: from, group: by, offset, cause, deliveries } = letter.origin!;
    assert.deepEqual([from, by, offset, cause, deliveries], ['orders', 'billing', 0, 'max-deliveries', 1]);
    assert.equal((await topic.group('billing')).deadLetters.topic, 'orders-billing-dlq');

    assert.deepEqual(await group.deadLetters.redrive({ limit: 1 }), { moved: 1, stayed: [] });
    const again = await group.next();
    assert.deepEqual(
      [again?.value, again?.key, again?.deliveries, again?.origin],
      [{ id: 1 }, 'k', 1, undefined],
    );
    assert.deepEqual([...again!.headers], [['Trace', 'abc']]);
    assert.equal(await group.deadLetters.purge(), 1);
    assert.equal(group.deadLetters.count, 0);
  });

  test('are none where there have been none, or the group wants none', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group = await topic.group('g', { deadLetter: false });
    const { deadLetters } = group;
    assert.equal(deadLetters.topic, undefined);
    assert.deepEqual(
      [deadLetters.count, (await deadLetters.redrive()).moved, await deadLetters.purge()],
      [0, 0, 0],
    );
    assert.deepEqual(await collect(deadLetters.browse()), []);
    await topic.publish('x');
    await (await group.next())?.reject('no');
    await group.drained();
    assert.deepEqual(t.box.topics, ['orders']);
  });

  test('are told to watchers', async () => {
    await using t = await openTestBox();
    const kinds: string[] = [];
    const letters: unknown[] = [];
    const stop = t.box.watch((event) => {
      kinds.push(event.kind);
      if (event.kind === 'dead-lettered')
        letters.push([event.topic, event.group, event.offset, event.deadLetter, event.cause]);
    });
    const topic = await t.box.topic('orders');
    const group = await topic.group('g', { maxDeliver: 1 });
    await topic.publish('x');
    await (await group.next())?.nack();
    await group.drained();
    stop();
    await topic.delete();
    assert.deepEqual(letters, [['orders', 'g', 0, 'orders-g-dlq', 'max-deliveries']]);
    assert.deepEqual(kinds, [
      'topic-created',
      'group-created',
      'nacked',
      'max-deliveries',
      'topic-created',
      'dead-lettered',
    ]);
  });
});

test('dead letters count when they can be browsed, and not before', async () => {
  await using t = await openTestBox();
  const topic = await t.box.topic('orders');
  const group = await topic.group('g');
  await topic.publish('a');
  const counts: number[] = [];
  t.box.watch((event) => event.kind === 'dead-lettered' && counts.push(group.deadLetters.count));
  await (await group.next())!.reject('no');
  await group.drained();
  assert.deepEqual(counts, [0]);
  assert.equal(group.deadLetters.count, 1);
  const found: unknown[] = [];
  for await (const { value } of group.deadLetters.browse()) found.push(value);
  assert.deepEqual(found, ['a']);
});
