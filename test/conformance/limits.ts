import assert from 'node:assert/strict';
import { eventually } from '../support/index.ts';
import { expectNothing, receive, text } from './facts.ts';
import type { Suite } from './suite.ts';

/** Facts about what keeps the deliveries of a group back: rates, concurrency, and "not now" of a consumer. */
export function describeLimits(suite: Suite): void {
  suite.fact('the rate of a group holds over all its consumers', ['brokerSettings'], async () => {
    const topic = await suite.setUp(4, { rate: { perSecond: 2, burst: 2 } });
    await using first = await suite.broker.join(topic, 'g');
    await using second = await suite.broker.join(topic, 'g');
    const startMs = performance.now();
    const values: (string | undefined)[] = [];
    for (const consumer of [first, second, first, second]) values.push(text(await receive(consumer)));
    assert.deepEqual(values, ['1', '2', '3', '4']);
    assert.ok(performance.now() - startMs >= 999, 'two at once, and one every half second');
  });

  suite.fact(
    'the concurrency of a group holds over all its consumers, and may change',
    ['brokerSettings'],
    async () => {
      const topic = await suite.setUp(4, { concurrency: 2 });
      await using first = await suite.broker.join(topic, 'g');
      await using second = await suite.broker.join(topic, 'g');
      const held = await receive(first);
      assert.deepEqual([text(held), text(await receive(second))], ['1', '2']);
      await expectNothing(first);
      await held.ack();
      assert.equal(text(await receive(second)), '3');
      await suite.broker.limitGroup(topic, 'g', { concurrency: 3 });
      assert.equal(text(await receive(first)), '4');
    },
  );

  suite.fact('"not now" uses up no attempt', ['postpone', 'deadLetters'], async () => {
    const topic = await suite.setUp(2, { maxDeliver: 1 });
    await using consumer = await suite.broker.join(topic, 'g');
    const startMs = performance.now();
    await (await receive(consumer)).postpone(300, 'message');
    assert.equal(text(await receive(consumer)), '2', 'others go on');
    // It was delivered twice, and did not fail: it is no dead letter before it does.
    const again = await receive(consumer);
    assert.ok(performance.now() - startMs >= 299);
    assert.equal(text(again), '1');
    assert.deepEqual(await suite.broker.readDeadLetters(topic, 'g'), []);
    await again.nack();
    await eventually(async () => (await suite.broker.readDeadLetters(topic, 'g')).length === 1);
  });

  suite.fact('"not now" holds a key, and other keys go on', ['postponeScopes', 'keyOrdering'], async () => {
    const topic = await suite.setUp(0, { ordering: 'key', maxDeliver: 1 });
    for (const [key, value] of ['a 1', 'a 2', 'b 1'].map((name) => [name.slice(0, 1), name] as const))
      await suite.broker.publish(topic, { key, value });
    await using consumer = await suite.broker.join(topic, 'g');
    const startMs = performance.now();
    await (await receive(consumer)).postpone(300, 'key');
    assert.equal(text(await receive(consumer)), 'b 1');
    const again = await receive(consumer);
    assert.ok(performance.now() - startMs >= 299);
    assert.equal(text(again), 'a 1');
    await again.ack();
    assert.equal(text(await receive(consumer)), 'a 2');
  });

  suite.fact('"not now" holds the whole group', ['postponeScopes'], async () => {
    const topic = await suite.setUp(2, { maxDeliver: 1 });
    await using consumer = await suite.broker.join(topic, 'g');
    await using other = await suite.broker.join(topic, 'g');
    const startMs = performance.now();
    await (await receive(consumer)).postpone(300, 'group');
    const values = [text(await receive(other)), text(await receive(other))];
    assert.ok(performance.now() - startMs >= 299);
    assert.deepEqual(values, ['1', '2']);
  });
}
