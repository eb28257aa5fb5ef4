import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker } from '../../src/broker/index.ts';
import { FaultyFiles } from '../../src/log/index.ts';
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
