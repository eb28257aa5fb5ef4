import { strict as assert } from 'node:assert';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import {
  Broker,
  BrokerError,
  budgetLimits,
  budgetNames,
  budgetTable,
  type BudgetLimits,
  type BudgetName,
} from '../../src/broker/index.ts';
import { MemoryFiles } from '../../src/log/index.ts';
import { SeededRandom, VirtualClock } from '../../src/util/index.ts';
import { encodeRecordBatch } from '../../src/wire/kafka/index.ts';
import { TestConsumer } from './kit.ts';
import { publish } from './transactions-kit.ts';

interface Kit {
  readonly broker: Broker;
  readonly clock: VirtualClock;
  readonly restart: (budgets: Partial<BudgetLimits>) => Promise<Broker>;
}

async function withBroker(budgets: Partial<BudgetLimits>, run: (kit: Kit) => Promise<void>): Promise<void> {
  const files = new MemoryFiles();
  const clock = new VirtualClock();
  const open = (limits: Partial<BudgetLimits>): Promise<Broker> =>
    Broker.open({
      dir: 'data',
      files,
      clock,
      random: new SeededRandom(1),
      memoryBytes: () => 0,
      budgets: limits,
      log: { journalFileBytes: 1024 * 1024 },
    });
  let broker = await open(budgets);
  await run({
    broker,
    clock,
    restart: async (limits) => {
      await broker.close();
      return (broker = await open(limits));
    },
  });
  await broker.close();
}

function batchOf(keys: readonly string[], producerId = -1): Buffer {
  return encodeRecordBatch(
    keys.map((key) => ({ key: Buffer.from(key), value: Buffer.from('x'), timestampMs: 1000 })),
    producerId < 0 ? {} : { producerId, producerEpoch: 0, baseSequence: 0 },
  );
}

function reached(budget: BudgetName): (error: unknown) => boolean {
  return (error) =>
    error instanceof BrokerError && error.code === 'limit-reached' && error.details.budget === budget;
}

/** Deliveries that were asked for have been made. */
async function delivered(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

describe('a budget refuses objects beyond it, and has room again when one is deleted', () => {
  test('topics', () =>
    withBroker({ topics: 2 }, async ({ broker }) => {
      const first = await broker.createTopic({ name: 'a' });
      await broker.createTopic({ name: 'b' });
      await assert.rejects(broker.createTopic({ name: 'c' }), reached('topics'));
      await first.delete();
      await broker.createTopic({ name: 'c' });
    }));

  test('partitions, also those that are added later, opened or not', () =>
    withBroker({ partitions: 10 }, async ({ broker }) => {
      const topic = await broker.createTopic({ name: 'a', partitions: 6 });
      await topic.send({ value: 'x' }, { partition: 3 });
      await assert.rejects(broker.createTopic({ name: 'b', partitions: 5 }), reached('partitions'));
      await topic.update({ ...topic.config, partitions: 10 });
      await assert.rejects(topic.update({ ...topic.config, partitions: 11 }), reached('partitions'));
      assert.equal(topic.config.partitions, 10);
      await topic.delete();
      assert.equal(broker.budgets.used('partitions'), 0);
      await broker.createTopic({ name: 'b', partitions: 10 });
    }));

  test('groups, also of a topic that is deleted', () =>
    withBroker({ groups: 2 }, async ({ broker }) => {
      const topic = await broker.createTopic({ name: 'a' });
      const other = await broker.createTopic({ name: 'b' });
      const group = await topic.createGroup({ name: 'g' });
      await other.createGroup({ name: 'g' });
      await assert.rejects(topic.createGroup({ name: 'h' }), reached('groups'));
      await group.delete();
      await topic.createGroup({ name: 'h' });
      await other.delete();
      assert.equal(broker.budgets.used('groups'), 1);
      await topic.createGroup({ name: 'i' });
    }));

  test('positions of groups, on partitions that are there and on those that are added', () =>
    withBroker({ positions: 10 }, async ({ broker }) => {
      const topic = await broker.createTopic({ name: 'a', partitions: 4 });
      const group = await topic.createGroup({ name: 'g' });
      await topic.createGroup({ name: 'h' });
      await assert.rejects(topic.createGroup({ name: 'i' }), reached('positions'));
      await topic.update({ ...topic.config, partitions: 5 });
      assert.equal(broker.budgets.used('positions'), 10);
      await assert.rejects(topic.update({ ...topic.config, partitions: 6 }), reached('positions'));
      await assert.rejects(broker.defineQueue({ name: 'q' }), reached('positions'));
      await group.delete();
      await broker.defineQueue({ name: 'q' });
      await topic.delete();
      assert.equal(broker.budgets.used('positions'), 1);
    }));

  test('order by key: without room nothing further is looked at until an answer makes some', () =>
    withBroker({ ordered: 3 }, async ({ broker }) => {
      const topic = await broker.createTopic({ name: 'a' });
      const other = await broker.createTopic({ name: 'b' });
      const options = { ordering: 'key', start: { kind: 'all' } } as const;
      const group = await topic.createGroup({ name: 'g', ...options });
      const consumer = new TestConsumer();
      group.attach(consumer);
      for (const key of ['k', 'l', 'm', 'n', 'o']) await topic.send({ key, value: key });
      await delivered();
      assert.deepEqual(consumer.values, ['k', 'l', 'm']);
      assert.equal(broker.budgets.used('ordered'), 3);
      // A group with nothing under way gets one message all the same: no answer of its own would wake it.
      const beside = await other.createGroup({ name: 'g', ...options });
      const lone = new TestConsumer();
      beside.attach(lone);
      for (const key of ['x', 'y']) await other.send({ key, value: key });
      await delivered();
      assert.deepEqual(lone.values, ['x']);
      assert.ok(group.ack(0, 0) && group.ack(0, 1));
      await delivered();
      assert.deepEqual(consumer.values, ['k', 'l', 'm', 'n']);
      await group.delete();
      assert.ok(beside.ack(0, 0));
      await delivered();
      assert.deepEqual(lone.values, ['x', 'y']);
      await other.delete();
      assert.equal(broker.budgets.used('ordered'), 0);
    }));

  test('attributes, each by the room it takes', () =>
    withBroker({ attributes: 3 }, async ({ broker }) => {
      const { attributes } = broker;
      await attributes.set('p', 'a', 'x'.repeat(1500));
      await attributes.set('p', 'b', 1);
      await assert.rejects(attributes.set('p', 'c', 1), reached('attributes'));
      await assert.rejects(attributes.set('p', 'b', 'x'.repeat(1500)), reached('attributes'));
      await attributes.set('p', 'b', 2);
      await attributes.set('p', 'a', 1);
      await attributes.set('p', 'c', 1);
      await attributes.set('p', 'c', undefined);
      assert.equal(broker.budgets.used('attributes'), 2);
    }));

  test('keys, one by one and in batches; a known key goes on', () =>
    withBroker({ keys: 3 }, async ({ broker }) => {
      const topic = await broker.createTopic({ name: 'a', keyState: true });
      for (const key of ['a', 'b', 'c']) await topic.send({ key, value: 'x' });
      await assert.rejects(topic.send({ key: 'd', value: 'x' }), reached('keys'));
      await topic.send({ key: 'a', value: 'again' });
      await assert.rejects(publish(topic, 0, batchOf(['e', 'a'])), reached('keys'));
      await publish(topic, 0, batchOf(['a', 'b']));
      await topic.partitions.at(0)!.purge({ pattern: 'b' });
      await topic.partitions.at(0)!.accounting.run();
      await topic.send({ key: 'd', value: 'x' });
      await topic.delete();
      assert.equal(broker.budgets.used('keys'), 0);
    }));

  test('dedupe ids: expired ones are forgotten in all topics first', () =>
    withBroker({ dedupeIds: 2 }, async ({ broker, clock }) => {
      const [a, b] = [
        await broker.createTopic({ name: 'a', dedupeWindowMs: 1000 }),
        await broker.createTopic({ name: 'b', dedupeWindowMs: 1000 }),
      ];
      await a.send({ value: '1' }, { dedupeId: '1' });
      await a.send({ value: '2' }, { dedupeId: '2' });
      await assert.rejects(b.send({ value: '3' }, { dedupeId: '3' }), reached('dedupeIds'));
      await b.send({ value: 'without' });
      clock.advance(2000);
      await b.send({ value: '3' }, { dedupeId: '3' });
      assert.equal(broker.budgets.used('dedupeIds'), 1);
    }));

  test('idempotent producers: one that is known goes on, and one that was silent for a day makes room', () =>
    withBroker({ producers: 2 }, async ({ broker, clock }) => {
      const a = await broker.createTopic({ name: 'a' });
      const b = await broker.createTopic({ name: 'b' });
      await publish(a, 0, batchOf(['k'], 1));
      await publish(a, 0, batchOf(['k'], 2));
      await assert.rejects(publish(b, 0, batchOf(['k'], 3)), reached('producers'));
      await publish(a, 0, batchOf(['k'], 1)); // a repetition
      await publish(b, 0, batchOf(['k']));
      clock.advance(25 * 60 * 60 * 1000);
      await publish(b, 0, batchOf(['k'], 3));
      assert.equal(broker.budgets.used('producers'), 1);
    }));

  test('delayed messages', () =>
    withBroker({ delayed: 1 }, async ({ broker, clock }) => {
      const topic = await broker.createTopic({ name: 'a' });
      const options = { deliverAtMs: clock.now() + 1000 };
      await topic.send({ value: '1' }, options);
      await assert.rejects(topic.send({ value: '2' }, options), reached('delayed'));
      await topic.send({ value: 'now' });
    }));

  test('consumers', () =>
    withBroker({ consumers: 1 }, async ({ broker }) => {
      const group = await (await broker.createTopic({ name: 'a' })).createGroup({ name: 'g' });
      const consumer = new TestConsumer();
      group.attach(consumer);
      assert.ok(reached('consumers')(broker.budgets.refusal('consumers')));
      group.detach(consumer);
      group.detach(consumer);
      assert.equal(broker.budgets.used('consumers'), 0);
      group.attach(consumer);
      await group.delete();
      assert.equal(broker.budgets.used('consumers'), 0);
    }));

  test('waiting publishes', () =>
    withBroker({ waitingPublishes: 1 }, async ({ broker }) => {
      const topic = await broker.createTopic({ name: 'a', messagesMax: 1, overflow: 'wait' });
      await topic.send({ value: '1' });
      const waits = topic.send({ value: '2' });
      await assert.rejects(topic.send({ value: '3' }), reached('waitingPublishes'));
      await topic.partitions.at(0)!.purge();
      topic.noteRoom();
      await waits;
      assert.equal(broker.budgets.used('waitingPublishes'), 0);
    }));
});

test('a start reads everything back, beyond any limit; only new objects are refused', () =>
  withBroker({}, async ({ broker, restart }) => {
    for (const name of ['a', 'b', 'c']) {
      const topic = await broker.createTopic({ name, partitions: 4, keyState: true });
      await topic.createGroup({ name: 'g' });
      await topic.send({ key: name, value: 'x' }, { dedupeId: name });
      await broker.attributes.set('p', name, name);
    }
    const before = broker.budgets.use();
    const lowered = {
      topics: 1,
      partitions: 1,
      groups: 1,
      positions: 1,
      keys: 1,
      dedupeIds: 1,
      attributes: 1,
    };
    const again = await restart(lowered);
    assert.equal(again.topics.size, 3);
    for (const name of budgetNames) assert.equal(again.budgets.used(name), before[name].used, name);
    await assert.rejects(again.createTopic({ name: 'd' }), reached('topics'));
    await again.topic('a')!.send({ key: 'a', value: 'known' });
    await again.topic('b')!.delete();
    await again.topic('a')!.delete();
    await again.topic('c')!.delete();
    for (const name of ['a', 'b', 'c']) await again.attributes.set('p', name, undefined);
    for (const name of budgetNames) assert.equal(again.budgets.used(name), 0, name);
  }));

test('past the memory watermark, of the heap or of all, nothing grows; deletions work', async () => {
  const use = { memory: 0, heap: 0 };
  const broker = await Broker.open({
    dir: 'data',
    files: new MemoryFiles(),
    clock: new VirtualClock(),
    memoryBytes: () => use.memory,
    heapBytes: () => use.heap,
    watermarks: { memoryBytesMax: 1000, heapBytesMax: 100 },
  });
  const isFull = (error: unknown): boolean => error instanceof BrokerError && error.code === 'memory-full';
  const topic = await broker.createTopic({ name: 'a' });
  for (const over of [{ memory: 1001 }, { heap: 101 }]) {
    Object.assign(use, { memory: 0, heap: 0 }, over);
    assert.ok(isFull(broker.budgets.refusal('topics', 256)), 'so many objects are reason to look');
    await assert.rejects(broker.createTopic({ name: 'b' }), isFull);
    await assert.rejects(topic.createGroup({ name: 'g' }), isFull);
    await assert.rejects(topic.send({ value: 'x' }), isFull);
    assert.ok(broker.router.isFull);
    assert.ok(broker.health.memoryFull);
    Object.assign(use, { memory: 0, heap: 0 });
    assert.equal(broker.budgets.refusal('topics', 256), undefined);
    await topic.send({ value: 'x' });
  }
  await broker.close();
});

test('docs/limits.md has the table as it is', async () => {
  const text = await readFile(new URL('../../../docs/limits.md', import.meta.url), 'utf8');
  const shown = (count: number): string => count.toLocaleString('en-US');
  const [small, large] = [budgetLimits(256 * 2 ** 20), budgetLimits(4 * 2 ** 30)];
  for (const name of budgetNames) {
    const { setting, help, bytesEach } = budgetTable[name];
    const row = `| \`${setting}\` | ${help} | ${bytesEach} bytes | ${shown(small[name])} | ${shown(large[name])} |`;
    assert.ok(text.includes(row), row);
  }
});
