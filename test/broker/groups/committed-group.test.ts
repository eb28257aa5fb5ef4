import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Group, Topic, TopicOptions } from '../../../src/broker/index.ts';
import { TestBroker, TestConsumer } from '../kit.ts';

async function setUp(
  kit: TestBroker,
  count: number,
  options: Partial<TopicOptions> = {},
): Promise<{ topic: Topic; group: Group }> {
  const topic = await kit.broker.createTopic({ name: 'events', ...options });
  const group = await topic.createGroup({ name: 'g', ack: 'all', positions: 'committed' });
  for (let i = 0; i < count; i++)
    await topic.send({ value: `${i}`, key: i % 2 === 0 ? 'even' : 'odd' }, { partition: 0 });
  return { topic, group };
}

test('its position is the committed one, with true lag, and outlives a restart', async () => {
  const kit = await TestBroker.open();
  await using _ = kit;
  const { group } = await setUp(kit, 10, { partitions: 2 });
  assert.equal(group.committed(0), undefined);
  assert.equal(group.info().lag, 10);
  group.commitOffset(0, 4, 'by a');
  group.commitOffset(0, 7, 'by b');
  assert.equal(group.info().lag, 3);
  const { ackFloor, answeredEnd, deliveredEnd } = group.info();
  assert.deepEqual([ackFloor, answeredEnd, deliveredEnd], [7, 7, 7]);
  assert.equal(group.stats().acked, 7);
  group.commitOffset(0, 6);
  assert.equal(group.info().lag, 4, 'offsets may go back');
  assert.throws(() => group.commitOffset(2, 0), { code: 'offset-not-found' });
  await kit.settle();
  for (const how of ['journal', 'checkpoint']) {
    await kit.restart();
    const again = kit.broker.topic('events')!.groups.get('g')!;
    assert.deepEqual(again.committed(0), { offset: 6, metadata: '' }, how);
    assert.equal(again.committed(1), undefined);
    assert.equal(again.info().lag, 4, how);
    assert.equal(again.isCommitted, true);
  }
});

test('it delivers nothing to any consumer, and counts its consumers', async () => {
  const kit = await TestBroker.open();
  await using _ = kit;
  const { topic, group } = await setUp(kit, 3);
  const consumer = kit.attach(group, 10);
  await topic.send({ value: 'more' });
  await kit.settle();
  assert.deepEqual(consumer.got, []);
  assert.equal(group.info().consumers, 1);
});

test('offsets are committed to groups of its kind only', async () => {
  const kit = await TestBroker.open();
  await using _ = kit;
  const { topic } = await setUp(kit, 1);
  const other = await topic.createGroup({ name: 'delivering' });
  assert.throws(() => other.commitOffset(0, 1), { code: 'not-allowed' });
  await assert.rejects(topic.createGroup({ name: 'x', positions: 'committed', filters: ['a'] }), {
    code: 'group-config-invalid',
  });
  await assert.rejects(other.update({ ...other.config, positions: 'committed' }), {
    code: 'group-config-invalid',
  });
});

test('an offset beyond the end is kept as it is; nothing lags then', async () => {
  const kit = await TestBroker.open();
  await using _ = kit;
  const { group } = await setUp(kit, 3);
  group.commitOffset(0, 100);
  assert.deepEqual(group.committed(0), { offset: 100, metadata: '' });
  assert.equal(group.info().lag, 0);
});

test('in a queue a commit removes messages that no other group wants', async () => {
  const kit = await TestBroker.open();
  await using _ = kit;
  const { topic, group } = await setUp(kit, 10, { retention: 'queue' });
  group.commitOffset(0, 3);
  assert.equal(topic.count, 7);
  const other = await topic.createGroup({ name: 'other' });
  const consumer = kit.attach(other, 2);
  await kit.settle();
  group.commitOffset(0, 8);
  assert.equal(topic.count, 7, 'the other group has not handled them');
  for (const { offset } of consumer.got) other.ack(0, offset);
  assert.equal(topic.count, 5);
  await kit.restart();
  assert.equal(kit.broker.topic('events')!.count, 5);
});

test('in a queue with a group that filters, a commit removes messages that it does not want', async () => {
  const kit = await TestBroker.open();
  await using _ = kit;
  const { topic, group } = await setUp(kit, 10, { retention: 'queue' });
  await topic.createGroup({ name: 'odd', filters: ['odd'] });
  group.commitOffset(0, 6);
  await kit.settle();
  assert.equal(topic.count, 7, '0, 2 and 4 are gone');
});

test('it is put somewhere else, on all partitions or on one, and forgets', async () => {
  const kit = await TestBroker.open();
  await using _ = kit;
  const { group } = await setUp(kit, 10, { partitions: 2 });
  group.commitOffset(0, 5);
  await group.reset({ kind: 'new' });
  assert.deepEqual(group.committed(0), { offset: 10, metadata: '' });
  await group.resetPartition(0, 2);
  assert.deepEqual(group.committed(0), { offset: 2, metadata: '' });
  assert.deepEqual(group.committed(1), { offset: 0, metadata: '' });
  await group.forgetOffset(0);
  assert.equal(group.committed(0), undefined);
  assert.equal(group.info().lag, 10);
  await kit.restart();
  const again = kit.broker.topic('events')!.groups.get('g')!;
  assert.equal(again.committed(0), undefined);
  assert.equal(again.info().lag, 10);
});

test('on a topic in memory nothing committed outlives the messages', async () => {
  const kit = await TestBroker.open();
  await using _ = kit;
  const { group } = await setUp(kit, 5, { durability: 'memory' });
  group.commitOffset(0, 5);
  await kit.restart();
  assert.equal(kit.broker.topic('events')!.groups.get('g')!.committed(0), undefined);
});

test('a consumer gets messages of the partitions it takes only, and others get the rest', async () => {
  const kit = await TestBroker.open();
  await using _ = kit;
  const topic = await kit.broker.createTopic({ name: 'parts', partitions: 3 });
  const group = await topic.createGroup({ name: 'g' });
  const some = Object.assign(new TestConsumer(), { partitions: new Set([1]) });
  const any = new TestConsumer();
  group.attach(some);
  for (let i = 0; i < 12; i++) await topic.send({ value: `${i % 3}` }, { partition: i % 3 });
  await kit.settle();
  assert.deepEqual(some.values, ['1', '1', '1', '1']);
  group.attach(any);
  await kit.settle();
  assert.deepEqual([...any.values].sort(), ['0', '0', '0', '0', '2', '2', '2', '2']);
});

test('what an offset below 0 means is its committer’s affair: it is kept, with its epoch, and moves nothing', async () => {
  const kit = await TestBroker.open();
  await using _ = kit;
  const { group } = await setUp(kit, 10);
  group.commitOffset(0, 4, 'm', 7);
  assert.deepEqual(group.committed(0), { offset: 4, metadata: 'm', epoch: 7 });
  await kit.restart();
  const restarted = (): typeof group => kit.broker.topic('events')!.groups.get(group.name)!;
  assert.deepEqual(restarted().committed(0), { offset: 4, metadata: 'm', epoch: 7 });
  restarted().commitOffset(0, -2, 'again');
  assert.deepEqual(
    [restarted().committed(0), restarted().info().lag],
    [{ offset: -2, metadata: 'again' }, 6],
  );
  await kit.settle();
  await kit.crash();
  assert.deepEqual(
    [restarted().committed(0), restarted().info().lag],
    [{ offset: -2, metadata: 'again' }, 6],
  );
  restarted().commitOffset(0, 5, '', 0);
  await kit.settle();
  await kit.crash();
  assert.deepEqual(restarted().committed(0), { offset: 5, metadata: '', epoch: 0 });
});
