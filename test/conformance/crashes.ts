import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { eventually, uniqueName } from '../support/index.ts';
import type {
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
} from './facts.ts';

/**
 * Facts about the end of the broker, with and without a warning. They run one after the other, because each
 * ends the broker for all.
 */
export function describeCrashes(driver: DeliveryDriver): void {
  describe(`restarts over ${driver.protocol}`, { timeout: 120_000 }, () => {
    let broker: DeliveryBroker;
    before(async () => {
      broker = await driver.start();
    });
    after(async () => {
      await broker?.[Symbol.asyncDispose]();
    });

    const fact = (name: string, needs: readonly DeliveryCapability[], body: () => Promise<void>): void =>
      defineFact(driver, name, needs, body);

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

    fact('after a graceful stop everything goes on where it was', [], async () => {
      const topic = await setUp(5);
      {
        await using consumer = await broker.join(topic, 'g');
        for (let i = 0; i < 2; i += 1) await (await receive(consumer)).ack();
      }
      await eventually(async () => (await broker.countStored(topic)) === 3);
      await broker.restart();
      await broker.publish(topic, { value: '6' });
      await using consumer = await broker.join(topic, 'g');
      assert.deepEqual(await drainQueue(broker, topic, consumer), ['3', '4', '5', '6']);
    });

    fact('messages acknowledged to a publisher survive kill -9', [], async () => {
      const topic = await setUp(0);
      const acknowledged: string[] = [];
      const sent = new Set<string>();
      let hasCrashed = false;
      const publishUntilTheEnd = async (publisher: number): Promise<void> => {
        for (let i = 0; ; i += 1) {
          const value = `${publisher * 1_000_000 + i}`;
          sent.add(value);
          // The crash fails the publishes in flight, which were not acknowledged.
          const isSafe = await broker.publish(topic, { value }).then(
            () => true,
            () => false,
          );
          if (isSafe) acknowledged.push(value);
          if (!isSafe || hasCrashed) return;
        }
      };
      const publishers = Promise.all(numbers(8).map((publisher) => publishUntilTheEnd(Number(publisher))));
      await eventually(() => acknowledged.length > 200);
      await broker.crash();
      hasCrashed = true;
      await publishers;
      await using consumer = await broker.join(topic, 'g');
      const received = new Set(await drainQueue(broker, topic, consumer));
      const lost = acknowledged.filter((value) => !received.has(value));
      const invented = [...received].filter((value) => !sent.has(value));
      assert.deepEqual({ lost, invented }, { lost: [], invented: [] });
    });

    fact('unacked messages are delivered again after kill -9', [], async () => {
      const topic = await setUp(3, { ackDeadlineMs: 1000 });
      const consumer = await broker.join(topic, 'g');
      for (let i = 0; i < 3; i += 1) await receive(consumer);
      await broker.crash();
      await consumer.abandon();
      await using again = await broker.join(topic, 'g');
      assert.deepEqual(
        sortNumbers([text(await receive(again)), text(await receive(again)), text(await receive(again))]),
        ['1', '2', '3'],
      );
    });

    fact('an answered ack survives kill -9', ['durableAcks'], async () => {
      const topic = await setUp(4, { ackDeadlineMs: 1000 }, 'log');
      const consumer = await broker.join(topic, 'g');
      const deliveries = [await receive(consumer), await receive(consumer), await receive(consumer)];
      // Out of order: the floor is not enough to remember this.
      await deliveries[2]?.ack();
      await deliveries[0]?.ack();
      await broker.crash();
      await consumer.abandon();
      await using again = await broker.join(topic, 'g');
      assert.deepEqual(sortNumbers([text(await receive(again)), text(await receive(again))]), ['2', '4']);
    });

    fact('an id is remembered after kill -9', ['deduplication'], async () => {
      const topic = await setUp(0);
      await broker.publish(topic, { value: 'once', id: 'a' });
      await broker.crash();
      assert.equal((await broker.publish(topic, { value: 'twice', id: 'a' })).duplicate, true);
      assert.equal(await broker.countStored(topic), 1);
    });

    fact('the count of deliveries survives kill -9', ['durableAcks', 'deliveryCount', 'nack'], async () => {
      const topic = await setUp(1, { ackDeadlineMs: 1000 });
      const consumer = await broker.join(topic, 'g');
      await (await receive(consumer)).nack();
      assert.equal((await receive(consumer)).deliveries, 2);
      // An unanswered delivery may be forgotten; the nack before it was answered.
      await broker.crash();
      await consumer.abandon();
      await using again = await broker.join(topic, 'g');
      const { deliveries } = await receive(again);
      assert.ok(deliveries >= 2, `delivery ${deliveries}`);
    });

    fact('a dead letter is neither lost nor doubled by kill -9', ['deadLetters', 'nack'], async () => {
      const topic = await setUp(20, { maxDeliver: 1 });
      const consumer = await broker.join(topic, 'g');
      for (let i = 0; i < 20; i += 1) await (await receive(consumer)).nack();
      await broker.crash();
      await consumer.abandon();
      await using again = await broker.join(topic, 'g');
      for (;;) {
        const delivery = await again.receive(1000);
        if (delivery === undefined) break;
        await delivery.nack();
      }
      await eventually(async () => (await broker.countStored(topic)) === 0);
      const letters = await broker.readDeadLetters(topic, 'g');
      assert.deepEqual(sortNumbers(letters.map(text)), numbers(20));
    });

    fact('topics, groups and their settings survive', ['inFlightLimit'], async () => {
      const topic = await setUp(3, { maxInFlight: 1 });
      await broker.crash();
      await broker.restart();
      await using consumer = await broker.join(topic, 'g');
      const first = await receive(consumer);
      await expectNothing(consumer);
      await first.ack();
      assert.equal(text(await receive(consumer)), '2');
    });

    fact('crash after crash, nothing is lost', [], async () => {
      const topic = await setUp(0, { ackDeadlineMs: 1000 });
      const expected: string[] = [];
      for (let round = 0; round < 4; round += 1) {
        for (const value of numbers(25)) {
          await broker.publish(topic, { value: `${round * 25 + Number(value)}` });
          expected.push(`${round * 25 + Number(value)}`);
        }
        await broker.crash();
      }
      await using consumer = await broker.join(topic, 'g');
      assert.deepEqual(sortNumbers(await drainQueue(broker, topic, consumer)), expected);
    });
  });
}
