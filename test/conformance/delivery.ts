import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { eventually, uniqueName } from '../support/index.ts';
import { describeCrashes } from './crashes.ts';
import type {
  Delivery,
  DeliveryBroker,
  DeliveryCapability,
  DeliveryDriver,
  GroupOptions,
  TopicKind,
} from './delivery-driver.ts';
import {
  NEVER_MS,
  defineFact,
  drainQueue,
  expectNothing,
  numbers,
  receive,
  sortNumbers,
  text,
  valuesOf,
} from './facts.ts';

/** The meaning of delivery, as facts that hold for every protocol. */
export function describeDelivery(driver: DeliveryDriver): void {
  describe(`delivery over ${driver.protocol}`, { concurrency: 8, timeout: 120_000 }, () => {
    let broker: DeliveryBroker;
    before(async () => {
      broker = await driver.start();
    });
    after(async () => {
      await broker?.[Symbol.asyncDispose]();
    });

    const fact = (name: string, needs: readonly DeliveryCapability[], body: () => Promise<void>): void =>
      defineFact(driver, name, needs, body);

    /** A topic with the messages "1".."count" and the group `g`. */
    const setUp = async (
      count: number,
      options: GroupOptions = {},
      kind: TopicKind = 'queue',
    ): Promise<string> => {
      const topic = uniqueName('topic');
      await broker.createTopic(topic, kind);
      await broker.createGroup(topic, 'g', { ackDeadlineMs: NEVER_MS, ...options });
      for (const value of numbers(count)) await broker.publish(topic, { value });
      return topic;
    };

    fact('an acked message is not delivered again', [], async () => {
      const topic = await setUp(1, { ackDeadlineMs: 500 });
      await using consumer = await broker.join(topic, 'g');
      await (await receive(consumer)).ack();
      await expectNothing(consumer);
    });

    fact('an acked message leaves a queue and stays in a log', [], async () => {
      for (const kind of ['queue', 'log'] as const) {
        const topic = await setUp(3, {}, kind);
        await using consumer = await broker.join(topic, 'g');
        for (let i = 0; i < 3; i += 1) await (await receive(consumer)).ack();
        await eventually(async () => (await broker.countStored(topic)) === (kind === 'queue' ? 0 : 3), {
          message: `the ${kind} to hold what it should`,
        });
      }
    });

    fact('acks in any order leave unacked messages', [], async () => {
      const topic = await setUp(4);
      await using consumer = await broker.join(topic, 'g');
      const deliveries = [
        await receive(consumer),
        await receive(consumer),
        await receive(consumer),
        await receive(consumer),
      ];
      await deliveries[3]?.ack();
      await deliveries[1]?.ack();
      await eventually(async () => (await broker.countStored(topic)) === 2);
    });

    fact('messages of a partition come in order', [], async () => {
      const topic = await setUp(0);
      for (const value of numbers(200)) await broker.publish(topic, { value, key: 'k' });
      await using consumer = await broker.join(topic, 'g');
      const received: (string | undefined)[] = [];
      for (let i = 0; i < 200; i += 1) {
        const delivery = await receive(consumer);
        received.push(text(delivery));
        await delivery.ack();
      }
      assert.deepEqual(received, numbers(200));
    });

    fact('key, headers and bytes arrive whole', [], async () => {
      const topic = await setUp(0);
      const value = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 31) & 0xff);
      const headers = [
        ['Trace-Id', 'abc'],
        ['empty', ''],
        ['text', 'zwölf = 12: "ok"'],
      ] as const;
      await broker.publish(topic, { value, key: 'customer-7', headers });
      await broker.publish(topic, { value: '' });
      await using consumer = await broker.join(topic, 'g');
      const delivery = await receive(consumer);
      assert.ok(Buffer.from(value).equals(delivery.value), 'the bytes differ');
      assert.equal(delivery.key, 'customer-7');
      for (const [name, expected] of headers) assert.deepEqual(valuesOf(delivery, name), [expected], name);
      assert.equal((await receive(consumer)).value.length, 0);
    });

    fact('a repeated header keeps its values in order', ['repeatedHeaders'], async () => {
      const topic = await setUp(0);
      await broker.publish(topic, {
        value: 'x',
        headers: [
          ['Color', 'red'],
          ['Other', 'x'],
          ['Color', 'blue'],
        ],
      });
      await using consumer = await broker.join(topic, 'g');
      assert.deepEqual(valuesOf(await receive(consumer), 'Color'), ['red', 'blue']);
    });

    fact('a nacked message comes back at once', ['nack', 'deliveryCount'], async () => {
      const topic = await setUp(1);
      await using consumer = await broker.join(topic, 'g');
      const first = await receive(consumer);
      assert.equal(first.deliveries, 1);
      await first.nack();
      const second = await receive(consumer);
      assert.equal(text(second), '1');
      assert.equal(second.deliveries, 2);
    });

    fact('a message nacked with a delay lets others go first', ['nackLater'], async () => {
      const topic = await setUp(2);
      await using consumer = await broker.join(topic, 'g');
      await (await receive(consumer)).nackLater(2000);
      assert.equal(text(await receive(consumer)), '2');
      assert.equal(text(await receive(consumer)), '1');
    });

    fact('a message not acked in time comes back with delivery count 2', ['deliveryCount'], async () => {
      const topic = await setUp(1, { ackDeadlineMs: 500 });
      await using consumer = await broker.join(topic, 'g');
      assert.equal((await receive(consumer)).deliveries, 1);
      const again = await receive(consumer);
      assert.equal(text(again), '1');
      assert.equal(again.deliveries, 2);
    });

    fact('a late ack of an earlier delivery counts', ['lateAcks'], async () => {
      const topic = await setUp(1, { ackDeadlineMs: 500 });
      await using consumer = await broker.join(topic, 'g');
      const first = await receive(consumer);
      await receive(consumer);
      await first.ack();
      await expectNothing(consumer);
      await eventually(async () => (await broker.countStored(topic)) === 0);
    });

    if (!driver.capabilities.lateAcks)
      fact(
        'a late ack of an earlier delivery leaves the message with its consumer',
        ['deliveryCount'],
        async () => {
          const topic = await setUp(1, { ackDeadlineMs: 500 });
          await using consumer = await broker.join(topic, 'g');
          const first = await receive(consumer);
          const second = await receive(consumer);
          await first.ack();
          assert.equal(await broker.countStored(topic), 1);
          await second.ack();
          await expectNothing(consumer);
          await eventually(async () => (await broker.countStored(topic)) === 0);
        },
      );

    fact('an extended deadline keeps the message with its consumer', ['extend'], async () => {
      const topic = await setUp(1, { ackDeadlineMs: 2000 });
      await using consumer = await broker.join(topic, 'g');
      await using other = await broker.join(topic, 'g');
      const delivery = await receive(consumer);
      const extending = setInterval(() => void delivery.extend(), 100);
      // Longer than the deadline.
      for (let second = 0; second < 4; second += 1) await expectNothing(other);
      clearInterval(extending);
      await delivery.ack();
      await expectNothing(other);
    });

    fact('a rejected message does not come back', ['reject'], async () => {
      const topic = await setUp(2, { ackDeadlineMs: 500 });
      await using consumer = await broker.join(topic, 'g');
      await (await receive(consumer)).reject('not for me');
      const second = await receive(consumer);
      assert.equal(text(second), '2');
      await second.ack();
      await expectNothing(consumer);
    });

    fact('two groups each get everything', ['fanOut'], async () => {
      const topic = await setUp(0, {}, 'log');
      await broker.createGroup(topic, 'h', { ackDeadlineMs: NEVER_MS });
      for (const value of numbers(20)) await broker.publish(topic, { value });
      for (const group of ['g', 'h']) {
        await using consumer = await broker.join(topic, group);
        const received: (string | undefined)[] = [];
        for (let i = 0; i < 20; i += 1) {
          const delivery = await receive(consumer);
          received.push(text(delivery));
          await delivery.ack();
        }
        assert.deepEqual(received, numbers(20));
      }
    });

    fact('two consumers of one group share', [], async () => {
      const topic = await setUp(100);
      await using first = await broker.join(topic, 'g');
      await using second = await broker.join(topic, 'g');
      const shares = await Promise.all([drainQueue(broker, topic, first), drainQueue(broker, topic, second)]);
      assert.deepEqual(sortNumbers(shares.flat()), numbers(100));
      assert.ok(
        shares.every((share) => share.length > 0),
        `shared ${shares[0].length} : ${shares[1].length}`,
      );
    });

    fact('a consumer that disconnects gives its messages back after the deadline', [], async () => {
      const topic = await setUp(2, { ackDeadlineMs: 1000 });
      const leaver = await broker.join(topic, 'g');
      await receive(leaver);
      await receive(leaver);
      await leaver.abandon();
      await using stayer = await broker.join(topic, 'g');
      assert.deepEqual(sortNumbers([text(await receive(stayer)), text(await receive(stayer))]), ['1', '2']);
    });

    fact('no more than the limit is in flight', ['inFlightLimit'], async () => {
      const topic = await setUp(5, { maxInFlight: 2 });
      await using first = await broker.join(topic, 'g');
      await using second = await broker.join(topic, 'g');
      const held = await receive(first);
      await receive(second);
      await expectNothing(first);
      await held.ack();
      assert.equal(text(await receive(second)), '3');
      await expectNothing(first);
    });

    fact(
      'a key stays in order in a group of many consumers, other keys go on',
      ['keyOrdering', 'nack'],
      async () => {
        const topic = await setUp(0, { ordering: 'key' });
        for (const [key, value] of ['a 1', 'a 2', 'b 1', 'a 3', 'b 2'].map(
          (name) => [name.slice(0, 1), name] as const,
        )) {
          await broker.publish(topic, { key, value });
        }
        await using first = await broker.join(topic, 'g');
        await using second = await broker.join(topic, 'g');
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

    fact(
      'a consumer may have a run of a key, which stays with it until all of the run is answered',
      ['keyRuns', 'nack'],
      async () => {
        const topic = await setUp(0, { ordering: 'key', keyRunMax: 3 });
        await using first = await broker.join(topic, 'g', { isLasting: true });
        for (const value of numbers(5)) await broker.publish(topic, { key: 'k', value });
        const run = [await receive(first), await receive(first), await receive(first)];
        assert.deepEqual(run.map(text), ['1', '2', '3']);
        await using second = await broker.join(topic, 'g');
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

    fact('a consumer of a higher priority goes first, while it takes messages', ['precedence'], async () => {
      const topic = await setUp(0);
      await using low = await broker.join(topic, 'g', { priority: 1 });
      await using high = await broker.join(topic, 'g', { priority: 2 });
      for (const value of numbers(3)) {
        const [first, second] = [low.receive(NEVER_MS), high.receive(NEVER_MS)];
        await broker.publish(topic, { value });
        assert.equal(text(await second), value);
        await broker.publish(topic, { value: `${value} too` });
        assert.equal(text(await first), `${value} too`);
      }
    });

    fact('one member is active, until it is silent', ['precedence'], async () => {
      const topic = await setUp(3, { activeSilenceMs: 1500 });
      await using one = await broker.join(topic, 'g', { member: 'one' });
      await using two = await broker.join(topic, 'g', { member: 'two' });
      const held = await receive(one);
      assert.equal(text(held), '1');
      await expectNothing(two);
      assert.equal(text(await receive(one)), '2');
      const [next] = await Promise.all([two.receive(NEVER_MS), held.ack()]);
      assert.equal(text(next), '3', 'it takes over by itself');
      await expectNothing(one);
    });

    fact('an id is stored once', ['deduplication'], async () => {
      const topic = await setUp(0);
      assert.equal((await broker.publish(topic, { value: 'first', id: 'a' })).duplicate, false);
      assert.equal((await broker.publish(topic, { value: 'again', id: 'a' })).duplicate, true);
      assert.equal((await broker.publish(topic, { value: 'other', id: 'b' })).duplicate, false);
      await using consumer = await broker.join(topic, 'g');
      assert.deepEqual([text(await receive(consumer)), text(await receive(consumer))], ['first', 'other']);
      await expectNothing(consumer);
    });

    fact('a group made later reads a log from its start', ['fanOut'], async () => {
      const topic = await setUp(3, {}, 'log');
      await broker.createGroup(topic, 'late', { ackDeadlineMs: NEVER_MS });
      await using consumer = await broker.join(topic, 'late');
      assert.equal(text(await receive(consumer)), '1');
    });

    fact(
      'a message delivered too often goes to the dead-letter topic with origin and cause',
      ['deadLetters', 'nack'],
      async () => {
        for (const kind of ['queue', 'log'] as const) {
          const topic = await setUp(0, { maxDeliver: 3 }, kind);
          const before = Date.now();
          await broker.publish(topic, { value: 'good' });
          await broker.publish(topic, { value: 'poison', key: 'k', headers: [['Trace-Id', 'abc']] });
          await using consumer = await broker.join(topic, 'g');
          await (await receive(consumer)).ack();
          assert.deepEqual(
            await broker.readDeadLetters(topic, 'g'),
            [],
            'the dead-letter topic is there before its first message',
          );
          for (let i = 0; i < 3; i += 1) await (await receive(consumer)).nack();
          const [letter] = await eventually(async () => {
            const letters = await broker.readDeadLetters(topic, 'g');
            return letters.length === 1 && letters;
          });
          assert.ok(letter);
          assert.equal(Buffer.from(letter.value).toString(), 'poison');
          assert.deepEqual(valuesOf(letter, 'Trace-Id'), ['abc']);
          const { topic: origin, group, offset, key, cause, deliveries, time } = letter;
          assert.deepEqual(
            { origin, group, offset, key, cause, deliveries },
            { origin: topic, group: 'g', offset: 1, key: 'k', cause: 'max-deliveries', deliveries: 3 },
          );
          assert.ok(
            time.getTime() >= before - 1000 && time.getTime() <= Date.now() + 1000,
            time.toISOString(),
          );
          await expectNothing(consumer);
          // Moved out of a queue, copied out of a log.
          await eventually(async () => (await broker.countStored(topic)) === (kind === 'queue' ? 0 : 2));
        }
      },
    );

    fact('messages with a higher priority are delivered first', ['priorities', 'nack'], async () => {
      const topic = uniqueName('topic');
      await broker.createTopic(topic, 'queue', 10);
      await broker.createGroup(topic, 'g', { ackDeadlineMs: NEVER_MS });
      for (const [value, priority] of [
        ['a', 0],
        ['b', 5],
        ['c', 9],
        ['d', 5],
      ] as const)
        await broker.publish(topic, { value, priority });
      await using consumer = await broker.join(topic, 'g');
      const received: (string | undefined)[] = [];
      const next = async (): Promise<Delivery> => {
        const delivery = await receive(consumer);
        received.push(text(delivery));
        return delivery;
      };
      await (await next()).ack();
      const failed = await next();
      await failed.nack();
      await broker.publish(topic, { value: 'e', priority: 9 });
      for (let left = 4; left > 0; left -= 1) await (await next()).ack();
      assert.deepEqual(received, ['c', 'b', 'e', 'b', 'd', 'a']);
    });

    fact(
      'a message replaces the one of its unique key that waits, in its place',
      ['uniqueKeys'],
      async () => {
        const topic = await setUp(1, {}, 'queue');
        await broker.publish(topic, { value: 'old', unique: 'k' });
        await broker.publish(topic, { value: '2' });
        await broker.publish(topic, { value: 'new', unique: 'k' });
        await using consumer = await broker.join(topic, 'g');
        const values: (string | undefined)[] = [];
        for (let at = 0; at < 3; at++) values.push(text(await receive(consumer)));
        assert.deepEqual(values, ['1', 'new', '2']);
        await expectNothing(consumer);
      },
    );

    fact('a message that has expired is delivered no more, wherever it stands', ['expiry'], async () => {
      for (const kind of ['queue', 'log'] as const) {
        const topic = await setUp(1, {}, kind);
        await broker.publish(topic, { value: 'long', ttlMs: 3_600_000 });
        await broker.publish(topic, { value: 'short', ttlMs: 1000 });
        await broker.publish(topic, { value: '2' });
        await eventually(async () => (await broker.countStored(topic)) === 3);
        await using consumer = await broker.join(topic, 'g');
        const values: (string | undefined)[] = [];
        for (let at = 0; at < 3; at++) values.push(text(await receive(consumer)));
        assert.deepEqual(values, ['1', 'long', '2']);
        await expectNothing(consumer);
      }
    });

    fact('a delayed message comes after its delay, and others before it', ['delays'], async () => {
      const topic = await setUp(0);
      await using consumer = await broker.join(topic, 'g');
      const startMs = performance.now();
      await broker.publish(topic, { value: 'later', delayMs: 1_000 });
      await broker.publish(topic, { value: 'now' });
      for (const value of ['now', 'later']) {
        const delivery = await receive(consumer);
        assert.equal(text(delivery), value);
        await delivery.ack();
      }
      assert.ok(performance.now() - startMs >= 999);
    });

    fact('a delayed message comes after its delay, and a cancelled one never', ['later'], async () => {
      const topic = await setUp(0);
      await using consumer = await broker.join(topic, 'g');
      const startMs = performance.now();
      await broker.later!.publish(topic, 'later', 400);
      await broker.later!.cancel(topic, await broker.later!.publish(topic, 'never', 300));
      const delivery = await receive(consumer);
      assert.equal(text(delivery), 'later');
      assert.ok(performance.now() - startMs >= 399);
      await delivery.ack();
      await expectNothing(consumer);
    });

    fact('a schedule publishes at its interval until it is deleted', ['later'], async () => {
      const topic = await setUp(0);
      await using consumer = await broker.join(topic, 'g');
      await broker.later!.schedule(topic, topic, 'tick', 100);
      for (let at = 0; at < 3; at++) {
        const delivery = await receive(consumer);
        assert.equal(text(delivery), 'tick');
        await delivery.ack();
      }
      await broker.later!.unschedule(topic);
      await drainQueue(broker, topic, consumer);
      await expectNothing(consumer);
    });

    fact(
      'a message that is never acked in time ends in the dead-letter topic as well',
      ['deadLetters'],
      async () => {
        const topic = await setUp(1, { maxDeliver: 2, ackDeadlineMs: 500 });
        await using consumer = await broker.join(topic, 'g');
        await receive(consumer);
        await receive(consumer);
        await expectNothing(consumer);
        const letters = await eventually(async () => {
          const found = await broker.readDeadLetters(topic, 'g');
          return found.length > 0 && found;
        });
        assert.equal(letters.length, 1);
        assert.equal(letters[0]?.cause, 'max-deliveries');
        assert.equal(letters[0]?.deliveries, 2);
      },
    );
  });

  describeCrashes(driver);
}
