import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Topic } from '../../../src/broker/index.ts';
import { eventually } from '../../support/index.ts';
import { TestBroker, text } from '../kit.ts';

async function valuesOf(topic: Topic): Promise<string[]> {
  const values: string[] = [];
  for await (const { value } of topic.partitions.at(0)!.scan(0)) values.push(text(value));
  return values;
}

/** Everything that came, after all of it was due, in this process or in the one after a crash. */
async function comes(kit: TestBroker, afterCrash: boolean): Promise<string[]> {
  await kit.settle();
  const here = afterCrash ? new TestBroker(kit.files.copy(), kit.clock) : kit;
  if (afterCrash) await here.start();
  here.clock.advance(60_000);
  await eventually(async () => {
    await here.settle();
    return here.broker.stats().delayed === 0;
  });
  const values = await valuesOf(here.broker.topic('orders')!);
  if (afterCrash) await here.broker.close();
  return values;
}

test('delayed messages of one due time come in the order of their publishes', async () => {
  for (const afterCrash of [false, true]) {
    await using kit = await TestBroker.open();
    const orders = await kit.broker.createTopic({ name: 'orders' });
    const deliverAtMs = kit.clock.now() + 1000;
    const values = Array.from({ length: 50 }, (_, i) => `m${i}`);
    await Promise.all(values.map((value) => orders.send({ value }, { deliverAtMs })));
    assert.deepEqual(await comes(kit, afterCrash), values);
  }
});

for (const afterCrash of [false, true]) {
  const where = afterCrash ? ', after a crash too' : '';

  test(`a purge takes delayed messages with it${where}`, async () => {
    await using kit = await TestBroker.open();
    const orders = await kit.broker.createTopic({ name: 'orders' });
    const deliverAtMs = kit.clock.now() + 1000;
    await orders.send({ value: 'now' });
    for (let i = 0; i < 200; i++) void orders.send({ value: `later ${i}` }, { deliverAtMs });
    assert.equal(await orders.partitions.at(0)!.purge(), 201);
    assert.equal(kit.broker.stats().delayed, 0);
    await orders.send({ value: 'after' }, { deliverAtMs });
    assert.deepEqual(await comes(kit, afterCrash), ['after']);
  });

  test(`a purge of keys takes delayed messages of these keys${where}`, async () => {
    await using kit = await TestBroker.open();
    const orders = await kit.broker.createTopic({ name: 'orders' });
    const others = await kit.broker.createTopic({ name: 'others' });
    const deliverAtMs = kit.clock.now() + 1000;
    for (const topic of [orders, others])
      for (const key of ['a.1', 'b.1', 'a.2', 'b.2']) void topic.send({ key, value: key }, { deliverAtMs });
    assert.equal(await orders.partitions.at(0)!.purge({ pattern: 'a.*' }), 2);
    assert.equal(kit.broker.stats().delayed, 6);
    assert.deepEqual(await comes(kit, afterCrash), ['b.1', 'b.2']);
  });

  test(`a purge up to an offset, or of all but the last, leaves what is to come${where}`, async () => {
    await using kit = await TestBroker.open();
    const orders = await kit.broker.createTopic({ name: 'orders' });
    for (const value of ['a', 'b']) await orders.send({ value });
    await orders.send({ value: 'later' }, { deliverAtMs: kit.clock.now() + 1000 });
    assert.equal(await orders.partitions.at(0)!.purge({ before: 1 }), 1);
    assert.equal(await orders.partitions.at(0)!.purge({ keep: 0 }), 1);
    assert.deepEqual(await comes(kit, afterCrash), ['later']);
  });

  test(`a deleted topic takes its delayed messages with it${where}`, async () => {
    await using kit = await TestBroker.open();
    const deliverAtMs = kit.clock.now() + 1000;
    const old = await kit.broker.createTopic({ name: 'old' });
    const orders = await kit.broker.createTopic({ name: 'orders' });
    void old.send({ value: 'old' }, { deliverAtMs });
    await orders.send({ value: 'kept' }, { deliverAtMs });
    await old.delete();
    const here = afterCrash ? new TestBroker(kit.files.copy(), kit.clock) : kit;
    if (afterCrash) await here.start();
    assert.equal(here.broker.stats().delayed, 1);
    if (afterCrash) await here.broker.close();
    assert.deepEqual(await comes(kit, afterCrash), ['kept']);
  });
}

test('a purge after a restart finds delayed messages of partitions not used since', async () => {
  await using kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders', partitions: 3 });
  await orders.send({ value: 'later' }, { partition: 2, deliverAtMs: kit.clock.now() + 1000 });
  await kit.restart();
  const again = kit.broker.topic('orders')!;
  let purged = 0;
  for (const partition of again.partitions.opened.slice()) purged += await partition.purge();
  assert.equal(purged, 1);
  assert.equal(kit.broker.stats().delayed, 0);
});
