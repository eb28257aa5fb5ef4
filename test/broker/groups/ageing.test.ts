import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Group, GroupOptions, Topic, TopicOptions } from '../../../src/broker/index.ts';
import { TestBroker, type TestConsumer } from '../kit.ts';

/** A broker with a topic of ten priorities, where a message gains one for each second, and a group on it. */
class Ageing implements AsyncDisposable {
  readonly kit: TestBroker;

  private constructor(kit: TestBroker) {
    this.kit = kit;
  }

  static async open(group: Partial<GroupOptions> = {}, topic: Partial<TopicOptions> = {}): Promise<Ageing> {
    const kit = await TestBroker.open();
    await kit.broker.createTopic({ name: 'orders', priorities: 10, ageingMs: 1000, ...topic });
    const ageing = new Ageing(kit);
    await ageing.topic.createGroup({ name: 'billing', ackWaitMs: 3_600_000, ...group });
    return ageing;
  }

  get topic(): Topic {
    return this.kit.broker.topic('orders')!;
  }

  get group(): Group {
    return this.topic.groups.get('billing')!;
  }

  /** Publishes one message after the other, named by number and priority; `afterMs` passes before each. */
  async send(priorities: readonly number[], afterMs: number, key?: string): Promise<void> {
    for (const [at, priority] of priorities.entries()) {
      this.kit.clock.advance(afterMs);
      const value = `${key ?? ''}${at}:${priority}`;
      await this.topic.send({ value, ...(key === undefined ? {} : { key }) }, { priority });
    }
  }

  async deliver(credit?: number): Promise<TestConsumer> {
    const consumer = this.kit.attach(this.group, credit);
    await this.kit.settle();
    return consumer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kit[Symbol.asyncDispose]();
  }
}

test('a message goes before one of a higher level that came so much later', async () => {
  await using ageing = await Ageing.open();
  await ageing.send([0, 1, 2, 0, 9], 1500);
  const consumer = await ageing.deliver();
  // In levels, counted from the first: 0, 1 - 1.5, 2 - 3, 0 - 4.5, 9 - 6
  assert.deepEqual(consumer.values, ['4:9', '0:0', '1:1', '2:2', '3:0']);
});

test('levels rise in all partitions, and of equal ones the higher goes first', async () => {
  await using ageing = await Ageing.open({}, { partitions: 2 });
  const { topic, kit } = ageing;
  await topic.send({ value: 'old' }, { partition: 0 });
  await topic.send({ value: 'old too' }, { partition: 1, priority: 1 });
  kit.clock.advance(3000);
  await topic.send({ value: 'equal' }, { partition: 0, priority: 3 });
  await topic.send({ value: 'urgent' }, { partition: 1, priority: 5 });
  await topic.send({ value: 'young' }, { partition: 0, priority: 2 });
  const consumer = await ageing.deliver();
  assert.deepEqual(consumer.values, ['urgent', 'old too', 'equal', 'old', 'young']);
});

test('the lowest level does not starve while urgent messages keep coming', async () => {
  await using ageing = await Ageing.open();
  await ageing.send([0], 0);
  const consumer = await ageing.deliver(0);
  let turns = 0;
  for (; !consumer.values.includes('0:0'); turns++) {
    ageing.kit.clock.advance(100);
    for (const value of ['a', 'b']) await ageing.topic.send({ value }, { priority: 9 });
    consumer.credit = 1;
    ageing.group.wake();
    await ageing.kit.settle();
  }
  assert.ok(turns >= 90 && turns <= 190, `${turns} deliveries`);
});

test('a retry has waited since its message came', async () => {
  await using ageing = await Ageing.open({ backoffMs: [0], backoffJitter: 0 });
  await ageing.send([0, 1], 2000);
  const consumer = await ageing.deliver(2);
  assert.deepEqual(consumer.values, ['0:0', '1:1']);
  await ageing.send([3, 6], 2000);
  for (const { offset } of consumer.got.slice()) ageing.group.nack(0, offset);
  consumer.credit = 4;
  ageing.group.wake();
  await ageing.kit.settle();
  // 0 - 2, 6 - 8, 1 - 4, 3 - 6, in seconds: of equal ranks the retry goes first.
  assert.deepEqual(consumer.values.slice(2), ['0:0', '1:6', '1:1', '0:3']);
});

test('ageing goes on after a restart and a crash', async () => {
  for (const how of ['restart', 'crash'] as const) {
    await using ageing = await Ageing.open({ redeliverAfterRestart: 'at-once' });
    await ageing.send([0, 1, 2, 0, 9, 0], 1500);
    const before = await ageing.deliver(2);
    assert.deepEqual(before.values, ['4:9', '0:0']);
    await ageing.kit[how]();
    await ageing.send([6], 0);
    const consumer = await ageing.deliver();
    assert.deepEqual(consumer.values, ['4:9', '0:0', '1:1', '2:2', '0:6', '3:0', '5:0'], how);
  }
});

test('with order per key, ageing is between keys, and what a key holds goes by its priorities', async () => {
  await using ageing = await Ageing.open({ ordering: 'key' });
  await ageing.send([0, 0, 1], 100, 'a');
  await ageing.send([4], 2900, 'b');
  await ageing.send([5, 5], 1050, 'c');
  const consumer = await ageing.deliver(10);
  assert.deepEqual(consumer.values, ['b0:4', 'c0:5', 'a2:1']);
  await ageing.send([1], 0, 'a');
  await ageing.kit.settle();
  for (let at = 2; at < 5; at++) {
    ageing.group.ack(0, consumer.got[at]!.offset);
    await ageing.kit.settle();
  }
  assert.deepEqual(consumer.values.slice(3), ['a0:1', 'a0:0', 'a1:0']);
});

test('ageing may be set, changed and taken away; it needs priorities', async () => {
  await using ageing = await Ageing.open({}, { ageingMs: 1_000_000 });
  const { topic } = ageing;
  await ageing.send([0, 0, 1, 1, 2], 1000);
  const consumer = await ageing.deliver(1);
  assert.deepEqual(consumer.values, ['4:2']);
  const more = async (): Promise<string | undefined> => {
    consumer.credit = 1;
    ageing.group.wake();
    await ageing.kit.settle();
    return consumer.values.at(-1);
  };
  assert.equal(await more(), '2:1');
  await topic.update({ ...topic.config, ageingMs: 1000 });
  assert.equal(await more(), '0:0');
  const { ageingMs: _, ...without } = topic.config;
  await topic.update(without);
  assert.equal(await more(), '3:1');
  const invalid = { code: 'topic-config-invalid' };
  await assert.rejects(topic.update({ ...topic.config, ageingMs: 0 }), invalid);
  await assert.rejects(
    ageing.kit.broker.createTopic({ name: 'plain', ageingMs: 1000 }),
    /ageingMs needs priorities/,
  );
});
