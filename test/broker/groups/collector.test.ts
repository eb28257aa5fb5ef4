import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Collector,
  type CollectorEnd,
  type CollectorOptions,
  type Group,
  type GroupOptions,
} from '../../../src/broker/index.ts';
import { TestBroker, text } from '../kit.ts';

/** A collector, the messages it collected, and how it ended. */
interface Pull {
  readonly collector: Collector;
  readonly values: string[];
  readonly ends: CollectorEnd[];
}

function pull(kit: TestBroker, group: Group, options: CollectorOptions): Pull {
  const values: string[] = [];
  const ends: CollectorEnd[] = [];
  const collector = new Collector(kit.clock, options, {
    collected: ({ record, bytes }) => {
      values.push(text(record.value));
      return bytes;
    },
    completed: (end) => void ends.push(end),
  });
  collector.attach(group);
  return { collector, values, ends };
}

async function withQueue(messages: number, options: Partial<GroupOptions> = {}) {
  const kit = await TestBroker.open();
  const { topic, group } = await kit.broker.defineQueue({ name: 'q' }, options);
  for (let i = 0; i < messages; i++) await topic.send({ value: String(i) });
  return { kit, topic, group };
}

test('a collector takes its messages, completes once, and leaves the group', async () => {
  const { kit, topic, group } = await withQueue(1);
  await using _ = kit;
  const { values, ends } = pull(kit, group, { messagesMax: 2, waitMs: 1000 });
  await kit.settle();
  assert.deepEqual([values, ends], [['0'], []]);
  await topic.send({ value: '1' });
  await topic.send({ value: '2' });
  await kit.settle();
  assert.deepEqual([values, ends], [['0', '1'], ['full']]);
  await kit.advance(2000);
  assert.deepEqual(ends, ['full']);
  assert.equal(group.consumers, 0);
});

test('a collector that lingers is complete some time after its first message', async () => {
  const { kit, topic, group } = await withQueue(0);
  await using _ = kit;
  const { values, ends } = pull(kit, group, { messagesMax: 10, lingerMs: 100 });
  await kit.advance(500);
  await topic.send({ value: '0' });
  await kit.settle();
  await kit.advance(60);
  await topic.send({ value: '1' });
  await kit.advance(39);
  assert.deepEqual(ends, []);
  await kit.advance(1);
  assert.deepEqual([values, ends], [['0', '1'], ['enough']]);
});

test('a collector expires with the messages it has', async () => {
  const { kit, group } = await withQueue(1);
  await using _ = kit;
  const { values, ends } = pull(kit, group, { messagesMax: 2, waitMs: 1000 });
  await kit.advance(999);
  assert.deepEqual(ends, []);
  await kit.advance(1);
  assert.deepEqual([values, ends], [['0'], ['expired']]);
});

test('idle answer: a collector completes at once if there are no messages, and otherwise after them', async () => {
  const { kit, group } = await withQueue(2);
  await using _ = kit;
  const first = pull(kit, group, { messagesMax: 10, idle: 'answer' });
  await kit.settle();
  assert.deepEqual([first.values, first.ends], [['0', '1'], ['idle']]);
  const second = pull(kit, group, { messagesMax: 10, idle: 'answer' });
  await kit.settle();
  assert.deepEqual([second.values, second.ends], [[], ['idle']]);
});

test('idle answer waits for messages on their way from the disk', async () => {
  const { kit, topic } = await withQueue(0);
  await using _ = kit;
  const big = 'x'.repeat(200_000);
  for (let i = 0; i < 20; i++) await topic.send({ value: big });
  await kit.restart(); // nothing is in memory now
  const group = kit.broker.topic('q')!.groups.get('default')!;
  const { values, ends } = pull(kit, group, { messagesMax: 100, idle: 'answer' });
  while (ends.length === 0) await kit.settle();
  assert.deepEqual([values.length, ends], [20, ['idle']]);
});

test('a paused group, and one with as much in flight as it may have, is idle', async () => {
  const { kit, group } = await withQueue(2, { maxInFlight: 1 });
  await using _ = kit;
  const { values, ends } = pull(kit, group, { messagesMax: 2, idle: 'answer' });
  await kit.settle();
  assert.deepEqual([values, ends], [['0'], ['idle']]);
  group.ack(0, 0);
  await group.pause();
  const paused = pull(kit, group, { messagesMax: 2, idle: 'answer' });
  await kit.settle();
  assert.deepEqual([paused.values, paused.ends], [[], ['idle']]);
});

test('a minimum is enough once the deliveries under way have been made', async () => {
  const { kit, topic, group } = await withQueue(3);
  await using _ = kit;
  const three = pull(kit, group, { messagesMax: 10, messagesMin: 1 });
  await kit.settle();
  assert.deepEqual([three.values, three.ends], [['0', '1', '2'], ['enough']]);
  const waiting = pull(kit, group, { messagesMax: 10, bytesMin: 3, waitMs: 1000 });
  await topic.send({ value: 'ab' });
  await kit.settle();
  assert.deepEqual(waiting.ends, []);
  await topic.send({ value: 'c' });
  await kit.settle();
  assert.deepEqual([waiting.values, waiting.ends], [['ab', 'c'], ['enough']]);
});

test('a message that does not fit ends a collector, unless it is the first and that may be of any size', async () => {
  const { kit, topic, group } = await withQueue(0);
  await using _ = kit;
  for (const value of ['large', 'large', 'x']) await topic.send({ value });
  const small = pull(kit, group, { messagesMax: 10, bytesMax: 4 });
  await kit.settle();
  assert.deepEqual([small.values, small.ends], [[], ['too-large']]);
  const anyFirst = pull(kit, group, { messagesMax: 10, bytesMax: 4, takesAnyFirst: true });
  await kit.settle();
  assert.deepEqual([anyFirst.values, anyFirst.ends], [['large'], ['full']]);
});

test('a collector that is held takes nothing until it goes on', async () => {
  const { kit, group } = await withQueue(2);
  await using _ = kit;
  const { collector, values } = pull(kit, group, { messagesMax: 10 });
  collector.hold();
  await kit.settle();
  assert.deepEqual(values, []);
  collector.resume();
  await kit.settle();
  assert.deepEqual(values, ['0', '1']);
});

test('a collector that is told to answer when idle does so from then on', async () => {
  const { kit, group } = await withQueue(1);
  await using _ = kit;
  const { collector, ends } = pull(kit, group, { messagesMax: 10 });
  await kit.settle();
  assert.deepEqual(ends, []);
  collector.answerWhenIdle();
  await kit.settle();
  assert.deepEqual(ends, ['idle']);
});

test('the messages of a collector are in flight when it has ended; the end of its group ends it', async () => {
  const { kit, group } = await withQueue(1);
  await using _ = kit;
  const first = pull(kit, group, { messagesMax: 1, ackWaitMs: 50 });
  await kit.settle();
  assert.deepEqual(first.ends, ['full']);
  const second = pull(kit, group, { messagesMax: 1 });
  await kit.advance(49);
  assert.deepEqual(second.values, []);
  await kit.advance(1);
  assert.deepEqual(second.values, ['0']);
  const third = pull(kit, group, { messagesMax: 1, waitMs: 1000 });
  await group.delete();
  assert.deepEqual(third.ends, ['group-deleted']);
});
