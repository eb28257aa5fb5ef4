import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker, type Topic } from '../../src/broker/index.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { SeededRandom, VirtualClock } from '../../src/util/index.ts';
import { eventually } from '../support/index.ts';
import { TestConsumer } from './kit.ts';

test('with no room for the next journal file publishes are refused, acks go on, and room lets publishes in again', async () => {
  const files = new FaultyFiles();
  const clock = new VirtualClock();
  await using broker = await Broker.open({
    dir: 'data',
    files,
    clock,
    random: new SeededRandom(1),
    log: { journalFileBytes: 64 * 1024 },
    memoryBytes: () => 0,
  });
  const orders = await broker.createTopic({ name: 'orders' });
  const group = await orders.createGroup({ name: 'g' });
  files.before = ({ kind, path }) =>
    kind === 'write' && path.includes('.journal.new') ? { code: 'ENOSPC' } : undefined;
  // The watermark sees nothing of it: it is the system that says no.
  const refusal = await eventually(async () =>
    orders.send({ value: 'x'.repeat(3000) }).then(
      () => undefined,
      (error: unknown) => error as { code: string; message: string },
    ),
  );
  assert.equal(refusal.code, 'storage-full');
  assert.match(refusal.message, /disk of data is full/);
  assert.equal(broker.health.diskFull, true);
  assert.equal(broker.congested, false);

  const consumer = new TestConsumer();
  group.attach(consumer);
  const { count } = orders.partitions.at(0)!;
  await eventually(() => consumer.got.length === count);
  for (const { offset } of consumer.got) group.ack(0, offset);
  await new Promise<void>((resolve) => broker.afterCommit(resolve));
  assert.equal(group.info().inFlight, 0);

  files.before = undefined;
  await eventually(async () => {
    clock.advance(1000);
    return orders.send({ value: 'fits' }).then(
      () => true,
      () => false,
    );
  });
  assert.equal(broker.health.diskFull, false);
});

const kib = 1024;

/** A broker past its watermark: it holds some 2 MiB, and its disk has less free than it should have. */
async function pastTheWatermark(retention: 'limits' | 'queue') {
  const files = new FaultyFiles({ totalBytes: 8 * 1024 * kib });
  const clock = new VirtualClock();
  const broker = await Broker.open({
    dir: 'data',
    files,
    clock,
    random: new SeededRandom(1),
    watermarks: { diskFreeBytesMin: 5 * 1024 * kib },
    log: { journalBytesMax: 1280 * kib, segmentBytesMax: 128 * kib },
    memoryBytes: () => 0,
  });
  const jobs = await broker.createTopic({ name: 'jobs', retention });
  const workers = await jobs.createGroup({ name: 'workers' });
  await eventually(async () => {
    clock.advance(100);
    return jobs.send({ value: 'x'.repeat(10_000) }).then(
      () => false,
      (error: unknown) => (error as { code: string }).code === 'storage-full',
    );
  });
  assert.equal(broker.health.diskFull, true);
  return { broker, clock, jobs, workers };
}

/**
 * Advances the clock until publishes are accepted; no more journal is written meanwhile than a few blocks.
 */
async function untilAccepted(jobs: Topic, clock: VirtualClock): Promise<void> {
  await eventually(async () => {
    clock.advance(1000);
    return jobs.send({ value: 'fits' }).then(
      () => true,
      () => false,
    );
  });
}

test('past the watermark a purge makes room, without a restart', async () => {
  const { broker, clock, jobs } = await pastTheWatermark('limits');
  await using _ = broker;
  await jobs.partitions.at(0)!.purge();
  await untilAccepted(jobs, clock);
  assert.equal(broker.health.diskFull, false);
});

test('past the watermark consuming makes room, without a restart', async () => {
  const { broker, clock, jobs, workers } = await pastTheWatermark('queue');
  await using _ = broker;
  const consumer = new TestConsumer();
  workers.attach(consumer);
  consumer.answer = ({ offset }) => workers.ack(0, offset);
  await untilAccepted(jobs, clock);
  assert.equal(broker.health.diskFull, false);
});

test('past the watermark nothing is checkpointed that gives no room', async () => {
  const { broker, clock, jobs } = await pastTheWatermark('limits');
  await using _ = broker;
  for (let seconds = 0; seconds < 10; seconds++) {
    clock.advance(1000);
    await settle();
  }
  const before = broker.stats().log.checkpoints;
  for (let seconds = 0; seconds < 60; seconds++) {
    clock.advance(1000);
    await settle();
  }
  assert.equal(broker.stats().log.checkpoints, before);
  // And one a second at most, however much is removed.
  for (let removals = 0; removals < 40; removals++) {
    await jobs.partitions.at(0)!.delete(jobs.partitions.at(0)!.firstOffset);
    clock.advance(100);
    await settle();
  }
  assert.ok(broker.stats().log.checkpoints - before <= 5);
});

test('the watermark is an eighth of a small disk, unless it is said', async () => {
  const files = new FaultyFiles({ totalBytes: 64 * 1024 * kib });
  const open = (diskFreeBytesMin?: number): Promise<Broker> =>
    Broker.open({
      dir: 'data',
      files,
      clock: new VirtualClock(),
      random: new SeededRandom(1),
      ...(diskFreeBytesMin === undefined ? {} : { watermarks: { diskFreeBytesMin } }),
      memoryBytes: () => 0,
    });
  for (const [diskFreeBytesMin, isFull] of [
    [undefined, false],
    [256 * 1024 * kib, true],
  ] as const) {
    await using broker = await open(diskFreeBytesMin);
    assert.equal(broker.health.diskFull, isFull);
  }
});

async function settle(): Promise<void> {
  for (let turns = 0; turns < 50; turns++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** A broker that looks at its disk of 16 MiB, and holds about 2 MiB of it in segments. */
async function withTwoMebibytes(retention: 'limits' | 'queue') {
  const files = new FaultyFiles({ totalBytes: 16 * 1024 * kib });
  const clock = new VirtualClock();
  const broker = await Broker.open({
    dir: 'data',
    files,
    clock,
    random: new SeededRandom(1),
    watermarks: { diskFreeBytesMin: 64 * kib },
    log: { journalBytesMax: 1280 * kib, segmentBytesMax: 128 * kib },
    memoryBytes: () => 0,
  });
  const jobs = await broker.createTopic({ name: 'jobs', retention });
  const workers = await jobs.createGroup({ name: 'workers' });
  for (let sent = 0; sent < 200; sent++) await jobs.send({ value: 'x'.repeat(10_000) });
  await settle();
  return { files, broker, clock, jobs, workers };
}

test('a disk that is full to the last byte gets room by a purge, and the broker closes cleanly', async () => {
  const { files, broker, clock, jobs } = await withTwoMebibytes('limits');
  files.freeBytes = 0; // others filled it
  clock.advance(1000);
  await settle();
  assert.equal(broker.health.diskFull, true);
  await jobs.partitions.at(0)!.purge();
  await untilAccepted(jobs, clock);
  await broker.close();
});

test('a disk that is full to the last byte gets room by consuming', async () => {
  const { files, broker, clock, jobs, workers } = await withTwoMebibytes('queue');
  await using _ = broker;
  files.freeBytes = 0;
  clock.advance(1000);
  await settle();
  const consumer = new TestConsumer();
  workers.attach(consumer);
  consumer.answer = ({ offset }) => workers.ack(0, offset);
  await untilAccepted(jobs, clock);
});

test('publishers that fill the disk within a second are refused at the watermark', async () => {
  const files = new FaultyFiles({ totalBytes: 4 * 1024 * kib });
  await using broker = await Broker.open({
    dir: 'data',
    files,
    clock: new VirtualClock(), // it stands: no look comes by time
    random: new SeededRandom(1),
    watermarks: { diskFreeBytesMin: 1024 * kib },
    log: { journalBytesMax: 640 * kib, segmentBytesMax: 128 * kib },
    memoryBytes: () => 0,
  });
  const orders = await broker.createTopic({ name: 'orders' });
  const refusal = await eventually(async () =>
    orders.send({ value: 'x'.repeat(10_000) }).then(
      () => undefined,
      (error: unknown) => error as { code: string; message: string },
    ),
  );
  assert.equal(refusal.code, 'storage-full');
  assert.match(refusal.message, /less than the watermark of 1048576/);
  assert.ok(files.freeBytes >= 512 * kib, `${files.freeBytes} bytes free`);
});

test('if no checkpoint finds room, attempts leave the journal to entries that cannot be refused', async () => {
  const { files, broker, clock } = await withTwoMebibytes('limits');
  await using _ = broker;
  files.before = ({ kind, path }) =>
    kind === 'write' && path.includes('checkpoint') ? { code: 'ENOSPC' } : undefined;
  files.freeBytes = 0;
  const { commits } = broker.stats().log;
  for (let seconds = 0; seconds < 600; seconds++) {
    clock.advance(1000);
    await settle();
  }
  assert.ok(broker.stats().log.commits - commits < 60, `${broker.stats().log.commits - commits} commits`);
  files.before = undefined;
  files.freeBytes = 8 * 1024 * kib;
});

for (const [what, remove] of [
  ['a purge', (topic: Topic) => topic.partitions.at(0)!.purge()],
  ['the deletion of a topic', (topic: Topic) => topic.delete()],
] as const)
  test(`${what} makes room when the journal is used up, too`, async () => {
    const { files, broker, clock, jobs, workers } = await withTwoMebibytes('limits');
    const other = await broker.createTopic({ name: 'other' });
    files.freeBytes = 0; // others filled it
    clock.advance(1000);
    await settle();
    // Entries that free no room are committed until the file has only its reserve left.
    const commits = (): Promise<boolean> => {
      const committed = workers.isPaused ? workers.resume() : workers.pause();
      return Promise.race([committed.then(() => true), settle().then(() => false)]);
    };
    while (await commits());
    for (let seconds = 0; seconds < 5; seconds++) {
      clock.advance(1000);
      await settle();
    }
    let isRemoved = false;
    void remove(jobs).then(() => (isRemoved = true));
    await eventually(() => {
      clock.advance(1000);
      return isRemoved;
    });
    await untilAccepted(other, clock);
    await broker.close();
  });
