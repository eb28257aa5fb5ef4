import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Collector, type Group, type GroupConfig } from '../../../src/broker/index.ts';
import { TestBroker, TestConsumer } from '../kit.ts';

/** A consumer with what decides about its precedence. */
class Candidate extends TestConsumer {
  readonly priority: number | undefined;
  readonly member: string | undefined;
  readonly label: string;
  readonly told: string[] = [];
  partitions?: ReadonlySet<number>;
  overflow?: { waitingMin?: number; inFlightMin?: number };

  constructor(
    label: string,
    credit: number,
    { priority, member }: { priority?: number; member?: string } = {},
  ) {
    super(credit);
    this.label = label;
    this.priority = priority;
    this.member = member;
  }

  attach(group: Group, options?: { exclusive?: boolean }): this {
    this.group = group;
    group.attach(this, options);
    return this;
  }

  activated(): void {
    this.told.push('active');
  }

  deactivated(): void {
    this.told.push('waiting');
  }
}

async function withGroup(
  messages: number,
  options: Partial<GroupConfig> = {},
): Promise<{ kit: TestBroker; group: Group; publish: (count: number) => Promise<void>; events: string[] }> {
  const kit = await TestBroker.open();
  const topic = await kit.broker.createTopic({ name: 'orders', partitions: 1 });
  const group = await topic.createGroup({ name: 'g', ...options });
  const events: string[] = [];
  kit.broker.events.subscribe((event) => {
    if (event.kind === 'active-changed') events.push(`${event.why} ${event.active?.label ?? '-'}`);
  });
  let published = 0;
  const publish = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) void topic.send({ value: String(published++) });
    await kit.settle();
  };
  await publish(messages);
  return { kit, group, publish, events };
}

test('consumers of a higher priority go first, and the next get what these have no credit for', async () => {
  const { kit, group, publish } = await withGroup(0);
  await using _ = kit;
  const low = new Candidate('low', Infinity).attach(group);
  const high = new Candidate('high', 2, { priority: 5 }).attach(group);
  const middle = new Candidate('middle', 1, { priority: 1 }).attach(group);
  await publish(5);
  assert.deepEqual([high.values, middle.values, low.values], [['0', '1'], ['2'], ['3', '4']]);
  high.credit = 1;
  await publish(2);
  assert.deepEqual(
    [high.values, low.values],
    [
      ['0', '1', '5'],
      ['3', '4', '6'],
    ],
  );
});

test('consumers of one priority take turns, also after one of them had no credit for a while', async () => {
  const { kit, group, publish } = await withGroup(0);
  await using _ = kit;
  const [a, b, c] = ['a', 'b', 'c'].map((label) =>
    new Candidate(label, Infinity, { priority: -1 }).attach(group),
  );
  await publish(4);
  assert.deepEqual([a!.values, b!.values, c!.values], [['0', '3'], ['1'], ['2']]);
  b!.credit = 0;
  await publish(2);
  assert.deepEqual([a!.values, b!.values, c!.values], [['0', '3', '5'], ['1'], ['2', '4']]);
  b!.credit = 10;
  await publish(3);
  assert.deepEqual(b!.values.length, 2);
});

test('10,000 consumers without credit cost nothing at a delivery', async () => {
  const { kit, group, publish } = await withGroup(0);
  await using _ = kit;
  let looks = 0;
  for (let i = 0; i < 10_000; i++) {
    const idle = new Candidate(`idle ${i}`, 0, { priority: i % 2000 });
    Object.defineProperty(idle, 'credit', { get: () => (looks++, 0) });
    idle.attach(group);
  }
  const worker = new Candidate('worker', Infinity).attach(group);
  await publish(1);
  assert.equal(looks, 10_000, 'each was asked once');
  for (let i = 0; i < 20; i++) await publish(1);
  assert.equal(looks, 10_000);
  assert.equal(worker.got.length, 21);
});

test('a consumer that reads some partitions does not keep the rest from lower priorities', async () => {
  await using kit = await TestBroker.open();
  const topic = await kit.broker.createTopic({ name: 'orders', partitions: 2 });
  const group = await topic.createGroup({ name: 'g' });
  const high = new Candidate('high', Infinity, { priority: 1 });
  high.partitions = new Set([1]);
  high.attach(group);
  const low = new Candidate('low', Infinity).attach(group);
  for (let i = 0; i < 4; i++) void topic.send({ value: String(i) }, { partition: i % 2 });
  await kit.settle();
  assert.deepEqual(
    [high.values, low.values],
    [
      ['1', '3'],
      ['0', '2'],
    ],
  );
});

test('a consumer that refuses a large message does not keep it from lower priorities', async () => {
  const { kit, group, publish } = await withGroup(0);
  await using _ = kit;
  const high = new Candidate('high', Infinity, { priority: 1 });
  high.creditBytes = 0;
  high.refused = (bytes) => high.refusals.push(bytes);
  high.attach(group);
  const low = new Candidate('low', Infinity).attach(group);
  await publish(2);
  assert.deepEqual(low.values, ['0', '1']);
  assert.equal(high.refusals.length, 2, 'it is offered each message');
});

test('a consumer for the overflow takes messages while enough of them wait, or are in flight', async () => {
  const { kit, group, publish } = await withGroup(0);
  await using _ = kit;
  const helper = new Candidate('helper', Infinity);
  helper.overflow = { waitingMin: 3, inFlightMin: 4 };
  helper.attach(group);
  await publish(2);
  assert.deepEqual(helper.values, []);
  await publish(1);
  assert.deepEqual(helper.values, ['0'], 'two wait now, and one is in flight');
  const worker = new Candidate('worker', 2).attach(group);
  await kit.settle();
  assert.deepEqual(worker.values, ['1', '2']);
  await publish(1);
  assert.deepEqual(helper.values, ['0'], 'three are in flight');
  worker.credit = 1;
  await kit.settle();
  assert.deepEqual(worker.values, ['1', '2', '3']);
  await publish(1);
  assert.deepEqual(helper.values, ['0', '4'], 'four were in flight');
  group.nack(0, 4, 0);
  await kit.settle();
  assert.deepEqual(helper.values, ['0', '4', '4'], 'a redelivery counts as waiting, too');
});

// ---- a single active consumer

test('a single active consumer gets all; the next by priority and attachment takes over when it leaves', async () => {
  const { kit, group, publish, events } = await withGroup(0, { activeConsumers: 'single' });
  await using _ = kit;
  const a = new Candidate('a', Infinity).attach(group);
  const b = new Candidate('b', Infinity).attach(group);
  const c = new Candidate('c', Infinity, { priority: 1 }).attach(group);
  await publish(2);
  assert.deepEqual([a.values, b.values, c.values], [['0', '1'], [], []]);
  assert.equal(group.active?.label, 'a');
  assert.deepEqual(
    group.listConsumers().map(({ label, priority, active }) => [label, priority, active]),
    [
      ['a', 0, true],
      ['b', 0, false],
      ['c', 1, false],
    ],
  );
  group.detach(a);
  assert.equal(group.active?.label, 'c', 'at once');
  await publish(1);
  assert.deepEqual(c.values, ['2']);
  assert.ok(group.ack(0, 1), 'what the former one holds is its own');
  group.detach(c, { held: 'release' });
  await kit.settle();
  assert.deepEqual(b.values, ['2']);
  group.detach(b);
  assert.deepEqual(events, ['chosen a', 'left -', 'chosen c', 'left -', 'chosen b', 'left -']);
  assert.deepEqual([a.told, b.told, c.told], [['active'], ['active'], ['active']]);
});

test('the active consumer keeps its place while it has no credit', async () => {
  const { kit, group, publish } = await withGroup(0, { activeConsumers: 'single' });
  await using _ = kit;
  const a = new Candidate('a', 1).attach(group);
  const b = new Candidate('b', Infinity, { priority: 9 }).attach(group);
  await publish(2);
  assert.deepEqual([a.values, b.values], [['0'], []]);
  a.credit = 1;
  await kit.settle();
  assert.deepEqual([a.values, b.values], [['0', '1'], []]);
});

test('an active consumer that answers nothing is silent after a time; one that answers, or waits, is not', async () => {
  const { kit, group, publish, events } = await withGroup(1, {
    activeConsumers: 'single',
    activeSilenceMs: 1000,
    ackWaitMs: 60_000,
  });
  await using _ = kit;
  const a = new Candidate('a', Infinity).attach(group);
  const b = new Candidate('b', Infinity).attach(group);
  await kit.settle();
  await kit.advance(900);
  group.extend(0, 0);
  await kit.advance(900);
  group.ack(0, 0);
  await kit.advance(5000);
  assert.equal(group.active?.label, 'a', 'it waits for messages');
  await publish(1);
  await kit.advance(999);
  assert.equal(group.active?.label, 'a');
  await kit.advance(1);
  assert.equal(group.active?.label, 'b');
  assert.deepEqual(events, ['chosen a', 'silent -', 'chosen b']);
  assert.deepEqual(a.told, ['active', 'waiting']);
  await publish(1);
  assert.deepEqual([a.values, b.values], [['0', '1'], ['2']]);
  assert.ok(group.ack(0, 1), 'the answer of the former one counts');
});

test('not now is an answer of the active consumer, too', async () => {
  const { kit, group } = await withGroup(2, {
    activeConsumers: 'single',
    activeSilenceMs: 1000,
    ackWaitMs: 60_000,
  });
  await using _ = kit;
  new Candidate('a', Infinity).attach(group);
  new Candidate('b', Infinity).attach(group);
  await kit.settle();
  await kit.advance(900);
  group.postpone(0, 0, 60_000);
  await kit.advance(900);
  assert.equal(group.active?.label, 'a');
  await kit.advance(100);
  assert.equal(group.active?.label, 'b');
});

test('a silent consumer stays active while there is no other, and loses its place to the first that comes', async () => {
  const { kit, group, events } = await withGroup(1, { activeConsumers: 'single', activeSilenceMs: 1000 });
  await using _ = kit;
  const a = new Candidate('a', Infinity).attach(group);
  await kit.settle();
  await kit.advance(5000);
  assert.equal(group.active?.label, 'a');
  const b = new Candidate('b', Infinity).attach(group);
  assert.equal(group.active?.label, 'b');
  group.detach(b);
  assert.equal(group.active?.label, 'a', 'rather it than none');
  assert.deepEqual(events, ['chosen a', 'silent -', 'chosen b', 'left -', 'chosen a']);
  assert.deepEqual(a.told, ['active', 'waiting', 'active']);
});

test('the pulls of a member are one consumer, which stays active between them until it is silent', async () => {
  const { kit, group, publish, events } = await withGroup(0, {
    activeConsumers: 'single',
    activeSilenceMs: 1000,
  });
  await using _ = kit;
  const got: string[] = [];
  const pull = (member: string, waitMs?: number): Collector => {
    const collector = new Collector(
      kit.clock,
      { messagesMax: 1, member, label: member, ...(waitMs === undefined ? {} : { waitMs }) },
      {
        collected: ({ record, bytes }) => {
          got.push(`${member} ${record.offset}`);
          return bytes;
        },
        completed: () => {},
      },
    );
    collector.attach(group);
    return collector;
  };
  pull('a', 10);
  await kit.advance(10);
  assert.equal(group.active, undefined, 'a pull that got nothing was never active');
  pull('b');
  pull('a');
  await publish(2);
  assert.deepEqual(got, ['b 0'], 'b is active, and does not pull now');
  await kit.advance(500);
  pull('b');
  await kit.settle();
  assert.deepEqual(got, ['b 0', 'b 1']);
  await publish(1);
  await kit.advance(900);
  group.ack(0, 1);
  await kit.advance(999);
  assert.deepEqual(got, ['b 0', 'b 1'], 'its answers are a sign of life');
  await kit.advance(1);
  assert.deepEqual(got, ['b 0', 'b 1', 'a 2']);
  assert.deepEqual(events, ['chosen b', 'silent -', 'chosen a']);
  const last = pull('a');
  last.end();
  assert.equal(group.active, undefined, 'a member that leaves is active no longer');
});

test('a consumer that lasts is active as soon as the pull before it has ended without a message', async () => {
  const { kit, group, events } = await withGroup(0, { activeConsumers: 'single' });
  await using _ = kit;
  const listener = { collected: () => 0, completed: () => {} };
  const pull = new Collector(kit.clock, { messagesMax: 1, waitMs: 10 }, listener);
  pull.attach(group);
  const lasting = new Candidate('lasting', 0).attach(group);
  assert.equal(group.active, undefined, 'the pull is the first, and has no message yet');
  await kit.advance(10);
  assert.deepEqual(lasting.told, ['active']);
  assert.deepEqual(events, ['chosen lasting']);
});

test('the active consumer can be released, and the next takes over', async () => {
  const { kit, group, publish, events } = await withGroup(0, { activeConsumers: 'single' });
  await using _ = kit;
  assert.equal(group.releaseActive(), false);
  const a = new Candidate('a', Infinity).attach(group);
  const b = new Candidate('b', Infinity).attach(group);
  assert.equal(group.releaseActive(), true);
  await publish(1);
  assert.deepEqual([a.values, b.values], [[], ['0']]);
  assert.deepEqual(events, ['chosen a', 'released -', 'chosen b']);
});

test('a group may change between one active consumer and all', async () => {
  const { kit, group, publish } = await withGroup(0);
  await using _ = kit;
  const a = new Candidate('a', Infinity).attach(group);
  const b = new Candidate('b', Infinity).attach(group);
  await group.update({ ...group.config, activeConsumers: 'single' });
  await publish(2);
  assert.deepEqual([a.values, b.values], [['0', '1'], []]);
  const { activeConsumers: _single, ...config } = group.config;
  await group.update(config);
  await publish(2);
  assert.deepEqual([a.values, b.values], [['0', '1', '2'], ['3']]);
  assert.equal(group.active, undefined);
});

test('with order per key, a takeover breaks no order', async () => {
  const { kit, group } = await withGroup(0, { activeConsumers: 'single', ordering: 'key' });
  await using _ = kit;
  const a = new Candidate('a', Infinity).attach(group);
  const b = new Candidate('b', Infinity).attach(group);
  for (const [key, value] of ['k0', 'k1', 'x2'].entries())
    void group.topic.send({ key: value[0]!, value: `${value} ${key}` });
  await kit.settle();
  assert.deepEqual(a.offsets, [0, 2]);
  group.detach(a);
  await kit.settle();
  assert.deepEqual(b.offsets, [], 'the key is under way with the former one');
  group.ack(0, 0);
  await kit.settle();
  assert.deepEqual(b.offsets, [1]);
});

// ---- exclusive

test('an exclusive consumer is refused while another is attached, and refuses others, except its own member', async () => {
  const { kit, group } = await withGroup(0);
  await using _ = kit;
  const taken = { code: 'consumer-exclusive' };
  const a = new Candidate('a', 1).attach(group);
  const b = new Candidate('b', 1, { member: 'm' });
  assert.throws(() => b.attach(group, { exclusive: true }), {
    ...taken,
    message:
      'Group "g" of topic "orders" has another consumer ("a"), so no exclusive one can attach; wait until it has left, or consume from another group.',
  });
  assert.equal(group.consumers, 1);
  group.detach(a);
  b.attach(group, { exclusive: true });
  assert.throws(() => new Candidate('c', 1).attach(group), {
    ...taken,
    message:
      'Group "g" of topic "orders" has an exclusive consumer ("b"); consume from another group, or wait until it has left.',
  });
  assert.throws(() => new Candidate('c', 1).attach(group, { exclusive: true }), taken);
  const again = new Candidate('b again', 1, { member: 'm' }).attach(group);
  group.detach(b);
  new Candidate('c', 1).attach(group);
  assert.equal(group.consumers, 2);
  group.detach(again);
});

test('the configuration of an active consumer is checked', async () => {
  const { kit, group } = await withGroup(0);
  await using _ = kit;
  const invalid = { code: 'group-config-invalid' };
  const topic = kit.broker.topic('orders')!;
  for (const options of [
    { activeConsumers: 'some' as 'single' },
    { activeSilenceMs: 5 },
    { activeConsumers: 'single' as const, activeSilenceMs: 0 },
    { activeConsumers: 'single' as const, activeSilenceMs: 2 ** 31 },
    { activeConsumers: 'single' as const, positions: 'committed' as const },
  ])
    await assert.rejects(topic.createGroup({ name: 'h', ...options }), invalid);
  await group.update({ ...group.config, activeConsumers: 'single', activeSilenceMs: 7 });
  await kit.restart();
  assert.equal(kit.broker.topic('orders')!.groups.get('g')!.config.activeSilenceMs, 7);
});
