import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  deadLetterOrigin,
  recordOf,
  type DeadLetterCause,
  type Topic,
  type TopicOptions,
} from '../../../src/broker/index.ts';
import { eventually } from '../../support/index.ts';
import { TestBroker, TestConsumer } from '../kit.ts';

/** How each limit pushes three of five messages out, and the content of their dead letters. */
const ways: readonly {
  readonly name: string;
  readonly options: Partial<TopicOptions>;
  readonly cause: 'overflow' | 'expired' | 'removed';
  readonly reason: string;
  readonly act?: (kit: TestBroker, topic: Topic) => Promise<unknown>;
}[] = [
  {
    name: 'a limit of count',
    options: { messagesMax: 2 },
    cause: 'overflow',
    reason: 'overflow: messagesMax',
  },
  {
    name: 'a limit per key',
    options: { messagesPerKeyMax: 2 },
    cause: 'overflow',
    reason: 'overflow: messagesPerKeyMax',
  },
  {
    name: 'a limit of age',
    options: { ageMsMax: 1000 },
    cause: 'expired',
    reason: 'expired: ageMsMax',
    act: (kit) => kit.advance(600),
  },
  {
    name: 'a tighter limit',
    options: {},
    cause: 'overflow',
    reason: 'overflow: messagesMax',
    act: (_, topic) => topic.update({ ...topic.config, messagesMax: 2 }),
  },
  {
    name: 'a purge',
    options: {},
    cause: 'removed',
    reason: 'removed: purged',
    act: (_, topic) => topic.partitions.at(0)!.purge({ before: 3 }),
  },
  {
    name: 'a purge by key',
    options: { keyState: true },
    cause: 'removed',
    reason: 'removed: purged',
    act: (_, topic) => topic.partitions.at(0)!.purge({ pattern: 'k', keep: 2 }),
  },
  {
    name: 'deletions',
    options: {},
    cause: 'removed',
    reason: 'removed: deleted',
    act: (_, topic) => Promise.all([0, 1, 2].map((offset) => topic.partitions.at(0)!.delete(offset))),
  },
];

describe('a message that leaves becomes a dead letter if the policy has its cause', () => {
  for (const { name, options, cause, reason, act } of ways)
    test(name, async () => {
      await using kit = await TestBroker.open();
      const topic = await open(kit, options, [cause]);
      await fill(kit, topic);
      await act?.(kit, topic);
      await eventually(() => topic.count === 2);
      await kit.settle();
      assert.deepEqual(await lettersOf(kit), [
        ['v0', reason, 0],
        ['v1', reason, 1],
        ['v2', reason, 2],
      ]);
      const stats = topic.stats();
      assert.deepEqual([stats.left[cause], stats.deadLettered, stats.deadLettersLost], [3, 3, 0]);
    });

  for (const { name, options, cause, act } of ways)
    test(`${name} is counted, and no more, where it does not`, async () => {
      await using kit = await TestBroker.open();
      const topic = await open(kit, options, ['rejected']);
      await fill(kit, topic);
      await act?.(kit, topic);
      await kit.settle();
      const stats = topic.stats();
      assert.deepEqual([topic.count, stats.left[cause], stats.deadLettered], [2, 3, 0]);
      assert.equal(kit.broker.topic('letters'), undefined);
    });

  test('a publish that replaces all before it', async () => {
    await using kit = await TestBroker.open();
    const topic = await open(kit, {}, ['removed']);
    await topic.send({ key: 'k', value: 'v0' });
    await topic.send({ key: 'k', value: 'v1' }, { replaces: 'topic' });
    await eventually(() => topic.count === 1);
    await kit.settle();
    assert.deepEqual(await lettersOf(kit), [['v0', 'removed: replaced', 0]]);
  });
});

test('a crash leaves each message in its topic or among the dead letters, never in both or none', async () => {
  await using kit = await TestBroker.open();
  const topic = await open(kit, { messagesMax: 10 }, ['overflow']);
  void publish(topic, 600);
  for (let turn = 0; turn < 40; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (turn % 4 === 0 && (kit.broker.topic('letters')?.durableCount ?? 0) > 0) break;
  }
  await kit.crash();
  const again = kit.broker.topic('orders')!;
  await eventually(() => again.count <= 10);
  await kit.settle();
  const seen = (await lettersOf(kit)).map(([value]) => value);
  for await (const record of again.partitions.at(0)!.scan(0)) seen.push(String(record.value));
  assert.equal(new Set(seen).size, seen.length, 'none twice');
  assert.deepEqual(
    seen.map((value) => Number(value.slice(1))),
    seen.map((_, at) => at),
    'none missing',
  );
});

test('a message is not dropped in place of one that was acked while it was read', async () => {
  await using kit = await TestBroker.open();
  await kit.broker.createTopic({ name: 'letters' });
  const deadLetter = { causes: ['overflow'], to: 'letters' } as const;
  const { topic, group } = await kit.broker.defineQueue({ name: 'orders', messagesMax: 2, deadLetter });
  group.attach(new TestConsumer(1));
  const partition = topic.partitions.at(0)!;
  const batchAt = partition.batchAt.bind(partition);
  let read = (): void => undefined;
  const acked = new Promise<void>((resolve) => (read = resolve));
  await topic.send({ value: 'v0' });
  const batch = await batchAt(0);
  partition.batchAt = async (offset) => {
    await acked;
    return offset === 0 ? batch : batchAt(offset);
  };
  for (const value of ['v1', 'v2', 'v3']) await topic.send({ value });
  await kit.settle();
  group.ack(0, 0);
  read();
  await eventually(() => topic.count === 2);
  await kit.settle();
  assert.deepEqual(await lettersOf(kit), [['v1', 'overflow: messagesMax', 1]]);
  assert.equal(topic.stats().deadLettersLost, 0);
});

test('a message that expired while no broker ran becomes a dead letter at the start', async () => {
  await using kit = await TestBroker.open();
  const topic = await open(kit, { ageMsMax: 1000 }, ['expired']);
  await topic.send({ key: 'k', value: 'v0' });
  await kit.broker.close();
  kit.clock.advance(2000);
  await kit.start();
  await eventually(() => kit.broker.topic('letters')?.durableCount === 1);
  assert.equal(kit.broker.topic('orders')!.count, 0);
  assert.deepEqual(await lettersOf(kit), [['v0', 'expired: ageMsMax', 0]]);
  await kit.restart();
  assert.deepEqual(await lettersOf(kit), [['v0', 'expired: ageMsMax', 0]]);
});

test('a topic far beyond its limit lets publishes wait until the messages they push out are moved', async () => {
  await using kit = await TestBroker.open();
  const topic = await open(kit, { messagesMax: 10 }, ['overflow']);
  let most = 0;
  const published = publish(topic, 12_000, () => (most = Math.max(most, topic.count)));
  await published;
  await eventually(() => topic.count === 10);
  assert.ok(most <= 10 + 4096 + 2, `${most} messages at once`);
  await eventually(() => kit.broker.topic('letters')!.durableCount === 11_990);
});

test('a limit does not wait for a dead-letter topic that is full', async () => {
  await using kit = await TestBroker.open();
  const letters = await kit.broker.createTopic({ name: 'letters', messagesMax: 1, overflow: 'reject' });
  const topic = await open(kit, { messagesMax: 2 }, ['overflow']);
  await fill(kit, topic);
  await eventually(() => topic.count === 2);
  await kit.settle();
  const stats = topic.stats();
  assert.deepEqual([letters.count, stats.deadLettered, stats.deadLettersLost], [1, 1, 2]);
});

test('two topics that are the dead-letter topics of each other do not go round for ever', async () => {
  await using kit = await TestBroker.open();
  const names = ['a', 'b'] as const;
  for (const [at, name] of names.entries())
    await kit.broker.createTopic({
      name,
      messagesMax: 1,
      deadLetter: { to: names[1 - at]!, causes: ['overflow'] },
    });
  const [a, b] = names.map((name) => kit.broker.topic(name)!);
  for (let at = 0; at < 6; at++) await a!.send({ value: `v${at}` });
  await eventually(() => a!.count === 1 && b!.count === 1);
  await kit.settle();
  assert.ok(a!.stats().published < 30, 'it ended');
});

async function open(
  kit: TestBroker,
  options: Partial<TopicOptions>,
  causes: readonly DeadLetterCause[],
): Promise<Topic> {
  return kit.broker.createTopic({ name: 'orders', ...options, deadLetter: { to: 'letters', causes } });
}

/** Five messages of a key; the first three are 500 ms older. */
async function fill(kit: TestBroker, topic: Topic): Promise<void> {
  for (let at = 0; at < 5; at++) {
    await topic.send({ key: 'k', value: `v${at}` });
    if (at === 2) await kit.advance(500);
  }
  await kit.settle();
}

function publish(topic: Topic, count: number, each: () => void = () => {}): Promise<void> {
  let left = count;
  return new Promise((resolve, reject) => {
    const listener = {
      published: (): void => {
        each();
        if (--left === 0) resolve();
      },
      refused: (_: undefined, error: Error) => reject(error),
    };
    for (let at = 0; at < count; at++)
      topic.publish(recordOf({ key: 'k', value: `v${at}` }), undefined, listener, undefined);
  });
}

async function lettersOf(kit: TestBroker): Promise<[value: string, cause: string, offset: number][]> {
  const letters: [string, string, number][] = [];
  for await (const record of kit.broker.topic('letters')!.partitions.at(0)!.scan(0)) {
    const { cause, offset, group } = deadLetterOrigin(record.headers)!;
    assert.equal(group, '');
    letters.push([String(record.value), cause, offset]);
  }
  return letters;
}
