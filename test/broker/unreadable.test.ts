import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker, type Topic } from '../../src/broker/index.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { SeededRandom, VirtualClock, crc32c, writeU32 } from '../../src/util/index.ts';
import { TestConsumer } from './kit.ts';

/** A broker on a disk that can be damaged, without a decompressor. */
async function openBroker(files: FaultyFiles, clock: VirtualClock = new VirtualClock()): Promise<Broker> {
  return Broker.open({
    dir: 'data',
    files,
    clock,
    random: new SeededRandom(1),
    log: { journalFileBytes: 64 * 1024, tailCacheBytesMax: 1, readCacheBytesMax: 1, batchRecordsMax: 1 },
    memoryBytes: () => 0,
  });
}

async function settle(broker: Broker): Promise<void> {
  for (let round = 0; round < 10; round++) {
    await new Promise<void>((resolve) => broker.afterCommit(resolve));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

const compressionAt = 22;
const crcAt = 17;
const crcFrom = 21;

/** A batch of the topic's first message that says it is compressed with gzip, and is not. */
async function publishUnreadable(topic: Topic): Promise<void> {
  const { log } = topic.partitions.at(0)!;
  const first = log.cached(0) ?? (await log.load(0));
  const batch = Buffer.from(first!.buffer);
  batch[compressionAt] = 1;
  writeU32(batch, crcAt, crc32c(batch, crcFrom, batch.length));
  await new Promise<void>((resolve, reject) => {
    topic.publishBatch(
      0,
      batch,
      { published: () => resolve(), refused: (_, error) => reject(error) },
      undefined,
    );
  });
}

test('a batch that cannot be decompressed is skipped and reported, once', async () => {
  const files = new FaultyFiles();
  await using broker = await openBroker(files);
  const orders = await broker.createTopic({ name: 'orders' });
  await orders.send({ key: 'b', value: 'before' });
  await publishUnreadable(orders);
  await orders.send({ key: 'a', value: 'after' });
  const groups = [
    await orders.createGroup({ name: 'one' }),
    await orders.createGroup({ name: 'two', ordering: 'key' }),
    await orders.createGroup({ name: 'three', filters: ['a.*'] }),
  ];
  const consumers = groups.map((group) => {
    const consumer = new TestConsumer();
    group.attach(consumer);
    return consumer;
  });
  await settle(broker);
  assert.deepEqual(
    consumers.map(({ values }) => values),
    [['before', 'after'], ['before', 'after'], []],
  );
  assert.deepEqual(
    groups.map(({ lag }) => lag),
    [0, 0, 0],
  );
  const partition = orders.partitions.at(0)!;
  const scanned: number[] = [];
  for await (const { offset } of partition.scan(0)) scanned.push(offset);
  assert.deepEqual(scanned, [0, 2]);
  assert.equal(await partition.get(1), undefined);
  const reports = broker.health.damage.filter(({ kind }) => kind === 'records');
  assert.deepEqual(
    reports.map(({ fromOffset, toOffset }) => [fromOffset, toOffset]),
    [[1, 2]],
  );
  assert.match(
    reports[0]!.message,
    /^The batch at offsets 1 to 1 of partition 0 of topic "orders" cannot be read: /,
  );
});

test('many of them in a row leave other readers their turns', async () => {
  const broken = 20;
  let opened = 0;
  await using broker = await Broker.open({
    dir: 'data',
    files: new FaultyFiles(),
    random: new SeededRandom(1),
    log: {
      journalFileBytes: 1024 * 1024,
      decompress: () => {
        opened++;
        throw new Error('it explodes');
      },
    },
    memoryBytes: () => 0,
  });
  const mostInOneTurn = async (isDone: () => boolean): Promise<number> => {
    let most = 0;
    for (let before = opened; !isDone(); before = opened) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      most = Math.max(most, opened - before);
    }
    return most;
  };
  for (const name of ['delivered', 'scanned']) {
    const topic = await broker.createTopic({ name });
    await topic.send({ key: 'b', value: 'before' });
    for (let i = 0; i < broken; i++) await publishUnreadable(topic);
    await topic.send({ key: 'a', value: 'after' });
    opened = 0;
    const values: (string | null)[] = [];
    if (name === 'delivered') {
      const consumer = new TestConsumer();
      (await topic.createGroup({ name: 'g' })).attach(consumer);
      const most = await mostInOneTurn(() => consumer.values.length === 2);
      assert.ok(most <= 2, `${most} opened in one turn`);
    } else {
      const scan = (async () => {
        for await (const { value } of topic.partitions.at(0)!.scan(0)) values.push(value && String(value));
      })();
      const most = await mostInOneTurn(() => values.length === 2);
      await scan;
      assert.ok(most <= 2, `${most} opened in one turn`);
    }
    assert.equal(opened, broken);
  }
});

test('a batch that cannot be decompressed is no obstacle to a start, to retention by age, and to removal', async () => {
  const files = new FaultyFiles();
  const clock = new VirtualClock();
  const broker = await openBroker(files, clock);
  const orders = await broker.createTopic({ name: 'orders', ageMsMax: 60_000 });
  await orders.send({ value: 'before', timestampMs: clock.now() });
  await publishUnreadable(orders);
  await orders.createGroup({ name: 'filtered', filters: ['a.*'] });
  const after = files.crash('process', new SeededRandom(1));
  await broker.close();

  await using again = await openBroker(after, clock);
  const partition = again.topic('orders')!.partitions.at(0)!;
  assert.equal(partition.count, 2);
  clock.advance(30_000);
  await settle(again);
  assert.equal(partition.count, 2, 'it is as young as its batch says');
  clock.advance(31_000);
  await settle(again);
  assert.equal(partition.count, 0);
});

test('a message lost to damage at the end of the log blocks no group', async () => {
  const files = new FaultyFiles();
  const first = await openBroker(files);
  const orders = await first.createTopic({ name: 'orders' });
  for (let i = 0; i < 4; i++) await orders.send({ value: `m${i}` });
  const delivered = await orders.createGroup({ name: 'delivered' });
  const consumer = new TestConsumer();
  delivered.attach(consumer);
  await orders.createGroup({ name: 'fresh' });
  await settle(first);
  assert.equal(consumer.got.length, 4);
  await first.close();
  const path = files.paths().find((name) => name.endsWith('.log'))!;
  files.damage(path, (bytes) => void (bytes[bytes.length - 1]! ^= 1));

  await using broker = await openBroker(files);
  const groups = [...broker.topic('orders')!.groups.values()];
  const consumers = groups.map((group) => {
    const reader = new TestConsumer();
    group.attach(reader);
    return reader;
  });
  await settle(broker);
  assert.deepEqual(
    consumers.map(({ values }) => values),
    [
      ['m0', 'm1', 'm2'],
      ['m0', 'm1', 'm2'],
    ],
  );
  for (const group of groups) for (const offset of [0, 1, 2]) assert.ok(group.ack(0, offset));
  await settle(broker);
  assert.deepEqual(
    groups.map((group) => [group.lag, group.info().inFlight]),
    [
      [0, 0],
      [0, 0],
    ],
  );
  assert.deepEqual(
    broker.health.damage.map(({ kind, fromOffset, toOffset }) => [kind, fromOffset, toOffset]),
    [['segment', 3, 4]],
  );
});

test('a read that fails now is tried again a second later', async () => {
  const files = new FaultyFiles();
  const clock = new VirtualClock();
  const first = await openBroker(files);
  const orders = await first.createTopic({ name: 'orders', messagesPerKeyMax: 1 });
  await orders.send({ key: 'a', value: 'm0' });
  await orders.createGroup({ name: 'one' });
  await first.close();

  await using broker = await openBroker(files, clock);
  let failures = 0;
  files.before = (call) => {
    if (call.kind !== 'read' || !call.path.endsWith('.log') || failures === 3) return undefined;
    failures++;
    return { code: 'EMFILE' };
  };
  const consumer = new TestConsumer();
  broker.topic('orders')!.groups.get('one')!.attach(consumer);
  await settle(broker);
  assert.deepEqual(consumer.values, []);
  for (let i = 0; i < 3; i++) {
    clock.advance(1000);
    await settle(broker);
  }
  assert.deepEqual(consumer.values, ['m0']);
  assert.equal(failures, 3);
});
