import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../support/index.ts';
import { TestBroker, TestConsumer } from '../kit.ts';

test('a message that comes again goes before new ones, also when it must be read from disk', async () => {
  const log = { batchRecordsMax: 1, tailCacheBytesMax: 1000, readCacheBytesMax: 1 };
  await using kit = await TestBroker.open({ log: { ...log, journalFileBytes: 64 * 1024 } });
  const { topic, group } = await kit.broker.defineQueue({ name: 'jobs' }, {});
  await topic.send({ value: 'a'.repeat(600) });
  const consumer = new TestConsumer(1);
  group.attach(consumer);
  await kit.settle();
  await topic.send({ value: 'b'.repeat(600) });
  await kit.broker.checkpoint();
  const partition = topic.partitions.opened[0]!.log;
  assert.equal(partition.cached(0), undefined);
  assert.notEqual(partition.cached(1), undefined);
  group.nack(0, 0);
  consumer.credit = 2;
  group.wake();
  await eventually(async () => {
    await kit.settle();
    return consumer.got.length === 3;
  });
  assert.deepEqual(
    consumer.values.map((value) => value[0]),
    ['a', 'a', 'b'],
  );
});
