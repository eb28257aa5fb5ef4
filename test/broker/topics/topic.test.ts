import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BrokerError,
  type PublishOptions,
  type Topic,
  type TopicOptions,
} from '../../../src/broker/index.ts';
import { TestBroker, text } from '../kit.ts';

async function withTopic(options: Partial<TopicOptions> = {}) {
  const kit = await TestBroker.open();
  const topic = await kit.broker.createTopic({ name: 'orders', ...options });
  return { kit, topic };
}

function refused(
  topic: Topic,
  value: string,
  options: PublishOptions,
  code: string,
  lastOffset?: number,
): Promise<void> {
  return assert.rejects(topic.send({ key: 'k', value }, options), (error) => {
    assert.ok(error instanceof BrokerError);
    assert.equal(error.code, code);
    if (lastOffset !== undefined) assert.equal(error.details.lastOffset, lastOffset);
    return true;
  });
}

test('a message comes back whole: key, headers in order with repeats, value, time; also after a restart', async () => {
  const { kit, topic } = await withTopic();
  await using _ = kit;
  const headers = [
    { name: 'a', value: Buffer.from('1') },
    { name: 'b', value: Buffer.from([0, 255]) },
    { name: 'a', value: null },
  ];
  const { offset } = await topic.send({ key: 'k', headers, value: Buffer.from([1, 0, 2]), timestampMs: 5 });
  for (const reopen of [false, true]) {
    if (reopen) await kit.restart();
    const message = (await kit.broker.topic('orders')!.partitions.at(0)!.get(offset))!;
    assert.equal(text(message.key), 'k');
    assert.deepEqual(
      message.headers.map(({ name, value }) => [name, value && [...value]]),
      [
        ['a', [49]],
        ['b', [0, 255]],
        ['a', null],
      ],
    );
    assert.deepEqual([...message.value!], [1, 0, 2]);
    assert.equal(message.timestampMs, 5);
  }
});

test('a repeated dedupe id is answered with the first offset, within the window, also after a restart', async () => {
  const { kit, topic } = await withTopic({ dedupeWindowMs: 1000 });
  await using _ = kit;
  const first = await topic.send({ value: 'x' }, { dedupeId: 'id' });
  assert.deepEqual(await topic.send({ value: 'y' }, { dedupeId: 'id' }), { ...first, duplicate: true });
  await kit.restart();
  const again = kit.broker.topic('orders')!;
  assert.equal((await again.send({ value: 'z' }, { dedupeId: 'id' })).duplicate, true);
  assert.equal(again.count, 1);
  await kit.advance(1000);
  assert.deepEqual(await again.send({ value: 'z' }, { dedupeId: 'id' }), {
    partition: 0,
    offset: 1,
    duplicate: false,
  });
});

test('dedupe ids are forgotten beyond the number of entries', async () => {
  const { kit, topic } = await withTopic({ dedupeEntriesMax: 2 });
  await using _ = kit;
  for (const dedupeId of ['a', 'b', 'c']) await topic.send({ value: dedupeId }, { dedupeId });
  assert.equal((await topic.send({ value: 'c' }, { dedupeId: 'c' })).duplicate, true);
  assert.equal((await topic.send({ value: 'a' }, { dedupeId: 'a' })).duplicate, false);
});

test('expectations refuse a publish that comes too late', async () => {
  const { kit, topic } = await withTopic({ keyState: true });
  await using _ = kit;
  await topic.send({ key: 'k', value: '0' }, { expectedLastOffset: -1, expectedLastKeyOffset: -1 });
  await refused(topic, '1', { expectedLastOffset: -1 }, 'wrong-last-offset', 0);
  await refused(topic, '1', { expectedLastKeyOffset: 7 }, 'wrong-last-key-offset', 0);
  await refused(topic, '1', { expectedLastDedupeId: 'x' }, 'wrong-last-dedupe-id');
  await topic.send(
    { key: 'other', value: '1' },
    { expectedLastOffset: 0, expectedLastKeyOffset: -1, dedupeId: 'x' },
  );
  await topic.send({ key: 'k', value: '2' }, { expectedLastKeyOffset: 0, expectedLastDedupeId: 'x' });
  assert.equal(topic.count, 3);
});

test('expectations see publishes of the same commit', async () => {
  const { kit, topic } = await withTopic({ keyState: true });
  await using _ = kit;
  const first = topic.send({ key: 'k', value: '0' }, { expectedLastKeyOffset: -1 });
  await refused(topic, '1', { expectedLastKeyOffset: -1 }, 'wrong-last-key-offset', 0);
  await first;
});

test('after the last message of a key was removed, the one before it is expected', async () => {
  await using kit = await TestBroker.open();
  const topic = await kit.broker.createTopic({ name: 'orders', keyState: true });
  for (const value of ['0', '1', '2']) await topic.send({ key: 'k', value });
  const partition = topic.partitions.at(0);
  await partition!.delete(2);
  const publishes = [
    refused(topic, 'a', { expectedLastKeyOffset: -1 }, 'wrong-last-key-offset', 1),
    topic.send({ key: 'k', value: 'b' }, { expectedLastKeyOffset: 1 }),
    topic.send({ key: 'other', value: 'c' }),
  ];
  const [, b, c] = await Promise.all(publishes);
  assert.deepEqual(
    [b, c],
    [
      { partition: 0, offset: 3, duplicate: false },
      { partition: 0, offset: 4, duplicate: false },
    ],
  );
  for (const offset of [0, 1, 3]) await partition!.delete(offset);
  await topic.send({ key: 'k', value: 'd' }, { expectedLastKeyOffset: -1 });
});

test('a full topic drops its oldest, or rejects, or makes the publisher wait', async () => {
  const { kit, topic } = await withTopic({ messagesMax: 2, keyState: true });
  await using _ = kit;
  for (const value of ['0', '1', '2']) await topic.send({ key: `k${value}`, value });
  const partition = topic.partitions.at(0);
  assert.equal(partition!.firstOffset, 1);
  await kit.settle();
  assert.deepEqual(
    [...partition!.keys()].map(([key]) => key),
    ['k1', 'k2'],
  );

  const rejecting = await kit.broker.createTopic({ name: 'rejecting', messagesMax: 1, overflow: 'reject' });
  await rejecting.send({ value: '0' });
  await refused(rejecting, '1', {}, 'topic-full');

  const waiting = await kit.broker.createTopic({
    name: 'waiting',
    messagesMax: 1,
    overflow: 'wait',
    retention: 'queue',
  });
  const group = await waiting.createGroup({ name: 'g' });
  await waiting.send({ value: '0' });
  let second = -1;
  const sent = waiting.send({ value: '1' }).then(({ offset }) => {
    second = offset;
  });
  kit.attach(group);
  await kit.settle();
  assert.equal(second, -1);
  group.ack(0, 0);
  await sent;
  assert.equal(second, 1);
});

test('bytesMax keeps the newest messages', async () => {
  const { kit, topic } = await withTopic({ bytesMax: 2000 });
  await using _ = kit;
  for (let i = 0; i < 20; i++) await topic.send({ value: Buffer.alloc(200) });
  const partition = topic.partitions.at(0);
  assert.ok(partition!.bytes <= 2000, `${partition!.bytes}`);
  assert.ok(partition!.count >= 5, `${partition!.count}`);
});

test('messagesPerKeyMax keeps the last of each key, or rejects', async () => {
  const { kit, topic } = await withTopic({ messagesPerKeyMax: 2 });
  await using _ = kit;
  for (const [i, key] of ['a', 'b', 'a', 'a', 'b', 'b'].entries()) await topic.send({ key, value: `${i}` });
  const partition = topic.partitions.at(0);
  const values: string[] = [];
  for await (const record of partition!.scan(0)) values.push(text(record.value));
  assert.deepEqual(values, ['2', '3', '4', '5']);
  assert.deepEqual(
    [...partition!.keys()].map(([key, { count, first, last }]) => [key, count, first, last]),
    [
      ['a', 2, 2, 3],
      ['b', 2, 4, 5],
    ],
  );
  await kit.restart();
  const again = kit.broker.topic('orders')!.partitions.at(0)!;
  assert.deepEqual([again.count, again.firstOffset, again.deletedCount], [4, 2, 0]);
  const rejecting = await kit.broker.createTopic({
    name: 'r',
    messagesPerKeyMax: 1,
    overflowPerKey: 'reject',
    overflow: 'reject',
  });
  await rejecting.send({ key: 'k', value: '0' });
  await refused(rejecting, '1', {}, 'key-full');
  await rejecting.send({ key: 'other', value: '1' });
});

test('limits set by an update apply to stored messages, and outlive a restart', async () => {
  const { kit, topic } = await withTopic({ keyState: true });
  await using _ = kit;
  for (const [i, key] of ['a', 'b', 'a', 'a', 'b'].entries()) await topic.send({ key, value: `${i}` });
  await topic.update({ ...topic.config, messagesPerKeyMax: 1 });
  assert.deepEqual([topic.count, topic.partitions.at(0)!.firstOffset], [2, 3]);
  await kit.restart();
  const again = kit.broker.topic('orders')!;
  await again.send({ key: 'a', value: '5' });
  assert.deepEqual([again.count, again.partitions.at(0)!.firstOffset], [2, 4]);
  await again.update({ ...again.config, messagesMax: 1 });
  assert.equal(again.count, 1);
});

test('messages go when they are too old, one by one', async () => {
  const { kit, topic } = await withTopic({ ageMsMax: 1000 });
  await using _ = kit;
  await topic.send({ value: '0' });
  await kit.advance(400);
  await topic.send({ value: '1' });
  await kit.advance(599);
  assert.equal(topic.count, 2);
  await kit.advance(1);
  await kit.settle();
  assert.equal(topic.count, 1);
  await kit.advance(400);
  await kit.settle();
  assert.equal(topic.count, 0);
  assert.equal((await topic.send({ value: '2' })).offset, 2, 'offsets are never reused');
});

test('queue retention removes messages acked by every group, interest also those that no group wants', async () => {
  const { kit, topic } = await withTopic({ retention: 'queue', keyState: true });
  await using _ = kit;
  const a = await topic.createGroup({ name: 'a', filters: ['a'] });
  const all = await topic.createGroup({ name: 'all' });
  for (const key of ['a', 'b']) await topic.send({ key, value: key });
  const [forA, forAll] = [kit.attach(a), kit.attach(all)];
  await kit.settle();
  assert.deepEqual([forA.values, forAll.values], [['a'], ['a', 'b']]);
  all.ack(0, 0);
  all.ack(0, 1);
  await kit.settle();
  assert.equal(topic.count, 1, 'group a has not acked its message; b was not for it');
  a.ack(0, 0);
  await kit.settle();
  assert.equal(topic.count, 0);
  assert.equal(topic.partitions.at(0)!.keyCount, 0);

  const interest = await kit.broker.createTopic({ name: 'interest', retention: 'interest' });
  await interest.send({ key: 'a', value: '0' });
  assert.equal(interest.count, 0);
  const g = await interest.createGroup({ name: 'g', filters: ['a'] });
  await interest.send({ key: 'a', value: '1' });
  await interest.send({ key: 'b', value: '2' });
  assert.equal(interest.count, 1);
  await g.delete();
  await kit.settle();
  assert.equal(interest.count, 0, 'the last group that wanted it is gone');
});

test('purge removes all, below an offset, by key, or all but the last', async () => {
  const { kit, topic } = await withTopic({ keyState: true });
  await using _ = kit;
  for (const key of ['a', 'b', 'a', 'b', 'a', 'b']) await topic.send({ key, value: key });
  const partition = topic.partitions.at(0);
  assert.equal(await partition!.purge({ pattern: 'a', keep: 1 }), 2);
  assert.deepEqual([...partition!.deletedRuns()], [[2, 3]]);
  assert.equal(partition!.firstOffset, 1);
  assert.equal(await partition!.purge({ before: 4 }), 2);
  assert.equal(await partition!.purge({ keep: 1 }), 1);
  assert.equal(await partition!.purge(), 1);
  assert.deepEqual([partition!.count, partition!.keyCount, partition!.nextOffset], [0, 0, 6]);
});

test('rollup removes earlier messages, of the key or of the topic', async () => {
  const { kit, topic } = await withTopic({ keyState: true });
  await using _ = kit;
  for (const key of ['a', 'b', 'a']) await topic.send({ key, value: key });
  await topic.send({ key: 'a', value: 'all of a' }, { replaces: 'key' });
  await kit.settle();
  assert.deepEqual([topic.count, topic.partitions.at(0)!.firstOffset], [2, 1]);
  await topic.send({ key: 'c', value: 'all' }, { replaces: 'topic' });
  assert.equal(topic.count, 1);
});

test('a delayed message appears at its time, also after a restart', async () => {
  const { kit, topic } = await withTopic();
  await using _ = kit;
  await topic.send({ key: 'k', value: 'later' }, { deliverAtMs: kit.clock.now() + 1000 });
  await topic.send({ value: 'much later' }, { deliverAtMs: kit.clock.now() + 5000 });
  assert.equal(topic.count, 0);
  await kit.advance(999);
  assert.equal(topic.count, 0);
  await kit.advance(1);
  await kit.settle();
  assert.equal(topic.count, 1);
  await kit.restart();
  assert.equal(kit.broker.stats().delayed, 1);
  await kit.advance(4000);
  await kit.settle();
  const again = kit.broker.topic('orders')!;
  assert.equal(again.count, 2);
  assert.equal(text((await again.partitions.at(0)!.get(1))!.value), 'much later');
});

test('topics may not capture overlapping subjects', async () => {
  const { kit, topic } = await withTopic({ subjects: ['orders.*'] });
  await using _ = kit;
  await assert.rejects(kit.broker.createTopic({ name: 'b', subjects: ['orders.eu'] }), {
    code: 'subjects-overlap',
  });
  const other = await kit.broker.createTopic({ name: 'c', subjects: ['other'] });
  await assert.rejects(other.update({ ...other.config, subjects: ['*.eu'] }), { code: 'subjects-overlap' });
  await topic.update({ ...topic.config, subjects: ['moved.*'] });
  await kit.broker.createTopic({ name: 'b', subjects: ['orders.eu'] });
});

test('a value that no record can hold is refused', async () => {
  const { kit, topic } = await withTopic();
  await using _ = kit;
  await assert.rejects(topic.send({ value: Buffer.alloc(64 * 1024 * 1024) }), { code: 'message-too-large' });
  assert.equal(topic.count, 0);
});

test('keys choose the partition, and each partition keeps its order', async () => {
  const { kit, topic } = await withTopic({ partitions: 3 });
  await using _ = kit;
  const group = await topic.createGroup({ name: 'g' });
  for (let i = 0; i < 30; i++) await topic.send({ key: `k${i % 5}`, value: `${i}` });
  const consumer = kit.attach(group);
  await kit.settle();
  assert.equal(consumer.got.length, 30);
  for (let key = 0; key < 5; key++) {
    const values = consumer.got.filter((got) => got.key === `k${key}`).map(({ value }) => Number(value));
    assert.deepEqual(
      values,
      [...values].sort((a, b) => a - b),
    );
  }
  assert.ok(topic.partitions.opened.filter(({ count }) => count > 0).length > 1);
});

test('a topic in memory serves as one on disk, and is empty after a restart', async () => {
  const { kit, topic } = await withTopic({ durability: 'memory' });
  await using _ = kit;
  const group = await topic.createGroup({ name: 'g' });
  const consumer = kit.attach(group);
  await topic.send({ value: '0' });
  await kit.settle();
  assert.deepEqual(consumer.values, ['0']);
  group.ack(0, 0);
  await kit.restart();
  const again = kit.broker.topic('orders')!;
  assert.equal(again.count, 0);
  await again.send({ value: '1' });
  const after = kit.attach(again.groups.get('g')!);
  await kit.settle();
  assert.deepEqual(after.values, ['1']);
});

test('a topic without subjects gets publishes to its name, unless another captures it', async () => {
  await using kit = await TestBroker.open();
  const { broker } = kit;
  const owner = (subject: string): string | undefined => broker.router.topicOf(subject)?.name;
  await broker.createTopic({ name: 'orders' });
  await broker.createTopic({ name: 'not a subject' });
  await broker.createTopic({ name: 'two.tokens' });
  assert.deepEqual(
    [owner('orders'), owner('orders.new'), owner('two.tokens')],
    ['orders', undefined, undefined],
  );
  await broker.createTopic({ name: 'all', subjects: ['orders', 'orders.*'] });
  assert.deepEqual([owner('orders'), owner('orders.new'), owner('all')], ['all', 'all', undefined]);
  await kit.restart();
  const after = (subject: string): string | undefined => kit.broker.router.topicOf(subject)?.name;
  assert.deepEqual([after('orders'), after('all')], ['all', undefined]);
  await kit.broker.topic('all')!.delete();
  assert.equal(after('orders'), 'orders');
  const own = kit.broker.topic('orders')!;
  await own.update({ ...own.config, subjects: ['o.>'] });
  assert.deepEqual([after('orders'), after('o.1')], [undefined, 'orders']);
});

test('a queue that was to be looked through when the broker stopped is looked through after the next start', async () => {
  await using kit = await TestBroker.open();
  const jobs = await kit.broker.createTopic({ name: 'jobs', retention: 'queue' });
  await jobs.send({ value: 'before' });
  const group = await jobs.createGroup({ name: 'late', start: { kind: 'new' } });
  void (await jobs.createGroup({ name: 'gone', filters: ['k'] })).delete();
  assert.equal(jobs.unswept, 'all');
  await kit.settle();
  assert.deepEqual([jobs.unswept, jobs.count], [undefined, 0], 'no group that is left is to handle it');

  await group.delete();
  await jobs.send({ value: 'between' });
  await jobs.createGroup({ name: 'later', start: { kind: 'new' } });
  await kit.restart();
  assert.equal(kit.broker.topic('jobs')!.count, 1);
  kit.broker.topic('jobs')!.restoreUnswept('all');
  await kit.restart();
  await kit.settle();
  assert.equal(kit.broker.topic('jobs')!.count, 0);
});
