import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Broker, type ClockJump } from '../../src/broker/index.ts';
import { MemoryFiles } from '../../src/log/index.ts';
import { SeededRandom, SteadyTime, VirtualClock } from '../../src/util/index.ts';
import { TestBroker, TestConsumer } from './kit.ts';

const hourMs = 3_600_000;

for (const jumpMs of [2 * hourMs, -2 * hourMs]) {
  const direction = jumpMs > 0 ? 'ahead' : 'back';
  describe(`when the wall clock jumps two hours ${direction}`, () => {
    test('the dedupe window stays as long as it was', async () => {
      await using kit = await TestBroker.open();
      const topic = await kit.broker.createTopic({ name: 'orders', dedupeWindowMs: 60_000 });
      const send = async (id: string): Promise<boolean> =>
        (await topic.send({ value: id }, { dedupeId: id })).duplicate;
      assert.equal(await send('a'), false);
      kit.clock.jump(jumpMs);
      assert.equal(await send('b'), false);
      assert.deepEqual([await send('a'), await send('b')], [true, true]);
      await kit.advance(59_000);
      assert.deepEqual([await send('a'), await send('b')], [true, true]);
      await kit.advance(1100);
      assert.deepEqual([await send('a'), await send('b')], [false, false]);
    });

    test('messages are as old as they are', async () => {
      await using kit = await TestBroker.open();
      const topic = await kit.broker.createTopic({ name: 'orders', ageMsMax: 60_000 });
      await topic.send({ value: 'before' });
      kit.clock.jump(jumpMs);
      await topic.send({ value: 'after' });
      await kit.advance(59_000);
      assert.equal(topic.count, 2);
      // Which of the two came first cannot be told by their times: the older stays longer.
      if (jumpMs < 0) return;
      await kit.advance(2000);
      await kit.advance(2000);
      assert.equal(topic.count, 0);
    });

    test('delayed messages come after their delay, also after a checkpoint and a restart', async () => {
      await using kit = await TestBroker.open();
      const topic = await kit.broker.createTopic({ name: 'orders' });
      await topic.send({ value: 'later' }, { deliverAtMs: kit.clock.now() + 60_000 });
      kit.clock.jump(jumpMs);
      await topic.send({ value: 'as late' }, { deliverAtMs: kit.clock.now() + 60_000 });
      await kit.advance(30_000);
      assert.equal(topic.count, 0);
      await kit.restart();
      await kit.advance(29_000);
      assert.equal(kit.broker.topic('orders')!.count, 0);
      await kit.advance(1100);
      assert.equal(kit.broker.topic('orders')!.count, 2);
    });

    test('a pause is as long as it was, and ends by itself', async () => {
      await using kit = await TestBroker.open();
      const { topic, group } = await kit.broker.defineQueue({ name: 'orders' });
      const consumer = new TestConsumer(10);
      group.attach(consumer);
      await group.pause(kit.clock.now() + 60_000);
      await topic.send({ value: 'a' });
      kit.clock.jump(jumpMs);
      await kit.advance(59_000);
      assert.deepEqual([group.isPaused, consumer.got.map(({ value }) => value)], [true, []]);
      await kit.advance(1100);
      assert.deepEqual([group.isPaused, consumer.got.map(({ value }) => value)], [false, ['a']]);
    });

    test('that is reported once, within a second', async () => {
      const jumps: ClockJump[] = [];
      const clock = new VirtualClock();
      const broker = await Broker.open({
        dir: 'data',
        files: new MemoryFiles(),
        clock,
        random: new SeededRandom(1),
        memoryBytes: () => 0,
        onClockJumped: (jump) => jumps.push(jump),
      });
      clock.jump(jumpMs);
      for (let second = 0; second < 3; second++) {
        clock.advance(1000);
        for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      }
      assert.deepEqual(
        jumps.map(({ byMs }) => byMs),
        [jumpMs],
      );
      assert.deepEqual([broker.health.clockJumps, broker.health.clockAheadMs], [1, jumpMs]);
      await broker.close();
    });
  });
}

test('a time in steady time: after several jumps each is where it was taken', () => {
  const clock = new VirtualClock({ startMs: 1_000_000 });
  const steady = new SteadyTime(clock);
  const taken: number[] = [];
  for (const jumpMs of [0, 50_000, 200_000, 3_000_000]) {
    clock.jump(jumpMs);
    clock.advance(1000);
    steady.now();
    taken.push(clock.now());
  }
  assert.deepEqual(
    taken.map((wallMs) => steady.of(wallMs)),
    [1_001_000, 1_002_000, 1_003_000, 1_004_000],
  );
  assert.equal(steady.toWall(steady.now()), clock.now());
});

test('a time in steady time: the clock may be set back while nobody looks, behind the last jump', () => {
  const clock = new VirtualClock({ startMs: 10 * hourMs });
  const before = new SteadyTime(clock);
  clock.jump(-60_000);
  before.now();
  clock.jump(-2 * hourMs);
  const steady = new SteadyTime(clock);
  for (const frame of before.frames) steady.restore(frame);
  assert.equal(steady.of(clock.now()), steady.now());
  assert.equal(steady.toWall(steady.now()), clock.now());
});

for (const jumpMs of [2 * hourMs, -2 * hourMs]) {
  for (const how of ['restart', 'crash'] as const) {
    test(`after a jump by ${jumpMs / hourMs} h and a ${how}, times go on as they were`, async () => {
      await using kit = await TestBroker.open();
      const topic = await kit.broker.createTopic({ name: 'orders', ageMsMax: 30 * 60_000 });
      await topic.send({ value: 'ages' });
      await topic.send({ value: 'expires' }, { ttlMs: 60_000 });
      await topic.send({ value: 'comes' }, { deliverAtMs: kit.clock.now() + 60_000 });
      const jumps: number[] = [];
      kit.broker.events.subscribe((event) => {
        if (event.kind === 'clock-jumped') jumps.push(event.byMs);
      });
      kit.clock.jump(jumpMs);
      await topic.send({ value: 'after' }, { ttlMs: 60_000 });
      await kit.settle();
      assert.deepEqual(jumps.map(Math.round), [jumpMs]);
      if (how === 'restart') await kit.restart();
      else await kit.crash();
      const again = kit.broker.topic('orders')!;
      await kit.advance(59_000);
      assert.deepEqual([again.count, kit.broker.stats().delayed], [3, 1]);
      await kit.advance(2000);
      await kit.settle();
      assert.deepEqual([again.count, kit.broker.stats().delayed], [2, 0]);
      await kit.restart();
      assert.equal(kit.broker.topic('orders')!.count, 2);
      assert.equal(kit.broker.health.clockJumps, 0);
    });
  }
}
