import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker, type GroupOptions } from '../../../src/broker/index.ts';
import { SeededRandom } from '../../../src/util/index.ts';
import { TestBroker, TestConsumer } from '../kit.ts';

/**
 * The deliveries of the one message that a consumer is given by a process after the other, each killed so
 * long after the delivery.
 */
async function deliveriesOfLives(lives: number, livesMs: number, group: Partial<GroupOptions> = {}) {
  await using kit = await TestBroker.open();
  const jobs = await kit.broker.createTopic({ name: 'jobs' });
  await jobs.createGroup({ name: 'workers', ackWaitMs: 60_000, ...group });
  await jobs.send({ value: 'poison' });
  await kit.settle();
  let files = kit.files.copy(); // as a kill leaves them
  const deliveries: number[] = [];
  for (let life = 0; life < lives; life++) {
    const { clock } = kit;
    const log = { journalFileBytes: 1024 * 1024 };
    await using broker = await Broker.open({
      dir: 'data',
      files,
      clock,
      random: new SeededRandom(life),
      log,
      memoryBytes: () => 0,
    });
    const consumer = new TestConsumer();
    broker.topic('jobs')!.groups.get('workers')!.attach(consumer);
    for (let turns = 0; turns < 20; turns++) await new Promise<void>((resolve) => setImmediate(resolve));
    clock.advance(livesMs);
    for (let turns = 0; turns < 20; turns++) await new Promise<void>((resolve) => setImmediate(resolve));
    deliveries.push(...consumer.got.map((got) => got.deliveries));
    files = files.copy();
  }
  return deliveries;
}

test('a message whose handler kills its process is counted, though nothing else is committed', async () => {
  assert.deepEqual(await deliveriesOfLives(4, 100), [1, 2, 3, 4]);
});

test('a message that kills every process is given up after maxDeliver', async () => {
  // After the last delivery the message waits for an answer until its deadline.
  assert.deepEqual(await deliveriesOfLives(5, 100, { maxDeliver: 3 }), [1, 2, 3]);
});

test('deliveries share a commit, and at most once asks for none', async () => {
  for (const ack of ['explicit', 'none'] as const) {
    await using kit = await TestBroker.open();
    const jobs = await kit.broker.createTopic({ name: 'jobs' });
    const workers = await jobs.createGroup({ name: 'workers', ack });
    for (let i = 0; i < 100; i++) void jobs.send({ value: `m${i}` });
    await kit.settle();
    const consumer = kit.attach(workers, 0);
    const before = kit.broker.stats().log.commits;
    for (let i = 0; i < 100; i++) {
      consumer.credit = 1;
      workers.wake();
      for (let turns = 0; turns < 4; turns++) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    assert.equal(consumer.got.length, 100);
    kit.clock.advance(1000);
    for (let turns = 0; turns < 20; turns++) await new Promise<void>((resolve) => setImmediate(resolve));
    assert.equal(kit.broker.stats().log.commits - before, ack === 'none' ? 0 : 1);
  }
});
