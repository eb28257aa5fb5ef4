import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { NEVER_MS, expectNothing, numbers, receive, text } from './facts.ts';
import type { Delivery } from './delivery-driver.ts';
import type { Suite } from './suite.ts';

/** Facts about consumers that take precedence over others. */
export function describePrecedence(suite: Suite): void {
  suite.fact(
    'a consumer of a higher priority goes first, while it takes messages',
    ['consumerPriorities'],
    async () => {
      const topic = await suite.setUp(0);
      await using low = await suite.broker.join(topic, 'g', { priority: 1 });
      await using high = await suite.broker.join(topic, 'g', { priority: 2 });
      for (const value of numbers(3)) {
        const [first, second] = [low.receive(NEVER_MS), high.receive(NEVER_MS)];
        await suite.broker.publish(topic, { value });
        assert.equal(text(await second), value);
        await suite.broker.publish(topic, { value: `${value} too` });
        assert.equal(text(await first), `${value} too`);
        for (const delivery of [await first, await second]) await delivery!.ack();
      }
    },
  );

  suite.fact('one member is active, until it leaves', ['activeConsumer'], async () => {
    const topic = await suite.setUp(2, { activeSilenceMs: NEVER_MS });
    const one = await suite.broker.join(topic, 'g', { member: 'one', isLasting: true });
    await using two = await suite.broker.join(topic, 'g', { member: 'two', isLasting: true });
    const held = await receive(one);
    assert.equal(text(held), '1');
    await expectNothing(two);
    await held.ack();
    const next = await receive(one);
    assert.equal(text(next), '2');
    await next.ack();
    await one[Symbol.asyncDispose]();
    await suite.broker.publish(topic, { value: '3' });
    assert.equal(text(await receive(two)), '3');
  });

  suite.fact('one member is active, until it is silent', ['activeConsumer'], async () => {
    const topic = await suite.setUp(2, { activeSilenceMs: 500 });
    await using one = await suite.broker.join(topic, 'g', { member: 'one' });
    const startMs = performance.now();
    const held = await receive(one);
    assert.equal(text(held), '1');
    await using two = await suite.broker.join(topic, 'g', { member: 'two' });
    const next = await receive(two);
    assert.equal(text(next), '2', 'it takes over by itself');
    assert.ok(performance.now() - startMs >= 499);
    await held.ack();
    await next.ack();
    await suite.broker.publish(topic, { value: '3' });
    assert.equal(text(await receive(two)), '3');
  });
}

/** Facts about the priorities of messages. */
export function describePriorities(suite: Suite): void {
  suite.fact('messages with a higher priority are delivered first', ['priorities', 'nack'], async () => {
    const topic = await suite.setUp(0, {}, 'queue', { priorities: 10 });
    for (const [value, priority] of [
      ['a', 0],
      ['b', 5],
      ['c', 9],
      ['d', 5],
    ] as const)
      await suite.broker.publish(topic, { value, priority });
    await using consumer = await suite.broker.join(topic, 'g');
    const received: (string | undefined)[] = [];
    const next = async (): Promise<Delivery> => {
      const delivery = await receive(consumer);
      received.push(text(delivery));
      return delivery;
    };
    await (await next()).ack();
    const failed = await next();
    await failed.nack();
    await suite.broker.publish(topic, { value: 'e', priority: 9 });
    for (let left = 4; left > 0; left -= 1) await (await next()).ack();
    assert.deepEqual(received, ['c', 'b', 'e', 'b', 'd', 'a']);
  });
  suite.fact(
    'a message of a lower priority goes first when it has waited long enough',
    ['priorities'],
    async () => {
      // It gains a level with each half second.
      const topic = await suite.setUp(0, {}, 'queue', { priorities: 10, ageingMs: 500 });
      await suite.broker.publish(topic, { value: 'low', priority: 0 });
      await delay(501);
      await suite.broker.publish(topic, { value: 'higher', priority: 1 });
      await suite.broker.publish(topic, { value: 'urgent', priority: 9 });
      await using consumer = await suite.broker.join(topic, 'g');
      const values: (string | undefined)[] = [];
      for (let left = 3; left > 0; left -= 1) values.push(text(await receive(consumer)));
      assert.deepEqual(values, ['urgent', 'low', 'higher']);
    },
  );
}
