import assert from 'node:assert/strict';
import { expectNothing, receive, text, numbers } from './facts.ts';
import type { Suite } from './suite.ts';

/** Facts about order per key, and the limits of each key. */
export function describeKeys(suite: Suite): void {
  suite.fact(
    'a key stays in order in a group of many consumers, other keys go on',
    ['keyOrdering', 'nack'],
    async () => {
      const topic = await suite.setUp(0, { ordering: 'key' });
      for (const [key, value] of ['a 1', 'a 2', 'b 1', 'a 3', 'b 2'].map(
        (name) => [name.slice(0, 1), name] as const,
      )) {
        await suite.broker.publish(topic, { key, value });
      }
      await using first = await suite.broker.join(topic, 'g');
      await using second = await suite.broker.join(topic, 'g');
      const a = await receive(first);
      const b = await receive(second);
      assert.deepEqual([text(a), text(b)], ['a 1', 'b 1']);
      // Both keys are in flight: their later messages wait, for any consumer.
      await expectNothing(first);
      await b.ack();
      assert.equal(text(await receive(first)), 'b 2');
      // A refused message comes again before its successors.
      await a.nack();
      const again = await receive(second);
      assert.equal(text(again), 'a 1');
      await again.ack();
      const next = await receive(second);
      assert.equal(text(next), 'a 2');
      await expectNothing(first);
      await next.ack();
      assert.equal(text(await receive(first)), 'a 3');
    },
  );

  suite.fact(
    'a consumer may have a run of a key, which stays with it until all of the run is answered',
    ['keyRuns', 'nack'],
    async () => {
      const topic = await suite.setUp(0, { ordering: 'key', keyRunMax: 3 });
      await using first = await suite.broker.join(topic, 'g', { isLasting: true });
      for (const value of numbers(5)) await suite.broker.publish(topic, { key: 'k', value });
      const run = [await receive(first), await receive(first), await receive(first)];
      assert.deepEqual(run.map(text), ['1', '2', '3']);
      await using second = await suite.broker.join(topic, 'g');
      await expectNothing(second);
      // An answer makes room in the run, for the same consumer.
      await run[0]!.ack();
      const fourth = await receive(first);
      assert.equal(text(fourth), '4');
      // A failure stops the run; the failed message comes first in the next one.
      await run[1]!.nack();
      await run[2]!.ack();
      await expectNothing(first);
      await fourth.ack();
      const values: (string | undefined)[] = [];
      for (let at = 0; at < 2; at++) values.push(text(await receive(first)));
      assert.deepEqual(values, ['2', '5']);
    },
  );
  suite.fact(
    'a group may have several messages of a key in flight, up to its limit',
    ['keyOrdering', 'brokerSettings'],
    async () => {
      const topic = await suite.setUp(0, { ordering: 'key', keyRunMax: 1, keyConcurrency: 2 });
      for (const [key, value] of ['a 1', 'a 2', 'a 3', 'b 1'].map(
        (name) => [name.slice(0, 1), name] as const,
      )) {
        await suite.broker.publish(topic, { key, value });
      }
      await using first = await suite.broker.join(topic, 'g');
      await using second = await suite.broker.join(topic, 'g');
      const held = await receive(first);
      const values = [held, await receive(second), await receive(first)].map(text);
      assert.deepEqual(values, ['a 1', 'a 2', 'b 1']);
      await expectNothing(second);
      await held.ack();
      assert.equal(text(await receive(second)), 'a 3');
    },
  );

  suite.fact(
    'a key has a rate of its own, and other keys go on',
    ['keyOrdering', 'brokerSettings'],
    async () => {
      const topic = await suite.setUp(0, { ordering: 'key', keyRate: { perSecond: 1, burst: 1 } });
      for (const [key, value] of ['a 1', 'a 2', 'b 1'].map((name) => [name.slice(0, 1), name] as const)) {
        await suite.broker.publish(topic, { key, value });
      }
      await using consumer = await suite.broker.join(topic, 'g');
      const startMs = performance.now();
      for (const value of ['a 1', 'b 1', 'a 2']) {
        const delivery = await receive(consumer);
        assert.equal(text(delivery), value);
        await delivery.ack();
      }
      assert.ok(performance.now() - startMs >= 999);
    },
  );
}
