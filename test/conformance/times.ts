import assert from 'node:assert/strict';
import { eventually } from '../support/index.ts';
import { drainQueue, expectNothing, receive, text } from './facts.ts';
import type { Suite } from './suite.ts';

/** Facts about messages that expire, come later, or come again and again. */
export function describeTimes(suite: Suite): void {
  suite.fact('a message that has expired is delivered no more, wherever it stands', ['expiry'], async () => {
    for (const kind of ['queue', 'log'] as const) {
      const topic = await suite.setUp(1, {}, kind);
      await suite.broker.publish(topic, { value: 'long', ttlMs: 3_600_000 });
      await suite.broker.publish(topic, { value: 'short', ttlMs: 1000 });
      await suite.broker.publish(topic, { value: '2' });
      await eventually(async () => (await suite.broker.countStored(topic)) === 3);
      await using consumer = await suite.broker.join(topic, 'g');
      const values: (string | undefined)[] = [];
      for (let at = 0; at < 3; at++) values.push(text(await receive(consumer)));
      assert.deepEqual(values, ['1', 'long', '2']);
      await expectNothing(consumer);
    }
  });

  suite.fact('a delayed message comes after its delay, and others before it', ['delays'], async () => {
    const topic = await suite.setUp(0);
    await using consumer = await suite.broker.join(topic, 'g');
    const startMs = performance.now();
    await suite.broker.publish(topic, { value: 'later', delayMs: 1_000 });
    await suite.broker.publish(topic, { value: 'now' });
    for (const value of ['now', 'later']) {
      const delivery = await receive(consumer);
      assert.equal(text(delivery), value);
      await delivery.ack();
    }
    assert.ok(performance.now() - startMs >= 999);
  });

  suite.fact(
    'delayed messages are listed, moved, cancelled and published at once',
    ['delays', 'later'],
    async () => {
      const topic = await suite.setUp(0);
      for (const value of ['a', 'b', 'c']) await suite.broker.publish(topic, { value, delayMs: 900_000 });
      const { later } = suite.broker;
      const listed = await later!.list(topic);
      assert.deepEqual(
        listed.map(({ value }) => value),
        ['a', 'b', 'c'],
      );
      const [a, b, c] = listed.map(({ id }) => id);
      await using consumer = await suite.broker.join(topic, 'g');
      assert.equal(await later!.cancel(topic, a!), 1);
      assert.equal(await later!.publishNow(topic, c!), 1);
      assert.equal(text(await receive(consumer)), 'c');
      const startMs = performance.now();
      assert.equal(await later!.move(topic, b!, 300), 1);
      assert.equal(text(await receive(consumer)), 'b');
      assert.ok(performance.now() - startMs >= 299);
      assert.equal(await later!.cancel(topic, b!), 0, 'it is delayed no more');
      assert.deepEqual(await later!.list(topic), []);
      await expectNothing(consumer);
    },
  );

  suite.fact('a schedule publishes at its interval until it is deleted', ['later'], async () => {
    const topic = await suite.setUp(0);
    await using consumer = await suite.broker.join(topic, 'g');
    await suite.broker.later!.schedule(topic, topic, 'tick', 100);
    for (let at = 0; at < 3; at++) {
      const delivery = await receive(consumer);
      assert.equal(text(delivery), 'tick');
      await delivery.ack();
    }
    await suite.broker.later!.unschedule(topic);
    await drainQueue(suite.broker, topic, consumer);
    await expectNothing(consumer);
  });

  suite.fact('a message that is too old for a group is done there', ['brokerSettings'], async () => {
    const topic = await suite.setUp(1, { messageTtlMs: 100 });
    await eventually(async () => (await suite.broker.countStored(topic)) === 0);
    await using consumer = await suite.broker.join(topic, 'g');
    await expectNothing(consumer);
  });

  suite.fact(
    'the age of a message counts from its arrival, or from its timestamp where the topic says so',
    ['timestamps'],
    async () => {
      const hourMs = 3_600_000;
      for (const age of [{}, { ageFrom: 'timestamp' }] as const) {
        const topic = await suite.setUp(0, {}, 'queue', { ageMsMax: hourMs, ...age });
        await suite.broker.publish(topic, { value: 'old', timestampMs: Date.now() - 2 * hourMs });
        await suite.broker.publish(topic, { value: 'new', timestampMs: Date.now() });
        if ('ageFrom' in age) await eventually(async () => (await suite.broker.countStored(topic)) === 1);
        await using consumer = await suite.broker.join(topic, 'g');
        assert.equal(text(await receive(consumer)), 'ageFrom' in age ? 'new' : 'old');
      }
    },
  );
}
