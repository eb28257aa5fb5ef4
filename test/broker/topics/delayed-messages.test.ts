import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DelayedMessage } from '../../../src/broker/index.ts';
import { eventually } from '../../support/index.ts';
import { TestBroker, text } from '../kit.ts';

/**
 * A topic with messages a, b, c …, each due a second after the one before; the ids are told by the answers.
 */
async function withDelayed(kit: TestBroker, name: string, values: readonly string[], partitions = 1) {
  const topic = await kit.broker.createTopic({ name, partitions });
  const startMs = kit.clock.now();
  const sent = values.map((value, at) =>
    topic.send({ key: value, value }, { deliverAtMs: startMs + 1000 * (at + 1) }),
  );
  const ids = (await Promise.all(sent)).map(({ delayedId }) => delayedId!);
  return { topic, ids, startMs };
}

async function came(kit: TestBroker, name: string): Promise<string[]> {
  await kit.settle();
  const values: string[] = [];
  for (const partition of kit.broker.topic(name)!.partitions.opened.slice())
    for await (const { value } of partition.scan(0)) values.push(text(value));
  return values;
}

/** Lets time pass, and waits until as many messages are delayed as expected. */
async function pass(kit: TestBroker, ms: number, left: number): Promise<void> {
  await kit.settle();
  kit.clock.advance(ms);
  await eventually(async () => {
    await kit.settle();
    return kit.broker.stats().delayed === left;
  });
}

const valuesOf = (messages: readonly DelayedMessage[]): string[] => messages.map(({ value }) => text(value));

test('delayed messages are listed by pages, of one topic or of all, and by key', async () => {
  await using kit = await TestBroker.open();
  const { broker } = kit;
  const { topic, ids, startMs } = await withDelayed(kit, 'orders', ['a.1', 'b.1', 'a.2', 'b.2', 'a.3'], 3);
  await withDelayed(kit, 'others', ['x', 'y']);
  const first = await broker.delayed.list({ topic, limit: 3 });
  assert.deepEqual(valuesOf(first.messages), ['a.1', 'b.1', 'a.2']);
  assert.equal(first.next, ids[2]);
  const second = await broker.delayed.list({ topic, limit: 3, after: first.next });
  assert.deepEqual([valuesOf(second.messages), second.next], [['b.2', 'a.3'], undefined]);
  const all = await broker.delayed.list({ limit: 100 });
  assert.deepEqual(valuesOf(all.messages), ['a.1', 'b.1', 'a.2', 'b.2', 'a.3', 'x', 'y']);
  const filtered = await broker.delayed.list({ topic, limit: 2, filter: 'a.*' });
  assert.deepEqual(valuesOf(filtered.messages), ['a.1', 'a.2']);
  const rest = await broker.delayed.list({ topic, limit: 2, filter: 'a.*', after: filtered.next! });
  assert.deepEqual([valuesOf(rest.messages), rest.next], [['a.3'], undefined]);
  const one = (await broker.delayed.get(ids[1]!))!;
  assert.deepEqual(
    [one.id, one.dueMs, one.topic, text(one.key), one.bytes],
    [ids[1], startMs + 2000, 'orders', 'b.1', 6],
  );
  assert.equal(await broker.delayed.get(99), undefined);
  assert.equal(broker.delayed.countOf(topic), 5);
  assert.deepEqual(await broker.delayed.find(topic, 'b.*').then((found) => found.sort((a, b) => a - b)), [
    ids[1],
    ids[3],
  ]);
});

test('a page reads a bounded number of messages, however few match its filter', async () => {
  await using kit = await TestBroker.open();
  const topic = await kit.broker.createTopic({ name: 'orders' });
  const deliverAtMs = kit.clock.now() + 1000;
  const sent = Array.from({ length: 25_000 }, (_, i) =>
    topic.send({ key: i === 24_999 ? 'last' : 'k', value: null }, { deliverAtMs }),
  );
  await Promise.all(sent);
  let pages = 0;
  let after = -1;
  const found: number[] = [];
  for (;;) {
    const page = await kit.broker.delayed.list({ topic, after, limit: 10, filter: 'last' });
    pages++;
    found.push(...page.messages.map(({ id }) => id));
    if (page.next === undefined) break;
    after = page.next;
  }
  assert.deepEqual([pages, found], [3, [24_999]]);
});

for (const ending of ['a crash', 'a restart'] as const) {
  test(`moves and cancellations survive ${ending}`, async () => {
    await using kit = await TestBroker.open();
    const { ids, startMs } = await withDelayed(kit, 'orders', ['a', 'b', 'c', 'd']);
    const { delayed } = kit.broker;
    assert.equal(await delayed.move([ids[0]!, 77], startMs + 10_000), 1);
    assert.equal(await delayed.move([ids[3]!], startMs + 500), 1);
    assert.equal(await delayed.cancel([ids[1]!, ids[1]!]), 1);
    assert.equal(await delayed.cancel([ids[1]!]), 0);
    await (ending === 'a crash' ? kit.crash() : kit.restart());
    assert.equal(kit.broker.stats().delayed, 3);
    await pass(kit, 500, 2);
    assert.deepEqual(await came(kit, 'orders'), ['d']);
    await pass(kit, 5000, 1);
    assert.deepEqual(await came(kit, 'orders'), ['d', 'c']);
    await pass(kit, 5000, 0);
    assert.deepEqual(await came(kit, 'orders'), ['d', 'c', 'a']);
  });

  test(`what is published now comes once, in the order asked for, across ${ending}`, async () => {
    await using kit = await TestBroker.open();
    const { ids } = await withDelayed(kit, 'orders', ['a', 'b', 'c']);
    assert.equal(await kit.broker.delayed.publishNow([ids[2]!, ids[0]!, 99]), 2);
    assert.deepEqual(await came(kit, 'orders'), ['a', 'c']);
    await (ending === 'a crash' ? kit.crash() : kit.restart());
    await pass(kit, 5000, 0);
    assert.deepEqual(await came(kit, 'orders'), ['a', 'c', 'b']);
  });
}

test('a message moved to an earlier time wakes the timer; one moved into the past comes at once', async () => {
  await using kit = await TestBroker.open();
  const { ids, startMs } = await withDelayed(kit, 'orders', ['a', 'b']);
  await kit.broker.delayed.move([ids[1]!], startMs - 5);
  await pass(kit, 0, 1);
  assert.deepEqual(await came(kit, 'orders'), ['b']);
  await kit.broker.delayed.move([ids[0]!], startMs + 100);
  await pass(kit, 100, 0);
});

test('ids of a deleted topic find nothing', async () => {
  await using kit = await TestBroker.open();
  const { topic, ids } = await withDelayed(kit, 'orders', ['a', 'b']);
  await topic.delete();
  const { delayed } = kit.broker;
  assert.equal(delayed.topicOf(ids[0]!), undefined);
  assert.deepEqual(
    [
      await delayed.get(ids[0]!),
      await delayed.cancel(ids),
      await delayed.publishNow(ids),
      await delayed.move(ids, 5),
    ],
    [undefined, 0, 0, 0],
  );
});

test('nothing is changed after the broker was closed', async () => {
  const kit = await TestBroker.open();
  const { ids } = await withDelayed(kit, 'orders', ['a']);
  const { delayed } = kit.broker;
  await kit.broker.close();
  for (const call of [() => delayed.cancel(ids), () => delayed.move(ids, 1), () => delayed.publishNow(ids)])
    await assert.rejects(call, { code: 'closed' });
});
