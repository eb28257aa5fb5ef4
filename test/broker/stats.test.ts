import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker, type Group, type TopicOptions } from '../../src/broker/index.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { SeededRandom, VirtualClock } from '../../src/util/index.ts';
import { TestBroker } from './kit.ts';

/** The time to full that a topic reports, in seconds, after ten seconds of ten messages a second. */
async function timeToFull(options: Partial<TopicOptions>, partition?: number): Promise<number | undefined> {
  await using kit = await TestBroker.open();
  const topic = await kit.broker.createTopic({ name: 'orders', ...options });
  topic.stats();
  for (let second = 0; second < 100; second++) {
    for (let i = 0; i < 10; i++)
      void topic.send({ value: 'x'.repeat(1000) }, partition === undefined ? undefined : { partition });
    await kit.advance(1000);
    topic.stats();
  }
  const { timeToFullMs } = topic.stats();
  return timeToFullMs === undefined ? undefined : Math.round(timeToFullMs / 1000);
}

test('the time to full is that of the nearest limit: messages, bytes', async () => {
  assert.equal(await timeToFull({}), undefined);
  assert.equal(await timeToFull({ messagesMax: 2000 }), 100);
  const byBytes = await timeToFull({ bytesMax: 2_000_000 });
  assert.ok(byBytes! > 85 && byBytes! < 100, `${byBytes} s until 2 MB, of which 1 MB is used`);
  assert.equal(await timeToFull({ messagesMax: 2000, bytesMax: 2_000_000 }), byBytes);
  assert.equal(await timeToFull({ messagesMax: 1500, bytesMax: 2_000_000 }), 50);
  assert.equal(await timeToFull({ messagesMax: 1000, partitions: 2 }), 100, 'limits are per partition');
});

test("the time to full knows the disk's watermark", async () => {
  const clock = new VirtualClock();
  const files = new FaultyFiles({ totalBytes: 100_000_000 });
  await using broker = await Broker.open({
    dir: 'data',
    files,
    clock,
    random: new SeededRandom(1),
    log: { journalFileBytes: 64 * 1024 },
    watermarks: { diskFreeBytesMin: 10_000_000 },
    memoryBytes: () => 0,
  });
  const topic = await broker.createTopic({ name: 'orders' });
  const idle = await broker.createTopic({ name: 'idle' });
  const second = async (bytesUsed: number): Promise<void> => {
    files.freeBytes -= bytesUsed;
    await topic.send({ value: 'x' });
    clock.advance(1000);
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    topic.stats();
    idle.stats();
  };
  for (let i = 0; i < 65; i++) await second(0); // a minute after the files of the start
  assert.equal(broker.stats().diskTimeToFullMs, undefined, 'the disk does not fill');
  files.freeBytes = 90_000_000;
  for (let i = 0; i < 65; i++) await second(0);
  for (let i = 0; i < 60; i++) await second(1_000_000);
  const { diskTimeToFullMs } = broker.stats();
  assert.ok(
    diskTimeToFullMs! > 19_000 && diskTimeToFullMs! < 21_500,
    `${diskTimeToFullMs} ms for 20 MB at 1 MB/s`,
  );
  assert.equal(topic.stats().timeToFullMs, undefined, 'the disk is no topic of its own');
  assert.equal(idle.stats().timeToFullMs, undefined);
});

/** The age that a group says its oldest message has, in seconds. */
async function age(group: Group): Promise<number | undefined> {
  const ms = await group.oldestAgeMs();
  return ms === undefined ? undefined : ms / 1000;
}

test('the oldest age is that of the oldest message that is pending or not delivered, on any partition', async () => {
  await using kit = await TestBroker.open();
  const { broker, clock } = kit;
  const orders = await broker.createTopic({ name: 'orders', partitions: 2 });
  const group = await orders.createGroup({ name: 'g', filters: ['a.*'], ackWaitMs: 1e6 });
  assert.equal(await age(group), undefined);
  clock.advance(1_000_000);
  const at = (seconds: number): number => clock.now() - seconds * 1000;
  const send = (key: string, seconds: number, partition: number): Promise<unknown> =>
    orders.send({ key, value: '', timestampMs: at(seconds) }, { partition });
  await send('b.0', 900, 0); // not wanted
  await send('a.0', 10, 0);
  await send('a.1', 50, 0);
  await send('b.1', 800, 1);
  await send('a.2', 30, 1);
  assert.equal(await age(group), 30, 'nothing was delivered: the first of each partition');
  const consumer = kit.attach(group, 2);
  await kit.settle();
  consumer.credit = 1;
  group.wake();
  await kit.settle();
  assert.equal(consumer.got.length, 3);
  assert.equal(await age(group), 50, 'pending: the oldest, not the first');
  await send('a.3', 70, 0);
  assert.equal(await age(group), 70, 'not delivered, and older than all that is pending');
  consumer.credit = 1;
  group.wake();
  await kit.settle();
  assert.ok(group.ack(0, 3));
  assert.ok(group.ack(0, 1));
  assert.equal(await age(group), 50);
  await kit.restart();
  const again = kit.broker.topic('orders')!.groups.get('g')!;
  assert.equal(await age(again), 50, 'read again after a restart');
  await kit.broker.topic('orders')!.partitions.at(0)!.delete(2);
  assert.equal(await age(again), 30, 'what was removed is nobody’s');
});
