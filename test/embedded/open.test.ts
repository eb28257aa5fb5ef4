import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Broker, MemoryFiles } from '../../src/broker/index.ts';
import { Box, open, VirtualClock } from '../../src/index.ts';
import { FaultyFiles, type FileCall } from '../support/faulty-files.ts';
import { eventually, makeTemporaryDirectory } from '../support/index.ts';
import { collect, Gate, openTestBox, settle } from './kit.ts';
import { runScript } from './script.ts';

describe('a box in a directory', () => {
  test('has everything again when it is opened again', async () => {
    await using directory = await makeTemporaryDirectory();
    const dir = join(directory.path, 'data');
    {
      await using box = await open({ dir });
      const topic = await box.topic('orders', { ageMsMax: 1e9 });
      await topic.publishBatch(['a', 'b', 'c'], { dedupeId: 'x' }).catch(() => undefined);
      await topic.publishBatch([1, 2, 3]);
      const group = await topic.group('g', { ackWaitMs: 5000 });
      await (await group.next())?.ack();
      await group.next();
    }
    await using box = await open({ dir });
    assert.deepEqual(box.topics, ['orders']);
    const topic = await box.topic('orders');
    assert.equal(topic.config.ageMsMax, 1e9);
    assert.deepEqual(
      (await collect(topic.browse())).map(({ value }) => value),
      ['a', 1, 2, 3],
    );
    const group = await topic.group('g');
    assert.equal(group.config.ackWaitMs, 5000);
    const again = await group.next();
    assert.deepEqual([again?.value, again?.deliveries], [1, 2], 'what was under way comes again');
    assert.equal((await group.next())?.value, 2);
    assert.equal((await topic.publish('again', { dedupeId: 'x' })).duplicate, true);
  });

  test('belongs to one at a time', async () => {
    await using directory = await makeTemporaryDirectory();
    await using _ = await open({ dir: directory.path });
    await assert.rejects(open({ dir: directory.path }), { name: 'LogError', code: 'data-dir-locked' });
  });

  test('an ack that was heard survives a crash, and so does a publish', async () => {
    const files = new MemoryFiles();
    const broker = await Broker.open({ dir: '/data', files });
    const box = await open({ broker });
    const topic = await box.topic('orders');
    const group = await topic.group('g');
    await topic.publishBatch([1, 2, 3]);
    const [first, second] = [await group.next(), await group.next()];
    assert.equal(await second!.ack(), true);
    void first;
    const afterCrash = await Broker.open({ dir: '/data', files: files.copy() });
    await using again = await open({ broker: afterCrash });
    const left: unknown[] = [];
    const groupAgain = await (await again.topic('orders')).group('g');
    while (left.length < 2) left.push((await groupAgain.next())?.value);
    assert.deepEqual(left, [1, 3]);
    await Promise.all([box.close().then(() => broker.close()), afterCrash.close()]);
  });
});

describe('a box', () => {
  test('waits for handlers when it closes, and ends loops', async () => {
    const box = await open();
    const topic = await box.topic('orders');
    await topic.publish(1);
    const [handling, looping] = [await topic.group('a'), await topic.group('b', { start: 'new' })];
    const gate = new Gate();
    let isHandled = false;
    handling.consume(async () => {
      await gate.passed;
      isHandled = true;
    });
    const loop = collect(looping.deliveries());
    await eventually(() => handling.inFlight === 1);
    let isClosed = false;
    const closing = box.close().then(() => (isClosed = true));
    await settle();
    assert.equal(isClosed, false);
    gate.open();
    await closing;
    assert.equal(isHandled, true);
    assert.deepEqual(await loop, []);
    await assert.rejects(topic.publish(2), { code: 'closed' });
    await assert.rejects(box.topic('new'), { code: 'closed' });
    await box.close();
  });

  test('is a door to a broker that runs already, and leaves it open', async () => {
    const broker = await Broker.open({ dir: '/data', files: new MemoryFiles() });
    const box = await open({ broker });
    const topic = await box.topic('orders');
    await topic.publish(1);
    await box.close();
    assert.equal(broker.health.ready, true);
    await broker.topic('orders')!.send({ value: '2' });
    await using again = await open({ broker });
    assert.equal((await again.topic('orders')).count, 2);
    await broker.close();
  });

  test('keeps no more on its way than it is told', async () => {
    await using t = await openTestBox({ unackedPublishesMax: 10 });
    const topic = await t.box.topic('orders');
    await settle();
    const commitsBefore = t.box.stats().log.commits;
    await Promise.all(Array.from({ length: 100 }, (_, i) => topic.publish(i)));
    assert.equal(t.box.stats().log.commits - commitsBefore, 10);
  });

  test('tells waiting callers that the disk failed', async () => {
    let isBroken = false;
    const isJournalWrite = ({ kind, path }: FileCall): boolean =>
      kind === 'write' && path.includes('journal');
    const files = new FaultyFiles({
      before: (call) => (isBroken && isJournalWrite(call) ? { code: 'EIO' } : undefined),
    });
    const clock = new VirtualClock();
    const broker = await Broker.open({ dir: '/data', files, clock });
    const box = new Box({
      broker,
      clock,
      unackedPublishesMax: 100,
      keepsProcessAlive: false,
      ownsBroker: true,
    });
    const door = await open({ broker });
    const failures: unknown[] = [];
    door.watch((event) => failures.push(event.kind === 'failed' ? event.error : event.kind));
    const topic = await box.topic('orders');
    await topic.publish(1);
    const message = await (await topic.group('g')).next();
    const throughDoor = await (await (await door.topic('orders')).group('h')).next();
    isBroken = true;
    const ack = message!.ack();
    const doorAck = throughDoor!.ack();
    const publish = topic.publish(2);
    await assert.rejects(ack, { code: 'storage-failed' });
    await assert.rejects(doorAck, { code: 'storage-failed' });
    assert.deepEqual(
      failures.filter((failure) => failure instanceof Error).map(({ message }) => message),
      [broker.health.failed],
    );
    const late = await (await open({ broker })).topic('orders');
    await assert.rejects(late.publish(5), { code: 'storage-failed' });
    await assert.rejects(publish, { name: 'BrokerError', code: 'storage-failed' });
    await assert.rejects(topic.publish(3), { code: 'storage-failed' });
    await assert.rejects(
      message!
        .nack()
        .then(() => message!.ack())
        .then(() => topic.publish(4)),
      { code: 'storage-failed' },
    );
    await box.close().catch(() => undefined);
  });
});

describe('a process', () => {
  test('stays while there is a consumer', async () => {
    const { code, output } = await runScript(`
      const box = await open();
      const topic = await box.topic('reminders');
      await topic.publish('now', { delayMs: 300 });
      const group = await topic.group('g');
      console.log((await group.next()).value);
      await box.close();
    `);
    assert.deepEqual([code, output], [0, 'now\n']);
  });

  test('ends when there is none, also without closing the box', async () => {
    const { code, output } = await runScript(`
      const box = await open();
      const topic = await box.topic('orders');
      await topic.publish('x');
      const subscription = (await topic.group('g')).consume(() => console.log('handled'));
      await (await topic.group('g')).drained();
      await subscription.close();
    `);
    assert.deepEqual([code, output], [0, 'handled\n']);
  });
});
