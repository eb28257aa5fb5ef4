import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PostponeError, RejectError, RetryError, type Delivery } from '../../src/index.ts';
import { Gate, collect, openTestBox, settle } from './kit.ts';

describe('consume', () => {
  test('a handler that resolves acks', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders', { retention: 'queue' });
    await topic.publishBatch([1, 2, 3]);
    const group = await topic.group('g');
    const seen: unknown[] = [];
    group.consume(async ({ value }) => seen.push(value));
    await group.drained();
    assert.deepEqual(seen, [1, 2, 3]);
    assert.equal(topic.count, 0);
  });

  test('a handler that throws nacks: the message comes again after the backoff, until it is given up', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group = await topic.group('g', { maxDeliver: 3, backoffMs: [100, 2000], backoffJitter: 0 });
    await topic.publish('poison');
    const attempts: number[] = [];
    const errors: unknown[] = [];
    group.consume(
      ({ deliveries }) => {
        attempts.push(deliveries);
        throw new Error(`failure ${deliveries}`);
      },
      { onError: (error) => errors.push(error) },
    );
    await settle();
    assert.deepEqual(attempts, [1]);
    t.clock.advance(99);
    await settle();
    assert.deepEqual(attempts, [1]);
    t.clock.advance(1);
    await settle();
    assert.deepEqual(attempts, [1, 2]);
    t.clock.advance(2000);
    await settle();
    assert.deepEqual(attempts, [1, 2, 3]);
    assert.deepEqual(errors.map(String), ['Error: failure 1', 'Error: failure 2', 'Error: failure 3']);
    await group.drained();
    const [letter] = await collect(group.deadLetters.browse());
    assert.equal(letter?.value, 'poison');
    assert.equal(letter.origin?.cause, 'max-deliveries: failure 3');
    assert.equal(letter.origin.deliveries, 3);
  });

  test('RetryError says when, RejectError that it should not come again', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group = await topic.group('g', { backoffMs: [1] });
    await topic.publishBatch(['later', 'never']);
    const seen: unknown[] = [];
    group.consume(({ value, deliveries }) => {
      seen.push(`${String(value)} ${deliveries}`);
      if (value === 'never') throw new RejectError('makes no sense');
      if (deliveries === 1) throw new RetryError(60_000);
    });
    await settle();
    t.clock.advance(59_999);
    await settle();
    assert.deepEqual(seen, ['later 1', 'never 1']);
    t.clock.advance(1);
    await settle();
    assert.deepEqual(seen, ['later 1', 'never 1', 'later 2']);
    await group.drained();
    const letters = await collect(group.deadLetters.browse());
    assert.deepEqual(
      letters.map(({ origin }) => origin?.cause),
      ['rejected: makes no sense'],
    );
  });

  test('as many handlers run at once as concurrency says', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publishBatch([1, 2, 3, 4, 5]);
    const group = await topic.group('g');
    const gates = new Map<unknown, Gate>();
    const subscription = group.consume(
      ({ value }) => {
        const gate = new Gate();
        gates.set(value, gate);
        return gate.passed;
      },
      { concurrency: 2 },
    );
    await settle();
    assert.deepEqual([...gates.keys()], [1, 2]);
    assert.equal(subscription.running, 2);
    gates.get(2)!.open();
    await settle();
    assert.deepEqual([...gates.keys()], [1, 2, 3]);
    for (const value of [1, 3]) gates.get(value)!.open();
    await settle();
    for (const value of [4, 5]) gates.get(value)!.open();
    await group.drained();
  });

  test('a handler may answer by itself; its first answer counts', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publishBatch(['acks', 'nacks', 'rejects']);
    const group = await topic.group('g', { maxDeliver: 2 });
    const answers: unknown[] = [];
    group.consume(async (message) => {
      if (message.value === 'acks') {
        answers.push(await message.ack(), await message.ack(), message.settled);
        throw new Error('too late to fail');
      }
      if (message.value === 'nacks' && message.deliveries === 1)
        answers.push(await message.nack({ delayMs: 0 }));
      if (message.value === 'rejects') answers.push(await message.reject('so'));
    });
    await group.drained();
    assert.deepEqual(answers, [true, false, 'acked', true, true]);
    assert.equal(group.deadLetters.count, 1);
  });

  test('the signal aborts when the time to answer is over, and the failure counts once', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publish('slow');
    const group = await topic.group('g', {
      ackWaitMs: 1000,
      backoffMs: [500],
      backoffJitter: 0,
      maxDeliver: 3,
    });
    const reasons: unknown[] = [];
    group.consume(
      async ({ deliveries }, { signal }) => {
        if (deliveries > 1) return;
        await new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        );
      },
      { onError: (error) => reasons.push((error as Error).name) },
    );
    await settle();
    t.clock.advance(1000);
    await settle();
    assert.deepEqual(reasons, ['TimeoutError']);
    assert.equal(group.inFlight, 1, 'it waits for its redelivery');
    t.clock.advance(500);
    await group.drained();
    assert.equal(group.deadLetters.count, 0);
  });

  test('a message that is extended is not delivered again', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publish('long');
    const group = await topic.group('g', { ackWaitMs: 1000, backoffMs: [] });
    const done = new Gate();
    let calls = 0;
    let message: Delivery<unknown> | undefined;
    let isAborted = (): boolean => false;
    group.consume(
      async (delivery, { signal }) => {
        if (++calls > 1) return;
        message = delivery;
        isAborted = () => signal.aborted;
        await done.passed;
      },
      { concurrency: 2 },
    );
    await settle();
    for (let i = 0; i < 5; i++) {
      t.clock.advance(900);
      assert.equal(message?.extend(), true);
      await settle();
    }
    assert.deepEqual([calls, isAborted()], [1, false]);
    t.clock.advance(1000);
    await settle();
    assert.deepEqual([calls, isAborted(), message?.extend()], [2, true, false]);
    done.open();
    await group.drained();
  });

  test('close waits for handlers under way, and takes no more', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publishBatch([1, 2]);
    const group = await topic.group('g');
    const gate = new Gate();
    const seen: unknown[] = [];
    const subscription = group.consume(async ({ value }) => {
      await gate.passed;
      seen.push(value);
    });
    await settle();
    let isClosed = false;
    const closing = subscription.close().then(() => (isClosed = true));
    await settle();
    assert.equal(isClosed, false);
    gate.open();
    await closing;
    await subscription.closed;
    assert.deepEqual(seen, [1]);
    assert.deepEqual([group.lag, group.inFlight], [1, 0]);
  });

  test('close gives up on a handler after its time, and the message goes to another consumer', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publish('stuck');
    const group = await topic.group('g', { backoffMs: [5000] });
    let signal: AbortSignal | undefined;
    const subscription = group.consume((_, context) => {
      signal = context.signal;
      return new Promise(() => {});
    });
    await settle();
    const closing = subscription.close({ timeoutMs: 20 });
    assert.equal(signal?.aborted, true, 'it hears at once');
    await closing;
    assert.equal((await group.next())?.deliveries, 2);
    await topic.publish('stuck again');
    const other = group.consume(() => new Promise(() => {}));
    await settle();
    await other.close({ timeoutMs: 0 });
  });

  test('an aborted signal ends the subscription and tells the handlers', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publish('x');
    const group = await topic.group('g', { backoffMs: [5000] });
    const end = new AbortController();
    const subscription = group.consume(
      (_, { signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      { signal: end.signal },
    );
    await settle();
    end.abort(new Error('shutting down'));
    await subscription.closed;
    assert.equal((await group.next())?.deliveries, 2, 'without waiting for the backoff');
    const never = group.consume(() => assert.fail('called'), { signal: end.signal });
    await never.closed;
  });

  test('two subscriptions of one group share; two groups each get everything', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const [a, b] = [await topic.group('a'), await topic.group('b')];
    const seen: { [name: string]: unknown[] } = { a1: [], a2: [], b: [] };
    a.consume(({ value }) => seen['a1']!.push(value));
    a.consume(({ value }) => seen['a2']!.push(value));
    b.consume(({ value }) => seen['b']!.push(value));
    await topic.publishBatch([1, 2, 3, 4]);
    await Promise.all([a.drained(), b.drained()]);
    assert.deepEqual(seen, { a1: [1, 3], a2: [2, 4], b: [1, 2, 3, 4] });
  });

  test('with ordering by key each key goes one at a time, others go on', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publishMessages(['a1', 'a2', 'b1', 'a3', 'b2'].map((value) => ({ value, key: value[0]! })));
    const group = await topic.group('g', { ordering: 'key' });
    const gates = new Map<unknown, Gate>();
    group.consume(
      ({ value }) => {
        gates.set(value, new Gate());
        return gates.get(value)!.passed;
      },
      { concurrency: 10 },
    );
    await settle();
    assert.deepEqual([...gates.keys()], ['a1', 'b1']);
    gates.get('b1')!.open();
    await settle();
    assert.deepEqual([...gates.keys()], ['a1', 'b1', 'b2']);
    gates.get('a1')!.open();
    await settle();
    assert.deepEqual([...gates.keys()], ['a1', 'b1', 'b2', 'a2']);
    for (const value of ['b2', 'a2']) gates.get(value)!.open();
    await settle();
    gates.get('a3')!.open();
    await group.drained();
  });

  test('the messages of a run are handled one after another; behind a failed one they go back', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publishMessages(['a1', 'a2', 'a3', 'a4', 'b1'].map((value) => ({ value, key: value[0]! })));
    const group = await topic.group('g', { ordering: 'key', keyRunMax: 3, backoffMs: [0] });
    const seen: string[] = [];
    const gate = new Gate();
    let running = 0;
    group.consume(
      async ({ value, key, deliveries }) => {
        if (key === 'a') assert.equal(++running, 1);
        seen.push(value as string);
        if (value === 'a1') await gate.passed;
        else await Promise.resolve();
        if (key === 'a') running--;
        if (value === 'a2' && deliveries === 1) throw new RetryError(0);
      },
      { concurrency: 2 },
    );
    await settle();
    assert.deepEqual(seen, ['a1', 'b1'], 'those that wait for their turn take no handler’s place');
    assert.equal(group.inFlight, 3);
    gate.open();
    await group.drained();
    assert.deepEqual(seen, ['a1', 'b1', 'a2', 'a2', 'a3', 'a4']);
  });

  test('a handler that says "not now" holds its message, its key or the group, and fails nothing', async () => {
    for (const scope of ['message', 'key', 'group'] as const) {
      await using t = await openTestBox();
      const topic = await t.box.topic('orders');
      await topic.publishMessages(['a1', 'b1', 'a2'].map((value) => ({ value, key: value[0]! })));
      const group = await topic.group('g', { ordering: 'key', keyConcurrency: 2, maxDeliver: 1 });
      const seen: string[] = [];
      group.consume(({ value }) => {
        seen.push(value as string);
        if (value === 'a1' && seen.length === 1) throw new PostponeError(1000, { scope });
      });
      await settle();
      assert.deepEqual(seen, { message: ['a1', 'b1', 'a2'], key: ['a1', 'b1'], group: ['a1'] }[scope], scope);
      t.clock.advance(1000);
      await settle();
      const rest = { message: ['a1'], key: ['a1', 'a2'], group: ['a1', 'b1', 'a2'] };
      assert.deepEqual(seen.slice(-rest[scope].length), rest[scope], scope);
      await group.drained();
      assert.equal(group.deadLetters.count, 0);
    }
  });

  test('a delivery and a batch are postponed', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publishBatch([1, 2]);
    const group = await topic.group('g');
    const batches = group.batches();
    const { value: batch } = await batches.next();
    assert.equal(await batch!.postpone({ delayMs: 500, scope: 'group' }), 2);
    assert.deepEqual([batch!.deliveries[0]!.settled, group.inFlight], ['postponed', 2]);
    const again = batches.next();
    t.clock.advance(500);
    assert.deepEqual((await again).value?.values, [1, 2]);
    assert.throws(() => void batch!.deliveries[0]!.postpone({ delayMs: -1 }), { code: 'option-invalid' });
    assert.throws(() => new PostponeError(NaN), { code: 'option-invalid' });
  });

  test('a rate of a group is set, changed and taken away', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publishBatch([1, 2, 3, 4, 5, 6]);
    const group = await topic.group('g', { rate: { perSecond: 1, burst: 2 }, concurrency: 10 });
    let calls = 0;
    group.consume(() => void calls++);
    await settle();
    assert.equal(calls, 2);
    t.clock.advance(1000);
    await settle();
    assert.equal(calls, 3);
    await group.update({ rate: false, concurrency: Infinity });
    await group.drained();
    assert.deepEqual([group.config.rate, group.config.concurrency], [undefined, undefined]);
  });

  test('a group that acks by itself hands out at most once', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publishBatch([1, 2]);
    const group = await topic.group('g', { ack: 'none' });
    let calls = 0;
    const answers: unknown[] = [];
    group.consume(async (message) => {
      calls++;
      answers.push(message.settled, await message.nack());
      throw new Error('in vain');
    });
    await group.drained();
    await settle();
    t.clock.advance(100_000);
    await settle();
    assert.equal(calls, 2);
    assert.deepEqual(answers, ['acked', false, 'acked', false]);
  });

  test('closed resolves when the group is deleted', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group = await topic.group('g');
    const subscription = group.consume(() => {});
    await group.delete();
    await subscription.closed;
    assert.deepEqual(topic.groups, []);
  });
});

describe('consumeBatches', () => {
  test('acks messages that the handler did not answer itself', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publishBatch([1, 2, 3, 4, 5]);
    const group = await topic.group('g');
    const sizes: number[] = [];
    group.consumeBatches(
      (batch) => {
        sizes.push(batch.length);
        for (const message of batch) if (message.value === 2) void message.reject('odd one out');
      },
      { messagesMax: 3 },
    );
    await group.drained();
    assert.deepEqual(sizes, [3, 2]);
    assert.equal(group.deadLetters.count, 1);
  });

  test('nacks the rest when the handler throws', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publishBatch([1, 2, 3]);
    const group = await topic.group('g', { backoffMs: [] });
    const seen: unknown[][] = [];
    const errors: unknown[] = [];
    group.consumeBatches(
      (batch) => {
        seen.push(batch.values);
        if (seen.length > 1) return;
        void batch.deliveries[0]!.ack();
        throw new Error('half way');
      },
      { onError: (error) => errors.push(error) },
    );
    await group.drained();
    assert.deepEqual(seen, [
      [1, 2, 3],
      [2, 3],
    ]);
    assert.equal(errors.length, 1);
  });

  test('close waits for the batch under way', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await topic.publishBatch([1, 2]);
    const group = await topic.group('g');
    const gate = new Gate();
    const subscription = group.consumeBatches(() => gate.passed, { messagesMax: 1 });
    await settle();
    const closing = subscription.close();
    gate.open();
    await closing;
    assert.deepEqual([group.lag, group.inFlight], [1, 0]);
  });
});
