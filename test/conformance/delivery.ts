import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { eventually } from '../support/index.ts';
import { describeCrashes } from './crashes.ts';
import type { DeliveryDriver } from './delivery-driver.ts';
import {
  NEVER_MS,
  drainQueue,
  expectNothing,
  numbers,
  receive,
  sortNumbers,
  text,
  valuesOf,
} from './facts.ts';
import { describeKeys } from './keys.ts';
import { describeLimits } from './limits.ts';
import { describePrecedence, describePriorities } from './precedence.ts';
import { Suite } from './suite.ts';
import { describeTimes } from './times.ts';
import { describeUniqueKeys } from './unique.ts';

/** The meaning of delivery, as facts that hold for every protocol. */
export function describeDelivery(driver: DeliveryDriver): void {
  describe(`delivery over ${driver.protocol}`, { concurrency: 16, timeout: 120_000 }, () => {
    const suite = new Suite(driver);

    suite.fact('an acked message is not delivered again', [], async () => {
      const topic = await suite.setUp(1, { ackDeadlineMs: 500 });
      await using consumer = await suite.broker.join(topic, 'g');
      await (await receive(consumer)).ack();
      await expectNothing(consumer);
    });

    suite.fact('an acked message leaves a queue and stays in a log', [], async () => {
      for (const kind of ['queue', 'log'] as const) {
        const topic = await suite.setUp(3, {}, kind);
        await using consumer = await suite.broker.join(topic, 'g');
        for (let i = 0; i < 3; i += 1) await (await receive(consumer)).ack();
        await eventually(async () => (await suite.broker.countStored(topic)) === (kind === 'queue' ? 0 : 3), {
          message: `the ${kind} to hold what it should`,
        });
      }
    });

    suite.fact('acks in any order leave unacked messages', [], async () => {
      const topic = await suite.setUp(4);
      await using consumer = await suite.broker.join(topic, 'g');
      const deliveries = [
        await receive(consumer),
        await receive(consumer),
        await receive(consumer),
        await receive(consumer),
      ];
      await deliveries[3]?.ack();
      await deliveries[1]?.ack();
      await eventually(async () => (await suite.broker.countStored(topic)) === 2);
    });

    suite.fact('messages of a partition come in order', [], async () => {
      const topic = await suite.setUp(0);
      for (const value of numbers(200)) await suite.broker.publish(topic, { value, key: 'k' });
      await using consumer = await suite.broker.join(topic, 'g');
      const received: (string | undefined)[] = [];
      for (let i = 0; i < 200; i += 1) {
        const delivery = await receive(consumer);
        received.push(text(delivery));
        await delivery.ack();
      }
      assert.deepEqual(received, numbers(200));
    });

    suite.fact('key, headers and bytes arrive whole', [], async () => {
      const topic = await suite.setUp(0);
      const value = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 31) & 0xff);
      const headers = [
        ['Trace-Id', 'abc'],
        ['empty', ''],
        ['text', 'zwölf = 12: "ok"'],
      ] as const;
      await suite.broker.publish(topic, { value, key: 'customer-7', headers });
      await suite.broker.publish(topic, { value: '' });
      await using consumer = await suite.broker.join(topic, 'g');
      const delivery = await receive(consumer);
      assert.ok(Buffer.from(value).equals(delivery.value), 'the bytes differ');
      assert.equal(delivery.key, 'customer-7');
      for (const [name, expected] of headers) assert.deepEqual(valuesOf(delivery, name), [expected], name);
      assert.equal((await receive(consumer)).value.length, 0);
    });

    suite.fact('a repeated header keeps its values in order', ['repeatedHeaders'], async () => {
      const topic = await suite.setUp(0);
      await suite.broker.publish(topic, {
        value: 'x',
        headers: [
          ['Color', 'red'],
          ['Other', 'x'],
          ['Color', 'blue'],
        ],
      });
      await using consumer = await suite.broker.join(topic, 'g');
      assert.deepEqual(valuesOf(await receive(consumer), 'Color'), ['red', 'blue']);
    });

    suite.fact('a nacked message comes back at once', ['nack', 'deliveryCount'], async () => {
      const topic = await suite.setUp(1);
      await using consumer = await suite.broker.join(topic, 'g');
      const first = await receive(consumer);
      assert.equal(first.deliveries, 1);
      await first.nack();
      const second = await receive(consumer);
      assert.equal(text(second), '1');
      assert.equal(second.deliveries, 2);
    });

    suite.fact('a message nacked with a delay lets others go first', ['nackLater'], async () => {
      const topic = await suite.setUp(2);
      await using consumer = await suite.broker.join(topic, 'g');
      await (await receive(consumer)).nackLater(2000);
      assert.equal(text(await receive(consumer)), '2');
      assert.equal(text(await receive(consumer)), '1');
    });

    suite.fact(
      'a message not acked in time comes back with delivery count 2',
      ['deliveryCount'],
      async () => {
        const topic = await suite.setUp(1, { ackDeadlineMs: 500 });
        await using consumer = await suite.broker.join(topic, 'g');
        assert.equal((await receive(consumer)).deliveries, 1);
        const again = await receive(consumer);
        assert.equal(text(again), '1');
        assert.equal(again.deliveries, 2);
      },
    );

    suite.fact('a late ack of an earlier delivery counts', ['lateAcks'], async () => {
      const topic = await suite.setUp(1, { ackDeadlineMs: 500 });
      await using consumer = await suite.broker.join(topic, 'g');
      const first = await receive(consumer);
      await receive(consumer);
      await first.ack();
      await expectNothing(consumer);
      await eventually(async () => (await suite.broker.countStored(topic)) === 0);
    });

    if (!driver.capabilities.lateAcks)
      suite.fact(
        'a late ack of an earlier delivery leaves the message with its consumer',
        ['deliveryCount'],
        async () => {
          const topic = await suite.setUp(1, { ackDeadlineMs: 500 });
          await using consumer = await suite.broker.join(topic, 'g');
          const first = await receive(consumer);
          const second = await receive(consumer);
          await first.ack();
          assert.equal(await suite.broker.countStored(topic), 1);
          await second.ack();
          await expectNothing(consumer);
          await eventually(async () => (await suite.broker.countStored(topic)) === 0);
        },
      );

    suite.fact('an extended deadline keeps the message with its consumer', ['extend'], async () => {
      const topic = await suite.setUp(1, { ackDeadlineMs: 2000 });
      await using consumer = await suite.broker.join(topic, 'g');
      await using other = await suite.broker.join(topic, 'g');
      const delivery = await receive(consumer);
      const extending = setInterval(() => void delivery.extend(), 100);
      // Longer than the deadline.
      for (let second = 0; second < 4; second += 1) await expectNothing(other);
      clearInterval(extending);
      await delivery.ack();
      await expectNothing(other);
    });

    suite.fact('a rejected message does not come back', ['reject'], async () => {
      const topic = await suite.setUp(2, { ackDeadlineMs: 500 });
      await using consumer = await suite.broker.join(topic, 'g');
      await (await receive(consumer)).reject('not for me');
      const second = await receive(consumer);
      assert.equal(text(second), '2');
      await second.ack();
      await expectNothing(consumer);
    });

    suite.fact('two groups each get everything', ['fanOut'], async () => {
      const topic = await suite.setUp(0, {}, 'log');
      await suite.broker.createGroup(topic, 'h', { ackDeadlineMs: NEVER_MS });
      for (const value of numbers(20)) await suite.broker.publish(topic, { value });
      for (const group of ['g', 'h']) {
        await using consumer = await suite.broker.join(topic, group);
        const received: (string | undefined)[] = [];
        for (let i = 0; i < 20; i += 1) {
          const delivery = await receive(consumer);
          received.push(text(delivery));
          await delivery.ack();
        }
        assert.deepEqual(received, numbers(20));
      }
    });

    suite.fact('two consumers of one group share', [], async () => {
      const topic = await suite.setUp(100);
      await using first = await suite.broker.join(topic, 'g');
      await using second = await suite.broker.join(topic, 'g');
      const shares = await Promise.all([
        drainQueue(suite.broker, topic, first),
        drainQueue(suite.broker, topic, second),
      ]);
      assert.deepEqual(sortNumbers(shares.flat()), numbers(100));
      assert.ok(
        shares.every((share) => share.length > 0),
        `shared ${shares[0].length} : ${shares[1].length}`,
      );
    });

    suite.fact('a consumer that disconnects gives its messages back after the deadline', [], async () => {
      const topic = await suite.setUp(2, { ackDeadlineMs: 1000 });
      const leaver = await suite.broker.join(topic, 'g');
      await receive(leaver);
      await receive(leaver);
      await leaver.abandon();
      await using stayer = await suite.broker.join(topic, 'g');
      assert.deepEqual(sortNumbers([text(await receive(stayer)), text(await receive(stayer))]), ['1', '2']);
    });

    suite.fact('no more than the limit is in flight', ['inFlightLimit'], async () => {
      const topic = await suite.setUp(5, { maxInFlight: 2 });
      await using first = await suite.broker.join(topic, 'g');
      await using second = await suite.broker.join(topic, 'g');
      const held = await receive(first);
      await receive(second);
      await expectNothing(first);
      await held.ack();
      assert.equal(text(await receive(second)), '3');
      await expectNothing(first);
    });

    suite.fact('an id is stored once', ['deduplication'], async () => {
      const topic = await suite.setUp(0);
      assert.equal((await suite.broker.publish(topic, { value: 'first', id: 'a' })).duplicate, false);
      assert.equal((await suite.broker.publish(topic, { value: 'again', id: 'a' })).duplicate, true);
      assert.equal((await suite.broker.publish(topic, { value: 'other', id: 'b' })).duplicate, false);
      await using consumer = await suite.broker.join(topic, 'g');
      assert.deepEqual([text(await receive(consumer)), text(await receive(consumer))], ['first', 'other']);
      await expectNothing(consumer);
    });

    suite.fact('a group made later reads a log from its start', ['fanOut'], async () => {
      const topic = await suite.setUp(3, {}, 'log');
      await suite.broker.createGroup(topic, 'late', { ackDeadlineMs: NEVER_MS });
      await using consumer = await suite.broker.join(topic, 'late');
      assert.equal(text(await receive(consumer)), '1');
    });

    suite.fact(
      'a message delivered too often goes to the dead-letter topic with origin and cause',
      ['deadLetters', 'nack'],
      async () => {
        for (const kind of ['queue', 'log'] as const) {
          const topic = await suite.setUp(0, { maxDeliver: 3 }, kind);
          const before = Date.now();
          await suite.broker.publish(topic, { value: 'good' });
          await suite.broker.publish(topic, { value: 'poison', key: 'k', headers: [['Trace-Id', 'abc']] });
          await using consumer = await suite.broker.join(topic, 'g');
          await (await receive(consumer)).ack();
          assert.deepEqual(
            await suite.broker.readDeadLetters(topic, 'g'),
            [],
            'the dead-letter topic is there before its first message',
          );
          for (let i = 0; i < 3; i += 1) await (await receive(consumer)).nack();
          const [letter] = await eventually(async () => {
            const letters = await suite.broker.readDeadLetters(topic, 'g');
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
          await eventually(
            async () => (await suite.broker.countStored(topic)) === (kind === 'queue' ? 0 : 2),
          );
        }
      },
    );

    suite.fact(
      'a message that is never acked in time ends in the dead-letter topic as well',
      ['deadLetters'],
      async () => {
        const topic = await suite.setUp(1, { maxDeliver: 2, ackDeadlineMs: 500 });
        await using consumer = await suite.broker.join(topic, 'g');
        await receive(consumer);
        await receive(consumer);
        await expectNothing(consumer);
        const letters = await eventually(async () => {
          const found = await suite.broker.readDeadLetters(topic, 'g');
          return found.length > 0 && found;
        });
        assert.equal(letters.length, 1);
        assert.equal(letters[0]?.cause, 'max-deliveries');
        assert.equal(letters[0]?.deliveries, 2);
      },
    );

    describeKeys(suite);
    describeLimits(suite);
    describePrecedence(suite);
    describePriorities(suite);
    describeTimes(suite);
    describeUniqueKeys(suite);
  });

  describeCrashes(driver);
}
