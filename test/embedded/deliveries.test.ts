import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { open, VirtualClock } from '../../src/index.ts';
import { makeTemporaryDirectory } from '../support/index.ts';
import { openTestBox, settle } from './kit.ts';

describe('deliveries', () => {
  test('are asked for one at a time', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publishBatch([1, 2, 3]);
    const group = await topic.group('g');
    for await (const message of group) {
      assert.equal(group.inFlight, 1);
      assert.equal(message.deliveries, 1);
      assert.equal(await message.ack(), true);
      if (message.value === 3) break;
    }
    assert.deepEqual([group.lag, group.inFlight], [0, 0]);
  });

  test('that were fetched ahead go back when the loop is left', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publishBatch([1, 2, 3, 4]);
    const group = await topic.group('g', { backoffMs: [60_000] });
    const deliveries = group.deliveries({ prefetch: 2 });
    await settle();
    assert.equal(group.inFlight, 2);
    for await (const message of deliveries) {
      await settle();
      assert.equal(group.inFlight, 3);
      await message.ack();
      break;
    }
    const left = [await group.next(), await group.next(), await group.next()];
    assert.deepEqual(
      left.map((message) => message?.value),
      [2, 3, 4],
    );
  });

  test('wait for messages to come, and share them with other loops', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group = await topic.group('g');
    const deliveries = group.deliveries();
    const taken = [deliveries.next(), deliveries.next()];
    await settle();
    await topic.publishBatch(['a', 'b']);
    const results = await Promise.all(taken);
    assert.deepEqual(
      results.map(({ value }) => value?.value),
      ['a', 'b'],
    );
  });

  test('end without an error when the signal aborts, the group goes, or the box closes', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group = await topic.group('g');
    const end = new AbortController();
    const loop = async (signal?: AbortSignal): Promise<string> => {
      for await (const _ of group.deliveries(signal ? { signal } : {})) return 'a message';
      return 'the end';
    };
    const aborted = loop(end.signal);
    end.abort();
    assert.equal(await aborted, 'the end');
    assert.equal(await loop(end.signal), 'the end');
    const deleted = loop();
    await group.delete();
    assert.equal(await deleted, 'the end');
    const other = await topic.group('other');
    const closed = other.deliveries().next();
    await t.box.close();
    assert.equal((await closed).done, true);
    assert.equal((await other.deliveries().next()).done, true, 'of what is gone already, too');
    assert.equal((await other.batches().next()).done, true);
    await other.consume(() => {}).closed;
    await other.consumeBatches(() => {}).closed;
  });

  test('an answer that comes too late does not count', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publish('x');
    const group = await topic.group('g', { ackWaitMs: 1000, backoffMs: [], maxDeliver: 3 });
    const first = await group.next();
    t.clock.advance(1000);
    const second = await group.next();
    assert.equal(second?.deliveries, 2);
    assert.equal(first!.extend(), false);
    assert.equal(await first!.nack(), false, 'nor does it fail the one who has it now');
    assert.equal(await second.ack(), true);
    assert.equal(await first!.ack(), false);
  });

  test('the first answer counts', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publish('x');
    const group = await topic.group('g');
    const message = await group.next();
    assert.equal(await message!.nack({ delayMs: 1000 }), true);
    assert.equal(await message!.ack(), false);
    assert.equal(message!.extend(), false);
    const again = group.next();
    t.clock.advance(1000);
    assert.equal((await again)?.deliveries, 2);
  });

  test('an unanswered message comes again after ackWaitMs', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publish('x');
    const group = await topic.group('g', { ackWaitMs: 1000, backoffMs: [200], backoffJitter: 0 });
    await group.next();
    const again = group.next();
    t.clock.advance(1199);
    await settle();
    t.clock.advance(1);
    assert.equal((await again)?.deliveries, 2);
  });

  test('stay within maxInFlight', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publishBatch([1, 2, 3]);
    const group = await topic.group('g', { maxInFlight: 2 });
    const deliveries = group.deliveries();
    const first = await deliveries.next();
    await deliveries.next();
    let third: unknown;
    void deliveries.next().then((result) => (third = result.value?.value));
    await settle();
    assert.equal(third, undefined);
    await first.value?.ack();
    await settle();
    assert.equal(third, 3);
  });
});

describe('next', () => {
  test('waits as long as it is told', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group = await topic.group('g');
    const nothing = group.next({ waitMs: 50 });
    await settle();
    t.clock.advance(50);
    assert.equal(await nothing, undefined);
    const something = group.next({ waitMs: 50 });
    await topic.publish('x');
    assert.equal((await something)?.value, 'x');
    assert.equal((await group.stats()).consumers, 0);
  });

  test('with waitMs 0 gives an available message, and does not wait for the clock', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group = await topic.group('g');
    assert.equal(await group.next({ waitMs: 0 }), undefined);
    await topic.publishBatch(['x', 'y']);
    assert.equal((await group.next({ waitMs: 0 }))?.value, 'x');
    assert.equal((await group.next({ waitMs: 0 }))?.value, 'y');
    assert.equal(await group.next({ waitMs: 0 }), undefined);
    assert.equal((await group.stats()).consumers, 0);
  });

  test('with waitMs 0 gives a message that has to be read from disk first', async () => {
    await using directory = await makeTemporaryDirectory();
    {
      await using box = await open({ dir: directory.path });
      await (await box.topic('orders')).publish('x'.repeat(100));
    }
    await using box = await open({ dir: directory.path, clock: new VirtualClock() });
    const group = await (await box.topic('orders')).group('g');
    assert.equal((await group.next({ waitMs: 0 }))?.offset, 0);
  });

  test('rejects with the reason of its signal', async () => {
    await using t = await openTestBox();
    const group = await (await t.box.topic('orders')).group('g');
    const end = new AbortController();
    const next = group.next({ signal: end.signal });
    end.abort(new Error('enough'));
    await assert.rejects(next, { message: 'enough' });
    await assert.rejects(group.next({ signal: end.signal }), { message: 'enough' });
  });
});

describe('batches', () => {
  test('hold the available messages, up to messagesMax', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publishBatch([1, 2, 3, 4, 5]);
    const group = await topic.group('g');
    const batches = group.batches({ messagesMax: 3 });
    const sizes: number[] = [];
    for await (const batch of batches) {
      sizes.push(batch.length);
      assert.equal(await batch.ack(), batch.length);
      if (sizes.length === 2) break;
    }
    assert.deepEqual(sizes, [3, 2]);
    assert.deepEqual([group.lag, group.inFlight], [0, 0]);
  });

  test('wait for more as long as they are told, from their first message on', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group = await topic.group('g');
    const batches = group.batches({ messagesMax: 10, waitMs: 100 });
    const next = batches.next();
    t.clock.advance(500);
    await topic.publish(1);
    await settle();
    t.clock.advance(60);
    await topic.publish(2);
    await settle();
    t.clock.advance(40);
    assert.deepEqual((await next).value?.values, [1, 2]);
  });

  test('do not wait when they are full', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publishBatch([1, 2, 3]);
    const group = await topic.group('g');
    const batches = group.batches({ messagesMax: 2, waitMs: 1_000_000 });
    assert.deepEqual((await batches.next()).value?.values, [1, 2]);
  });

  test('are nacked as a whole, except for answered messages', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publishBatch([1, 2, 3]);
    const group = await topic.group('g');
    const { value: batch } = await group.batches().next();
    await batch!.deliveries[1]!.ack();
    assert.equal(await batch!.nack({ delayMs: 0 }), 2);
    assert.deepEqual(
      [...(await group.batches().next()).value!].map(({ value }) => value),
      [1, 3],
    );
  });

  test('that are complete and not yet passed on go back when the loop ends', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publish(1);
    const group = await topic.group('g', { backoffMs: [60_000] });
    const batches = group.batches({ waitMs: 1000 });
    const next = batches.next();
    await settle();
    t.clock.advance(1000);
    void batches.close();
    assert.equal((await next).done, true);
    assert.equal((await group.next())?.value, 1);
  });

  test('that are being collected go back when the loop ends', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publish(1);
    const group = await topic.group('g', { backoffMs: [60_000] });
    const batches = group.batches({ waitMs: 1000 });
    const next = batches.next();
    await settle();
    assert.equal(group.inFlight, 1);
    await batches.close();
    assert.equal((await next).done, true);
    assert.equal((await group.next())?.value, 1);
  });
});
