import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { TestBroker } from '../kit.ts';

/** A topic of two messages per key, of which the last is gone; batches that were read are counted. */
async function withStaleKeys(
  keys: number,
  run: (kit: TestBroker, reads: () => number) => Promise<void>,
): Promise<void> {
  await using kit = await TestBroker.open();
  const topic = await kit.broker.createTopic({ name: 't', keyState: true });
  for (let round = 0; round < 2; round++)
    await Promise.all(Array.from({ length: keys }, (_, at) => topic.send({ key: `k.${at}`, value: 'x' })));
  const partition = topic.partitions.at(0)!;
  await Promise.all(Array.from({ length: keys }, (_, at) => partition.delete(keys + at)));
  await kit.settle();
  let reads = 0;
  const batchAt = partition.batchAt.bind(partition);
  partition.batchAt = (offset) => {
    reads++;
    return batchAt(offset);
  };
  await run(kit, () => reads);
}

const keys = 1000;

test('a group that begins with the last message of each key reads the log once, however many of these are gone', () =>
  withStaleKeys(keys, async (kit, reads) => {
    const group = await kit.broker.topic('t')!.createGroup({
      name: 'g',
      filters: ['k.*'],
      start: { kind: 'last-per-key' },
    });
    const consumer = kit.attach(group);
    await kit.settle();
    assert.deepEqual(
      consumer.offsets,
      Array.from({ length: keys }, (_, at) => at),
    );
    assert.ok(reads() < 100, `${reads()} batches were read`);
  }));

test('the last message of a pattern is looked for once, too', () =>
  withStaleKeys(keys, async (kit, reads) => {
    const last = await kit.broker.topic('t')!.partitions.at(0)!.last('k.*');
    assert.equal(last?.offset, keys - 1);
    assert.ok(reads() < 100, `${reads()} batches were read`);
  }));

test('a few keys are looked for one by one', () =>
  withStaleKeys(3, async (kit) => {
    const partition = kit.broker.topic('t')!.partitions.at(0)!;
    assert.equal((await partition.last('k.1'))?.offset, 1);
    assert.equal((await partition.last('k.*'))?.offset, 2);
  }));

test('the keys of a topic are looked at once each, and their texts are not made, to begin with the last messages', async () => {
  await using kit = await TestBroker.open();
  const topic = await kit.broker.createTopic({ name: 't', keyState: true });
  await Promise.all(
    Array.from({ length: keys }, (_, at) => topic.send({ key: `k.${at % 500}.x`, value: 'x' })),
  );
  const from = mock.method(Buffer, 'from');
  const group = await topic.createGroup({
    name: 'g',
    filters: ['k.>', 'k.*.x', 'k.1.x'],
    start: { kind: 'last-per-key' },
  });
  const texts = from.mock.callCount();
  from.mock.restore();
  assert.ok(texts < 100, `${texts} texts were made`);
  const consumer = kit.attach(group);
  await kit.settle();
  assert.deepEqual(
    consumer.offsets,
    Array.from({ length: 500 }, (_, at) => 500 + at),
  );
});
