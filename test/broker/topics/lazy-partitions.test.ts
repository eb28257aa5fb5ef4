import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Broker } from '../../../src/broker/index.ts';
import { TestBroker } from '../kit.ts';

const topics = 10;
const partitions = 10_000;

async function withManyPartitions(): Promise<TestBroker> {
  const kit = await TestBroker.open();
  for (let i = 0; i < topics; i++) await kit.broker.createTopic({ name: `t${i}`, partitions });
  return kit;
}

function openedIn(broker: Broker): number {
  return [...broker.topics.values()].reduce((sum, topic) => sum + topic.partitions.opened.length, 0);
}

test('partitions that hold nothing have no object, no file and no row, before and after a restart', async () => {
  await using kit = await withManyPartitions();
  await kit.broker.checkpoint();
  assert.equal(openedIn(kit.broker), 0);
  assert.deepEqual(await kit.files.list('data/topics'), []);
  const [a, b] = ['a', 'b'].map((name) => kit.files.bytes(`data/checkpoint-${name}`)?.length ?? 0);
  assert.ok(Math.max(a!, b!) < topics * partitions * 10, `a checkpoint of ${a} or ${b} bytes`);
  await kit.restart();
  assert.equal(kit.broker.topics.size, topics);
  assert.equal(openedIn(kit.broker), 0);
  assert.equal(kit.broker.topic('t9')!.partitions.length, partitions);
});

test('the first message opens its partition, and only that is open after a restart', async () => {
  await using kit = await withManyPartitions();
  const topic = kit.broker.topic('t3')!;
  const group = await topic.createGroup({ name: 'g', start: { kind: 'new' } });
  await topic.send({ value: 'first' }, { partition: 7777 });
  assert.deepEqual(
    topic.partitions.opened.map(({ index }) => index),
    [7777],
  );
  const consumer = kit.attach(group);
  await kit.settle();
  assert.deepEqual(consumer.values, ['first']);
  for (const restart of [() => kit.restart(), () => crash(kit)]) {
    await restart();
    const again = kit.broker.topic('t3')!;
    assert.equal(openedIn(kit.broker), 1);
    assert.equal(again.partitions.opened[0]!.index, 7777);
    assert.equal(again.partitions.opened[0]!.nextOffset, 1);
    assert.equal(again.groups.get('g')!.lag + again.groups.get('g')!.info().inFlight, 1);
  }
  assert.deepEqual((await kit.files.list('data/topics')).length, 1);
});

/** Starts again on the current files, as after a kill. */
async function crash(kit: TestBroker): Promise<void> {
  const left = kit.files.copy();
  await kit.broker.close();
  Object.defineProperty(kit, 'files', { value: left });
  await kit.start();
}

test('positions on partitions between those that are opened keep their place', async () => {
  await using kit = await withManyPartitions();
  const topic = kit.broker.topic('t0')!;
  const group = await topic.createGroup({ name: 'g', positions: 'committed' });
  for (const partition of [9000, 12, 500]) await topic.send({ value: 'x' }, { partition });
  group.commitOffset(9000, 1, 'nine');
  group.commitOffset(12, 1, 'twelve');
  group.commitOffset(3, 0, 'empty');
  await kit.settle();
  for (const restart of [() => crash(kit), () => kit.restart()]) {
    await restart();
    const again = kit.broker.topic('t0')!.groups.get('g')!;
    assert.deepEqual(again.committed(9000), { offset: 1, metadata: 'nine' });
    assert.deepEqual(again.committed(12), { offset: 1, metadata: 'twelve' });
    assert.deepEqual(again.committed(3), { offset: 0, metadata: 'empty' });
    assert.equal(again.committed(500), undefined);
    assert.equal(again.lag, 1);
    assert.deepEqual(
      kit.broker.topic('t0')!.partitions.opened.map(({ index }) => index),
      [3, 12, 500, 9000],
    );
  }
});

test('a partition whose only message was in a damaged commit does not give its offset again', async () => {
  await using kit = await TestBroker.open();
  const topic = await kit.broker.createTopic({ name: 'jobs', partitions: 100 });
  await kit.broker.checkpoint();
  await topic.send({ value: 'the victim' }, { partition: 42 });
  await topic.send({ value: 'another' }, { partition: 43 });
  const left = kit.files.copy();
  for (const name of await left.list('data/journal')) {
    const bytes = left.bytes(`data/journal/${name}`)!;
    const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf('the victim');
    if (at >= 0) bytes[at]! ^= 1;
  }
  const broker = await Broker.open({ dir: 'data', files: left, clock: kit.clock, memoryBytes: () => 0 });
  const { offset } = await broker.topic('jobs')!.send({ value: 'later' }, { partition: 42 });
  assert.ok(offset > 0, 'the offset of the lost message is not used again');
  await broker.close();
});

test('a deleted topic leaves nothing of its partitions, opened or not', async () => {
  await using kit = await withManyPartitions();
  const topic = kit.broker.topic('t5')!;
  await topic.send({ value: 'x' }, { partition: 1 });
  await kit.broker.checkpoint();
  await topic.delete();
  await kit.broker.checkpoint();
  await kit.broker.checkpoint();
  assert.deepEqual(await kit.files.list('data/topics'), []);
  await kit.restart();
  assert.equal(kit.broker.topic('t5'), undefined);
  assert.equal(kit.broker.health.damage.length, 0);
  const again = await kit.broker.createTopic({ name: 't5', partitions });
  assert.equal((await again.send({ value: 'y' }, { partition: 1 })).offset, 0);
});

test('a topic that grows keeps the ids of its partitions in order', async () => {
  await using kit = await TestBroker.open();
  const a = await kit.broker.createTopic({ name: 'a', partitions: 3 });
  await kit.broker.createTopic({ name: 'b', partitions: 3 });
  await a.update({ ...a.config, partitions: 6 });
  for (let partition = 0; partition < 6; partition++) await a.send({ value: `${partition}` }, { partition });
  const ids = [...a.partitions.ids()];
  assert.equal(new Set([...ids, ...kit.broker.topic('b')!.partitions.ids()]).size, 9);
  await crash(kit);
  const again = kit.broker.topic('a')!;
  assert.deepEqual([...again.partitions.ids()], ids);
  for (let partition = 0; partition < 6; partition++)
    assert.equal(
      Buffer.from((await again.partitions.at(partition)!.get(0))!.value!).toString(),
      `${partition}`,
    );
});
