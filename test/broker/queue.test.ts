import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker, BrokerError, defaultGroup } from '../../src/broker/index.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { SeededRandom, VirtualClock } from '../../src/util/index.ts';
import { TestBroker } from './kit.ts';

test('a queue is a topic and its group, and acked messages are deleted', async () => {
  await using kit = await TestBroker.open();
  const { topic, group } = await kit.broker.defineQueue({ name: 'orders' }, { maxDeliver: 3 });
  assert.equal(topic.config.retention, 'queue');
  assert.equal(topic.groups.get(defaultGroup), group);
  assert.equal(group.config.maxDeliver, 3);
  const consumer = kit.attach(group);
  await topic.send({ value: 'x' });
  await kit.settle();
  assert.deepEqual(consumer.values, ['x']);
  assert.ok(group.ack(0, 0));
  await kit.settle();
  assert.equal(topic.count, 0);
});

test('a queue has its group after a restart, and a message that was published meanwhile', async () => {
  await using kit = await TestBroker.open();
  await kit.broker.defineQueue({ name: 'orders' });
  await kit.broker.topic('orders')!.send({ value: 'x' });
  await kit.restart();
  const consumer = kit.attach(kit.broker.topic('orders')!.groups.get(defaultGroup)!);
  await kit.settle();
  assert.deepEqual(consumer.values, ['x']);
});

test('a queue whose name is taken is refused', async () => {
  await using kit = await TestBroker.open();
  await kit.broker.createTopic({ name: 'orders' });
  await assert.rejects(
    kit.broker.defineQueue({ name: 'orders' }),
    (error) => error instanceof BrokerError && error.code === 'topic-exists',
  );
  await assert.rejects(
    kit.broker.defineQueue({ name: 'other' }, { maxDeliver: 0 }),
    (error) => error instanceof BrokerError && error.code === 'group-config-invalid',
  );
  assert.equal(kit.broker.topic('other'), undefined);
});

test('a crash at any call of the disk leaves a queue whole, or not at all', async () => {
  const disk = new FaultyFiles();
  const broker = await open(disk);
  const crashed: FaultyFiles[] = [];
  const random = new SeededRandom(7);
  disk.before = ({ kind }) => {
    if (kind === 'write' || kind === 'sync')
      crashed.push(disk.crash('power', random), disk.crash('process', random));
    return undefined;
  };
  await broker.defineQueue({ name: 'orders' });
  disk.before = undefined;
  crashed.push(disk.crash('power', random));
  await broker.close();
  assert.ok(crashed.length > 2);
  const found = new Set<string>();
  for (const files of crashed) {
    const after = await open(files);
    const topic = after.topic('orders');
    found.add(
      topic === undefined
        ? 'nothing'
        : topic.groups.has(defaultGroup)
          ? 'a queue'
          : 'a topic without its group',
    );
    await after.close();
  }
  assert.deepEqual([...found].toSorted(), ['a queue', 'nothing']);
});

function open(files: FaultyFiles): Promise<Broker> {
  return Broker.open({
    dir: 'data',
    files,
    clock: new VirtualClock(),
    random: new SeededRandom(1),
    log: { journalFileBytes: 64 * 1024 },
    memoryBytes: () => 0,
  });
}
