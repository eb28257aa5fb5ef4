import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker, LogError, MemoryFiles } from '../../src/broker/index.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { SeededRandom, VirtualClock } from '../../src/util/index.ts';
import { TestBroker, text } from './kit.ts';

test('segments that a few stragglers pin are rewritten, and live messages stay readable', async () => {
  const clock = new VirtualClock();
  const files = new MemoryFiles();
  const open = (): Promise<Broker> =>
    Broker.open({
      dir: 'data',
      files,
      clock,
      random: new SeededRandom(1),
      memoryBytes: () => 0,
      log: { segmentBytesMax: 64 * 1024, batchBytesMax: 4096, tailCacheBytesMax: 0, readCacheBytesMax: 0 },
    });
  let broker = await open();
  const topic = await broker.createTopic({ name: 'jobs', retention: 'queue' });
  const partition = topic.partitions.at(0);
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => topic.send({ value: Buffer.alloc(200, round * 100 + i) })),
    );
  }
  await broker.checkpoint();
  const before = partition!.log.segments().reduce((sum, { bytes }) => sum + bytes, 0);
  assert.ok(before > 300_000, `${before}`);
  for (let offset = 0; offset < 2000; offset++) if (offset % 50 !== 0) partition!.remove(offset);
  assert.ok((await broker.compact()) > 0);
  const after = partition!.log.segments().reduce((sum, { bytes }) => sum + bytes, 0);
  assert.ok(after < before / 10, `${before} → ${after}`);
  assert.equal(await broker.compact(), 0, 'nothing is left to do');
  for (let round = 0; round < 2; round++) {
    const offsets: number[] = [];
    const { partitions } = broker.topic('jobs')!;
    for await (const record of partitions.at(0)!.scan(0)) {
      offsets.push(record.offset);
      assert.equal(record.value![0], record.offset % 256);
    }
    assert.deepEqual(
      offsets,
      Array.from({ length: 40 }, (_, i) => i * 50),
    );
    await broker.close();
    broker = await open();
  }
  await broker.close();
});

test('a passed watermark refuses publishes; consumers go on, and publishes are let in again without a restart', async () => {
  const clock = new VirtualClock();
  let memoryBytes = 0;
  await using broker = await Broker.open({
    dir: 'data',
    files: new MemoryFiles(),
    clock,
    watermarks: { memoryBytesMax: 1000 },
    memoryBytes: () => memoryBytes,
  });
  const topic = await broker.createTopic({ name: 'jobs' });
  const group = await topic.createGroup({ name: 'g' });
  await topic.send({ value: '0' });
  memoryBytes = 1001;
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  clock.advance(1000);
  await settle();
  assert.equal(broker.health.memoryFull, true);
  await assert.rejects(topic.send({ value: '1' }), { code: 'memory-full' });
  const received: string[] = [];
  group.attach({
    credit: 10,
    creditBytes: Infinity,
    receive: ({ record }) => received.push(text(record.value)),
    ended: () => undefined,
  });
  await settle();
  await settle();
  assert.deepEqual(received, ['0']);
  memoryBytes = 500;
  clock.advance(1000);
  await settle();
  await topic.send({ value: '2' });
});

test('watchers hear of topics and groups as they come and go', async () => {
  const kit = await TestBroker.open();
  await using _ = kit;
  const heard: string[] = [];
  const stop = kit.broker.events.subscribe((event) => heard.push(event.kind));
  const topic = await kit.broker.createTopic({ name: 't' });
  const group = await topic.createGroup({ name: 'g' });
  await group.pause();
  await group.resume();
  await group.delete();
  await topic.delete();
  stop();
  await kit.broker.createTopic({ name: 'u' });
  assert.deepEqual(heard, [
    'topic-created',
    'group-created',
    'group-paused',
    'group-resumed',
    'group-deleted',
    'topic-deleted',
  ]);
});

test('a closed broker refuses publishes and new topics', async () => {
  const kit = await TestBroker.open();
  const topic = await kit.broker.createTopic({ name: 't' });
  await kit.broker.close();
  await assert.rejects(topic.send({ value: 'x' }), { code: 'closed' });
  await assert.rejects(kit.broker.createTopic({ name: 'u' }), { code: 'closed' });
});

test('a group that was being made when the broker was closed is refused, and is not there', async () => {
  await using kit = await TestBroker.open();
  const topic = await kit.broker.createTopic({ name: 't' });
  await topic.send({ key: 'a.b', value: 'x' });
  const making = topic.createGroup({ name: 'g', filters: ['a.*'] }); // counts its messages first
  const refused = assert.rejects(making, { code: 'closed' });
  await kit.restart();
  await refused;
  assert.equal(kit.broker.topic('t')!.groups.size, 0);
});

test('a start whose disk fails at any call is rejected, and leaves the directory to the next', async () => {
  const files = new FaultyFiles();
  const options = {
    dir: 'data',
    clock: new VirtualClock(),
    memoryBytes: () => 0,
    log: { journalFileBytes: 64 * 1024 },
  };
  const first = await Broker.open({ ...options, files });
  const orders = await first.createTopic({ name: 'orders', keyState: true });
  for (const key of ['a', 'b', 'a']) await orders.send({ key, value: key });
  // The next start looks for the offsets of each key.
  await orders.update({ ...orders.config, messagesPerKeyMax: 2 });
  const crashed = files.crash('process', new SeededRandom(1));
  await first.close();
  let calls = 0;
  for (let after = 0; after <= calls; after++) {
    const disk = crashed.fork();
    calls = 0;
    disk.before = () => (calls++ >= after ? { code: 'EIO' } : undefined);
    const opening = Broker.open({ ...options, files: disk });
    const outcome = await Promise.race([
      opening.then(
        (broker) => broker,
        (error: unknown) => (error instanceof LogError ? 'rejected' : error),
      ),
      turns(200).then(() => 'hangs'),
    ]);
    disk.before = undefined;
    if (outcome instanceof Broker) await outcome.close().catch(() => undefined);
    else assert.equal(outcome, 'rejected', `after ${after} calls`);
    await Broker.open({ ...options, files: disk }).then((broker) => broker.close());
  }
  assert.ok(calls > 20);
});

/** Resolves when everything that can go on without a timer has gone on. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
