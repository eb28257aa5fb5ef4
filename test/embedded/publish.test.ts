import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Broker, MemoryFiles } from '../../src/broker/index.ts';
import { BatchError, BrokerError, bytes, open } from '../../src/index.ts';
import { collect, openTestBox, settle } from './kit.ts';

describe('publish', () => {
  test('says where the message went', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    assert.deepEqual(await topic.publish('a'), { partition: 0, offset: 0, duplicate: false });
    assert.deepEqual(await topic.publish('b'), { partition: 0, offset: 1, duplicate: false });
    assert.equal(topic.count, 2);
  });

  test('keeps key, headers in order, and time', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const headers = [
      ['a', '1'],
      ['b', 'zwölf'],
      ['a', '2'],
    ] as const;
    await topic.publish('x', { key: 'eu.berlin', headers, timestampMs: 1_600_000_000_000 });
    const message = await topic.get(0);
    assert.equal(message?.key, 'eu.berlin');
    assert.deepEqual([...message.headers], headers);
    assert.deepEqual(message.headers.getAll('a'), ['1', '2']);
    assert.equal(message.headers.get('b'), 'zwölf');
    assert.equal(message.headers.get('B'), undefined);
    assert.equal(message.timestampMs, 1_600_000_000_000);
  });

  test('takes headers as an object, with an array where a name repeats', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publish('x', { headers: { one: '1', more: ['2', Buffer.from('3')] } });
    const message = await topic.get(0);
    assert.deepEqual(
      [...message!.headers],
      [
        ['one', '1'],
        ['more', '2'],
        ['more', '3'],
      ],
    );
    assert.deepEqual(message!.headers.toJSON(), { one: '1', more: '2' });
  });

  test('stores a message with a dedupe id once', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders', { dedupeWindowMs: 1000 });
    await topic.publish('a', { dedupeId: 'x' });
    assert.deepEqual(await topic.publish('a', { dedupeId: 'x' }), {
      partition: 0,
      offset: 0,
      duplicate: true,
    });
    t.clock.advance(1001);
    assert.equal((await topic.publish('a', { dedupeId: 'x' })).duplicate, false);
  });

  test('a delayed message is seen when its time has come', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('reminders');
    const group = await topic.group('g');
    await topic.publish('later', { delayMs: 5000 });
    await topic.publish('at once');
    assert.equal((await group.next())?.value, 'at once');
    const later = group.next();
    t.clock.advance(4999);
    await settle();
    assert.equal(topic.count, 1);
    t.clock.advance(1);
    assert.equal((await later)?.value, 'later');
  });

  test('a delayed message with a dedupe id is stored once, also over a crash', async () => {
    const files = new MemoryFiles();
    const broker = await Broker.open({ dir: '/data', files });
    const topic = await (await open({ broker })).topic('reminders');
    const options = { delayMs: 3_600_000, dedupeId: 'x' };
    const later = { partition: 0, offset: -1, duplicate: false, delayedId: 0 };
    assert.deepEqual(await topic.publish('later', options), later);
    assert.deepEqual(await topic.publish('later', options), { partition: 0, offset: -1, duplicate: true });
    const crashed = await Broker.open({ dir: '/data', files: files.copy() });
    const again = await (await open({ broker: crashed })).topic('reminders');
    assert.equal((await again.publish('later', options)).duplicate, true);
    assert.equal(crashed.stats().delayed, 1);
    await Promise.all([broker.close(), crashed.close()]);
  });

  test('an expectation that does not hold is refused, with the actual offset', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders', { keyState: true });
    await topic.publish('a', { key: 'k', expectedLastOffset: -1 });
    await assert.rejects(topic.publish('b', { expectedLastOffset: -1 }), (error) => {
      assert.ok(error instanceof BrokerError);
      assert.equal(error.code, 'wrong-last-offset');
      assert.equal(error.details.lastOffset, 0);
      return true;
    });
    await topic.publish('b', { key: 'k', expectedLastKeyOffset: 0 });
  });

  test('a full topic refuses, with a code', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders', { messagesMax: 1, overflow: 'reject' });
    await topic.publish('a');
    await assert.rejects(topic.publish('b'), { name: 'BrokerError', code: 'topic-full' });
  });

  test('a topic that makes publishers wait lets them go on when there is room', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders', { messagesMax: 1, overflow: 'wait', retention: 'queue' });
    const group = await topic.group('g');
    await topic.publish('a');
    let isThere = false;
    const second = topic.publish('b').then(() => {
      isThere = true;
    });
    await settle();
    assert.equal(isThere, false);
    await (await group.next())?.ack();
    await second;
    assert.equal(topic.count, 1);
  });

  test('goes in the order of the calls, also through the window', async () => {
    await using t = await openTestBox({ unackedPublishesMax: 3 });
    const topic = await t.box.topic('orders');
    const values = Array.from({ length: 100 }, (_, i) => i);
    await Promise.all(values.map((value) => topic.publish(value)));
    assert.deepEqual(
      (await collect(topic.browse())).map(({ value }) => value),
      values,
    );
  });

  test('a signal calls off a publish that still waits', async () => {
    await using t = await openTestBox({ unackedPublishesMax: 1 });
    const topic = await t.box.topic('orders');
    const end = new AbortController();
    const first = topic.publish('first');
    const second = topic.publish('second', { signal: end.signal });
    const third = topic.publish('third');
    end.abort(new Error('enough'));
    await assert.rejects(second, { message: 'enough' });
    await Promise.all([first, third]);
    assert.deepEqual(
      (await collect(topic.browse())).map(({ value }) => value),
      ['first', 'third'],
    );
    await assert.rejects(topic.publish('x', { signal: AbortSignal.abort(new Error('no')) }), {
      message: 'no',
    });
  });

  test('spreads keys over partitions, and keeps each key in one', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders', { partitions: 4 });
    const places = new Map<string, Set<number>>();
    for (let i = 0; i < 40; i++) {
      const key = `k${i % 10}`;
      const { partition } = await topic.publish(i, { key });
      places.set(key, (places.get(key) ?? new Set()).add(partition));
    }
    assert.ok([...places.values()].every((partitions) => partitions.size === 1));
    assert.ok(new Set([...places.values()].flatMap((partitions) => [...partitions])).size > 1);
    assert.equal((await topic.publish('x', { partition: 3 })).partition, 3);
    await assert.rejects(topic.publish('x', { partition: 4 }), { code: 'not-allowed' });
  });
});

describe('publishBatch', () => {
  test('stores all in one commit, with a result for each', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await settle();
    const before = t.box.stats().log.commits;
    const results = await topic.publishBatch(['a', 'b', 'c'], { key: 'k' });
    assert.deepEqual(
      results.map(({ offset }) => offset),
      [0, 1, 2],
    );
    assert.equal(t.box.stats().log.commits, before + 1);
    assert.deepEqual(
      (await collect(topic.browse())).map(({ value, key }) => [value, key]),
      [
        ['a', 'k'],
        ['b', 'k'],
        ['c', 'k'],
      ],
    );
    assert.deepEqual(await topic.publishBatch([]), []);
  });

  test('takes options for each message', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const results = await topic.publishMessages([
      { value: 1, key: 'a', dedupeId: 'x' },
      { value: 2, key: 'b', dedupeId: 'x' },
    ]);
    assert.deepEqual(
      results.map(({ duplicate }) => duplicate),
      [false, true],
    );
  });

  test('tells which messages were refused; the others are stored', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('blobs', { codec: bytes, messageBytesMax: 10 });
    const batch = topic.publishBatch([new Uint8Array(5), new Uint8Array(11), new Uint8Array(6)]);
    await assert.rejects(batch, (error) => {
      assert.ok(error instanceof BatchError);
      assert.equal(error.code, 'batch-refused');
      assert.deepEqual(
        error.results.map((result) => (result instanceof BrokerError ? result.code : 'stored')),
        ['stored', 'message-too-large', 'stored'],
      );
      return true;
    });
    assert.equal(topic.count, 2);
  });

  test('a batch larger than the window goes when nothing else is on its way', async () => {
    await using t = await openTestBox({ unackedPublishesMax: 2 });
    const topic = await t.box.topic('orders');
    const [, batch] = await Promise.all([
      topic.publish(0),
      topic.publishBatch([1, 2, 3, 4, 5]),
      topic.publish(6),
    ]);
    assert.equal(batch.length, 5);
    assert.deepEqual(
      (await collect(topic.browse())).map(({ value }) => value),
      [0, 1, 2, 3, 4, 5, 6],
    );
  });
});
