import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { DeliveryConsumer, UniqueKey } from './delivery-driver.ts';
import { expectNothing, receive, text } from './facts.ts';
import type { Suite } from './suite.ts';

/** Facts about messages that are unique while they wait. */
export function describeUniqueKeys(suite: Suite): void {
  /** Publishes each value with the unique key, and returns what became of them. */
  const publishAll = async (
    topic: string,
    values: readonly string[],
    unique: UniqueKey,
  ): Promise<readonly (string | undefined)[]> => {
    const outcomes: (string | undefined)[] = [];
    for (const value of values) outcomes.push((await suite.broker.publish(topic, { value, unique })).outcome);
    return outcomes;
  };
  const receiveText = async (consumer: DeliveryConsumer): Promise<string | undefined> =>
    text(await receive(consumer));

  suite.fact(
    'a message replaces the one of its unique key that waits, in its place',
    ['uniqueKeys'],
    async () => {
      const topic = await suite.setUp(1, {}, 'queue');
      await suite.broker.publish(topic, { value: 'old', unique: { key: 'k', mode: 'replace' } });
      await suite.broker.publish(topic, { value: '2' });
      await suite.broker.publish(topic, { value: 'new', unique: { key: 'k', mode: 'replace' } });
      await using consumer = await suite.broker.join(topic, 'g');
      const values: (string | undefined)[] = [];
      for (let at = 0; at < 3; at++) values.push(text(await receive(consumer)));
      assert.deepEqual(values, ['1', 'new', '2']);
      await expectNothing(consumer);
    },
  );

  suite.fact('a message is ignored while one of its unique key waits', ['uniqueKeys'], async () => {
    const topic = await suite.setUp(0);
    const unique = { key: 'k', mode: 'ignore' } as const;
    assert.deepEqual(await publishAll(topic, ['1', '2'], unique), ['stored', 'ignored']);
    await using consumer = await suite.broker.join(topic, 'g');
    assert.equal(await receiveText(consumer), '1');
    // The first delivery has freed the key.
    assert.deepEqual(await publishAll(topic, ['3'], unique), ['stored']);
    assert.equal(await receiveText(consumer), '3');
  });

  suite.fact('each message of a unique key sets back the delay of the last', ['uniqueKeys'], async () => {
    const topic = await suite.setUp(0);
    await using consumer = await suite.broker.join(topic, 'g');
    const unique = { key: 'k', mode: 'debounce', windowMs: 1000 } as const;
    const startMs = performance.now();
    await publishAll(topic, ['1'], unique);
    await delay(100);
    assert.deepEqual(await publishAll(topic, ['2'], unique), ['replaced']);
    assert.equal(await receiveText(consumer), '2');
    assert.ok(performance.now() - startMs >= 1099);
    await expectNothing(consumer);
  });

  suite.fact('a unique key is published once in a time', ['uniqueKeys'], async () => {
    const topic = await suite.setUp(0);
    await using consumer = await suite.broker.join(topic, 'g');
    const unique = { key: 'k', mode: 'throttle', windowMs: 3_600_000 } as const;
    assert.deepEqual(await publishAll(topic, ['1'], unique), ['stored']);
    assert.equal(await receiveText(consumer), '1');
    assert.deepEqual(await publishAll(topic, ['2'], unique), ['ignored'], 'also when it was delivered');
    const other = { key: 'other', mode: 'throttle', windowMs: 1 } as const;
    assert.deepEqual(await publishAll(topic, ['3'], other), ['stored']);
    assert.equal(await receiveText(consumer), '3');
    await delay(2);
    assert.deepEqual(await publishAll(topic, ['4'], other), ['stored'], 'the time is over');
    assert.equal(await receiveText(consumer), '4');
  });
}
