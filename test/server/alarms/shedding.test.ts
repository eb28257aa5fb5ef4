import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BrokerError, type Topic } from '../../../src/broker/index.ts';
import { shedPolicies, type ShedSettings } from '../../../src/server/alarms/shed-settings.ts';
import { Shedder } from '../../../src/server/alarms/shedder.ts';
import { TestBroker, TestConsumer, text } from '../../broker/kit.ts';
import { publish, queueOf, WatchKit } from './kit.ts';

/** A watch that sheds by these policies; `notes` has what it told. */
class ShedKit extends WatchKit {
  readonly notes: string[];
  readonly shedder: Shedder;

  constructor(t: TestBroker, settings: readonly ShedSettings[]) {
    const notes: string[] = [];
    const shedder = new Shedder(shedPolicies(settings), {
      broker: t.broker,
      onNote: (sentence) => void notes.push(sentence),
    });
    super(t, [], { shedder });
    this.shedder = shedder;
    this.notes = notes;
  }
}

const refuse: ShedSettings = { topic: 'orders', lag: 500, action: 'refuse' };

async function codeOf(publishing: Promise<unknown>): Promise<string> {
  try {
    await publishing;
    return 'taken';
  } catch (error) {
    assert.ok(error instanceof BrokerError, String(error));
    return error.code;
  }
}

describe('shedding', () => {
  test('follows an overload from its prediction to the recovery, and loses nothing that was accepted', async () => {
    const kit = new ShedKit(await TestBroker.open(), [refuse]);
    const topic = await kit.t.broker.createTopic({
      name: 'orders',
      retention: 'queue',
      messagesMax: 4000,
      overflow: 'reject',
    });
    const group = await topic.createGroup({ name: 'billing' });
    const consumer = new TestConsumer(0);
    const done: string[] = [];
    consumer.answer = ({ offset, value }) => {
      done.push(value);
      group.ack(0, offset);
    };
    group.attach(consumer);
    consumer.group = group;
    const accepted: string[] = [];
    const refused: string[] = [];
    let next = 0;
    /** Ten publishes a second, and as many deliveries as the consumer can do. */
    const load = (perStep: number, handled: number) => async (): Promise<void> => {
      consumer.credit = handled;
      await Promise.all(
        Array.from({ length: perStep }, async () => {
          const value = String(next++);
          const code = await codeOf(topic.send({ value }));
          if (code === 'taken') accepted.push(value);
          else refused.push(code);
        }),
      );
    };

    // Overload, and its prediction.
    await kit.pass(50_000, load(50, 10));
    assert.match(
      kit.alarm('time-to-full')?.reason ?? '',
      /^Topic "orders" is full in \d+ min, and publishes are refused then/,
    );
    assert.deepEqual(refused, []);

    // Shedding: the backlog stays where it is.
    await kit.pass(60_000, load(50, 10));
    assert.match(
      kit.alarm('shedding')?.reason ?? '',
      /^Topic "orders" is shed: publishes beyond 1\/s are refused, because group "billing" has \d+ messages to do\.$/,
    );
    assert.ok(refused.length > 0);
    assert.deepEqual([...new Set(refused)], ['rate-exceeded']);
    const atShedding = group.stats().lag;
    await kit.pass(60_000, load(50, 10));
    assert.ok(group.stats().lag < atShedding, 'the backlog shrinks while publishes are refused');
    assert.ok(topic.config.publishRate);

    // Recovery, by itself, and not at once.
    await kit.pass(10_000, load(1, 1000));
    assert.ok(topic.config.publishRate, 'it lasts until the recovery has lasted');
    await kit.pass(60_000, load(1, 1000));
    assert.equal(topic.config.publishRate, undefined);
    const before = refused.length;
    await kit.pass(30_000, load(50, 1000));
    assert.equal(refused.length, before);
    assert.deepEqual(
      kit.told().filter((told) => told.includes('shedding')),
      ['fired shedding warning', 'resolved shedding warning'],
    );
    await kit.pass(5000, load(0, 1000));

    assert.deepEqual(done, accepted, 'each message that was accepted is handled once, in order');
    await kit.close();
  });

  test('goes on after a crash, and then restores the rate that the topic had', async () => {
    const own = { perSecond: 1000, burst: 5 };
    const kit = new ShedKit(await TestBroker.open(), [refuse]);
    const topic = await kit.t.broker.createTopic({
      name: 'orders',
      retention: 'queue',
      publishRate: own,
      overRate: 'wait',
    });
    const group = await topic.createGroup({ name: 'billing' });
    await kit.pass(25_000, async () => {
      const sent = publish(topic, 200);
      kit.t.clock.advance(1000);
      await sent;
    });
    assert.deepEqual(topic.config.publishRate, { perSecond: 1, burst: 1 });
    assert.ok(group.stats().lag >= 500);

    await new Promise<void>((resolve) => kit.t.broker.afterCommit(resolve));
    await kit.t.crash();
    const again = new ShedKit(kit.t, [refuse]);
    const recovered = kit.t.broker.topic('orders')!;
    assert.deepEqual(
      [recovered.config.publishRate, recovered.config.overRate],
      [{ perSecond: 1, burst: 1 }, 'reject'],
    );
    await again.pass(5000);
    assert.equal(again.alarm('shedding')?.state, 'firing');
    await recovered.purge(recovered.partitions.at(0)!, {});
    await again.pass(60_000);
    assert.deepEqual([recovered.config.publishRate, recovered.config.overRate], [own, 'wait']);
    await again.close();
  });

  test('ends with its policy', async () => {
    const kit = new ShedKit(await TestBroker.open(), [refuse]);
    const { topic } = await queueOf(kit.t, 'orders');
    await publish(topic, 600);
    await kit.pass(20_000);
    assert.ok(topic.config.publishRate);
    const without = new ShedKit(kit.t, []);
    assert.equal(without.shedder.isIdle, false);
    await without.pass(5000);
    assert.equal(topic.config.publishRate, undefined);
    assert.equal(without.shedder.isIdle, true);
    await kit.close();
  });

  test('gives way to a person who sets the rate', async () => {
    const kit = new ShedKit(await TestBroker.open(), [refuse]);
    const { topic } = await queueOf(kit.t, 'orders');
    await publish(topic, 600);
    await kit.pass(20_000);
    const mine = { perSecond: 50, burst: 50 };
    await topic.update({ ...topic.config, publishRate: mine });
    await kit.pass(20_000);
    assert.deepEqual(topic.config.publishRate, mine);
    assert.match(
      kit.notes.join(),
      /was changed while it was lowered for its backlog: it stays as it was set/,
    );
    await topic.purge(topic.partitions.at(0)!, {});
    await kit.pass(60_000);
    assert.deepEqual(topic.config.publishRate, mine);
    await kit.close();
  });

  test('slows publishers down: they wait for their turn', async () => {
    const kit = new ShedKit(await TestBroker.open(), [
      { topic: 'orders', age: '1m', action: 'slow', rate: 10 },
    ]);
    const { topic } = await queueOf(kit.t, 'orders');
    await publish(topic, 1);
    await kit.pass(80_000);
    assert.deepEqual(
      [topic.config.publishRate, topic.config.overRate],
      [{ perSecond: 10, burst: 10 }, 'wait'],
    );
    let taken = 0;
    for (let n = 0; n < 30; n++) void topic.send({ value: 'x' }).then(() => taken++);
    for (let n = 0; n < 5; n++) await new Promise(setImmediate);
    assert.equal(taken, 10);
    await kit.pass(5000);
    for (let n = 0; n < 5; n++) await new Promise(setImmediate);
    assert.equal(taken, 30);
    await kit.close();
  });

  test('drops messages only below the priority that its policy names, the lowest first', async () => {
    const kit = new ShedKit(await TestBroker.open(), [
      { topic: 'orders', lag: 30, action: 'drop', keep: 20, 'below-priority': 2 },
    ]);
    const topic = await kit.t.broker.createTopic({ name: 'orders', retention: 'queue', priorities: 3 });
    await topic.createGroup({ name: 'g' });
    for (let n = 0; n < 30; n++) await topic.send({ value: String(n % 3) }, { priority: n % 3 });
    await kit.pass(15_000);
    assert.deepEqual(await valuesOf(topic), { 1: 10, 2: 10 }, 'all of priority 0 are gone');
    for (let n = 0; n < 30; n++) await topic.send({ value: '2' }, { priority: 2 });
    await kit.pass(15_000);
    assert.deepEqual(
      await valuesOf(topic),
      { 2: 40 },
      'those that may not be dropped stay, beyond what is kept',
    );
    assert.equal(kit.shedder.droppedOf(topic), 20);
    await kit.close();
  });

  test('drops the oldest of a topic without priorities', async () => {
    const kit = new ShedKit(await TestBroker.open(), [{ topic: '*', lag: 30, action: 'drop', keep: 10 }]);
    const { topic } = await queueOf(kit.t, 'orders');
    for (let n = 0; n < 35; n++) await topic.send({ value: String(n) });
    await kit.pass(15_000);
    assert.deepEqual(Object.keys(await valuesOf(topic)), [
      '25',
      '26',
      '27',
      '28',
      '29',
      '30',
      '31',
      '32',
      '33',
      '34',
    ]);
    await kit.close();
  });

  test('has settings that are checked', () => {
    const problems: readonly [object, RegExp][] = [
      [{ lag: 1, action: 'refuse' }, /^The entry 1 of "shedding" needs a "topic"\.$/],
      [{ topic: 'x', action: 'refuse' }, /needs a "lag" or an "age"/],
      [{ topic: 'x', lag: 1, action: 'slow' }, /needs "rate"/],
      [{ topic: 'x', lag: 10, action: 'drop' }, /needs "keep"/],
      [{ topic: 'x', lag: 10, action: 'drop', keep: 10 }, /"keep" .* must be less than its "lag"/],
      [{ topic: 'x', lag: 10, action: 'drop', keep: 1, rate: 1 }, /"rate" .* does not fit the action "drop"/],
      [{ topic: 'x', lag: 10, action: 'refuse', recover: '100%' }, /between 0% and 100%/],
      [{ topic: 'x', lag: 10, action: 'nothing' }, /must be one of slow, refuse, drop/],
    ];
    for (const [settings, message] of problems) assert.throws(() => shedPolicies([settings]), { message });
  });
});

/** How often each value is in the topic. */
async function valuesOf(topic: Topic): Promise<{ [value: string]: number }> {
  const counts: { [value: string]: number } = {};
  for await (const { value } of topic.partitions.at(0)!.scan(0)) {
    const shown = text(value);
    counts[shown] = (counts[shown] ?? 0) + 1;
  }
  return counts;
}
