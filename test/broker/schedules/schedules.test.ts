import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ScheduleOptions } from '../../../src/broker/index.ts';
import { TestBroker, text } from '../kit.ts';

const minuteMs = 60_000;
const hourMs = 3_600_000;

/** Value and header of each message of the topic. */
async function stored(kit: TestBroker, name = 'orders'): Promise<string[]> {
  await kit.settle();
  const values: string[] = [];
  for (const partition of kit.broker.topic(name)!.partitions.opened.slice())
    for await (const { value } of partition.scan(partition.firstOffset)) values.push(text(value));
  return values;
}

async function withTopic(options: Partial<ScheduleOptions> = {}): Promise<TestBroker> {
  const kit = await TestBroker.open();
  await kit.broker.createTopic({ name: 'orders' });
  if (Object.keys(options).length > 0) await kit.broker.schedules.define(of('tick', options));
  return kit;
}

function of(name: string, options: Partial<ScheduleOptions>): ScheduleOptions {
  return { name, topic: 'orders', message: { value: name }, ...options };
}

/** Lets time pass, a minute at a time, and everything happen that is due. */
async function pass(kit: TestBroker, ms: number, stepMs = ms): Promise<void> {
  await kit.settle();
  for (let left = ms; left > 0; left -= stepMs) {
    kit.clock.advance(Math.min(left, stepMs));
    await kit.settle();
  }
}

describe('a schedule', () => {
  test('with an interval publishes once per interval, and tells its run in headers', async () => {
    await using kit = await withTopic({
      everyMs: minuteMs,
      message: { key: 'k', value: 'v', headers: [['A', 'b']] },
    });
    const startMs = kit.clock.now();
    await pass(kit, 3 * minuteMs - 1, 1000);
    assert.deepEqual(await stored(kit), ['v', 'v']);
    const message = (await kit.broker.topic('orders')!.partitions.at(0)!.get(1))!;
    assert.equal(text(message.key), 'k');
    assert.deepEqual(
      message.headers.map(({ name, value }) => [name, text(value)]),
      [
        ['A', 'b'],
        ['Pillarbox-Schedule', 'tick'],
        ['Pillarbox-Schedule-Time', new Date(startMs + 2 * minuteMs).toISOString()],
      ],
    );
    const { state } = kit.broker.schedules.get('tick')!;
    assert.deepEqual(state, {
      runs: 2,
      missed: 0,
      lastMs: startMs + 2 * minuteMs,
      nextMs: startMs + 3 * minuteMs,
      dueMs: startMs + 3 * minuteMs,
    });
  });

  test('with a cron expression follows the wall clock of its time zone', async () => {
    await using kit = await withTopic({ cron: '0 9 * * *', timeZone: 'Asia/Tokyo' }); // midnight in UTC
    const nextMs = kit.broker.schedules.get('tick')!.state.nextMs!;
    assert.equal(new Date(nextMs).toISOString(), '2023-11-15T00:00:00.000Z');
    await pass(kit, 25 * hourMs, hourMs);
    assert.equal((await stored(kit)).length, 1);
  });

  test('at a time publishes once, and has ended then', async () => {
    await using kit = await withTopic();
    await kit.broker.schedules.define(of('once', { atMs: kit.clock.now() + 5000 }));
    await kit.broker.schedules.define(of('gone', { atMs: kit.clock.now() + 5000, whenEnded: 'delete' }));
    await pass(kit, 60_000, 1000);
    assert.deepEqual((await stored(kit)).sort(), ['gone', 'once']);
    assert.equal(kit.broker.schedules.get('once')!.status, 'ended');
    assert.equal(kit.broker.schedules.get('gone'), undefined);
    await kit.restart();
    await pass(kit, 60_000);
    assert.deepEqual((await stored(kit)).sort(), ['gone', 'once']);
    assert.deepEqual(
      [...kit.broker.schedules.list()].map(({ name }) => name),
      ['once'],
    );
  });

  test('starts at its start, and ends at its end or after its count', async () => {
    await using kit = await withTopic();
    const nowMs = kit.clock.now();
    const { schedules } = kit.broker;
    await schedules.define(of('a', { everyMs: 1000, startMs: nowMs + 10_000, endMs: nowMs + 12_000 }));
    await schedules.define(of('b', { everyMs: 1000, count: 2 }));
    await schedules.define(of('c', { cron: '* * * * * *', startMs: nowMs + 10_000, endMs: nowMs + 11_000 }));
    await pass(kit, 9000, 500);
    assert.deepEqual(await stored(kit), ['b', 'b']);
    await pass(kit, 60_000, 500);
    const count = async (value: string): Promise<number> =>
      (await stored(kit)).filter((one) => one === value).length;
    assert.deepEqual([await count('a'), await count('b'), await count('c')], [3, 2, 2]);
    for (const { status } of schedules.list()) assert.equal(status, 'ended');
  });

  test('is late by its jitter, and no more', async () => {
    await using kit = await withTopic({ everyMs: minuteMs, jitterMs: 30_000 });
    const startMs = kit.clock.now();
    const lateMs: number[] = [];
    for (let run = 1; run <= 20; run++) {
      const { nextMs, dueMs } = kit.broker.schedules.get('tick')!.state;
      assert.equal(nextMs, startMs + run * minuteMs);
      lateMs.push(dueMs! - nextMs);
      await pass(kit, dueMs! - 1 - kit.clock.now());
      assert.equal(kit.broker.schedules.get('tick')!.state.runs, run - 1);
      await pass(kit, 1);
      assert.equal(kit.broker.schedules.get('tick')!.state.runs, run);
    }
    assert.ok(lateMs.every((ms) => ms >= 0 && ms <= 30_000));
    assert.ok(new Set(lateMs).size > 10);
  });

  test('is paused, resumed without what came in between, run by hand, and deleted', async () => {
    await using kit = await withTopic({ everyMs: minuteMs });
    const { schedules } = kit.broker;
    const startMs = kit.clock.now();
    await schedules.pause('tick');
    assert.equal(schedules.get('tick')!.status, 'paused');
    await pass(kit, 5.5 * minuteMs, minuteMs / 2);
    assert.deepEqual(await stored(kit), []);
    assert.deepEqual(await schedules.run('tick'), { partition: 0, offset: 0, duplicate: false });
    await schedules.resume('tick');
    assert.equal(schedules.get('tick')!.state.nextMs, startMs + 6 * minuteMs);
    await pass(kit, minuteMs / 2);
    assert.deepEqual(await stored(kit), ['tick', 'tick']);
    await schedules.delete('tick');
    await pass(kit, 5 * minuteMs, minuteMs);
    assert.equal((await stored(kit)).length, 2);
    await assert.rejects(schedules.delete('tick'), { code: 'schedule-not-found' });
  });

  test('that is defined again stays as it is, or changes and keeps its counts', async () => {
    await using kit = await withTopic({ everyMs: minuteMs });
    const { schedules } = kit.broker;
    const options = of('tick', { everyMs: minuteMs });
    await pass(kit, 90_000, 30_000);
    const before = schedules.get('tick')!.state;
    const commits = kit.broker.stats().log.commits;
    await schedules.define(options);
    assert.equal(schedules.get('tick')!.state, before);
    assert.ok(kit.broker.stats().log.commits - commits <= 2);
    await schedules.define({ ...options, message: { value: 'other' } });
    assert.deepEqual(schedules.get('tick')!.state, before);
    await schedules.define({ ...options, everyMs: 2 * minuteMs });
    assert.equal(schedules.get('tick')!.state.runs, 1);
    assert.equal(schedules.get('tick')!.state.nextMs, kit.clock.now() + 2 * minuteMs);
    await schedules.define({ ...options, count: 1 });
    assert.equal(schedules.get('tick')!.status, 'ended');
  });

  test('is deleted with its topic, and does not come back with a topic of that name', async () => {
    await using kit = await withTopic({ everyMs: minuteMs });
    await kit.broker.topic('orders')!.delete();
    assert.equal(kit.broker.stats().schedules, 0);
    assert.equal(kit.broker.stats().budgets.schedules.used, 0);
    await kit.broker.createTopic({ name: 'orders' });
    await pass(kit, 5 * minuteMs, minuteMs);
    assert.deepEqual(await stored(kit), []);
    await kit.crash();
    assert.equal(kit.broker.stats().schedules, 0);
  });

  test('whose topic refuses is tried again, ever later, and shows why', async () => {
    await using kit = await TestBroker.open();
    const topic = await kit.broker.createTopic({ name: 'orders', messagesMax: 1, overflow: 'reject' });
    const { schedules } = kit.broker;
    await schedules.define(of('tick', { everyMs: 5 * minuteMs }));
    await topic.send({ value: 'in the way' });
    await pass(kit, 5 * minuteMs + 10_000, 1000);
    const { failure, state } = schedules.get('tick')!;
    assert.match(failure!.message, /Topic "orders" holds 1 messages/);
    assert.equal(failure!.attempts, 4); // after 0, 1, 3 and 7 seconds
    assert.equal(state.runs, 0);
    assert.equal(schedules.counts.failures, 4);
    assert.ok(schedules.lagMs === 0);
    await topic.purge(topic.partitions.at(0)!, {});
    await pass(kit, 10_000, 1000);
    assert.deepEqual(await stored(kit), ['tick']);
    assert.deepEqual([schedules.get('tick')!.failure, schedules.get('tick')!.state.runs], [undefined, 1]);
    await assert.rejects(schedules.run('tick'), { code: 'topic-full' });
  });
});

describe('runs that were missed', () => {
  const downMs = 10 * minuteMs + 30_000;
  for (const [missed, expected, passedOver] of [
    ['once', 1, 9],
    ['all', 10, 0],
    ['skip', 0, 10],
  ] as const) {
    for (const times of [{ everyMs: minuteMs }, { cron: '* * * * *' }]) {
      test(`while the broker was down: ${missed}, ${Object.keys(times)[0]}`, async () => {
        await using kit = await withTopic({ ...times, missed });
        await kit.settle();
        await kit.broker.close();
        kit.clock.advance(downMs);
        await kit.start();
        await pass(kit, 10);
        const { state } = kit.broker.schedules.get('tick')!;
        // By cron, the first minute is not a whole one.
        const all = 'cron' in times ? state.runs + state.missed : 10;
        assert.ok(all === 10 || all === 11);
        assert.equal((await stored(kit)).length, missed === 'all' ? all : expected);
        assert.equal(state.missed, missed === 'all' ? 0 : passedOver + all - 10);
        const before = (await stored(kit)).length;
        await pass(kit, minuteMs, 1000);
        assert.equal((await stored(kit)).length, before + 1);
      });
    }
  }

  test('of a cron expression that is behind by years are counted up to a bound', async () => {
    await using kit = await withTopic({ cron: '* * * * * *' });
    await kit.broker.close();
    kit.clock.advance(3 * 365 * 24 * hourMs);
    await kit.start();
    await pass(kit, 10);
    assert.deepEqual(await stored(kit), ['tick']);
    assert.equal(kit.broker.schedules.get('tick')!.state.missed, 1000);
    await pass(kit, 2000, 500);
    assert.equal((await stored(kit)).length, 3);
  });
});

describe('across a crash', () => {
  test('each run is published once', async () => {
    await using kit = await withTopic({ everyMs: minuteMs });
    for (let run = 1; run <= 5; run++) {
      await pass(kit, minuteMs, minuteMs / 4);
      await kit.crash();
      assert.equal((await stored(kit)).length, run);
    }
  });

  test('a run is in the commit of its message', async () => {
    await using kit = await withTopic({ everyMs: minuteMs });
    kit.clock.advance(minuteMs);
    const files = await new Promise<TestBroker['files']>((resolve) =>
      kit.broker.afterCommit(() => resolve(kit.files.copy())),
    );
    await using after = new TestBroker(files, kit.clock);
    await after.start();
    await after.settle();
    assert.equal((await stored(after)).length, 1);
    assert.equal(after.broker.schedules.get('tick')!.state.runs, 1);
  });

  test('definitions, pauses and deletions stand, also after a checkpoint', async () => {
    await using kit = await withTopic({ everyMs: minuteMs });
    const { schedules } = kit.broker;
    await schedules.define(of('paused', { cron: '0 * * * *', timeZone: 'Europe/Berlin' }));
    await schedules.pause('paused');
    await schedules.define(of('deleted', { everyMs: 1000 }));
    await schedules.delete('deleted');
    await pass(kit, minuteMs);
    const shown = (): unknown =>
      [...kit.broker.schedules.list()].map(({ id, config, createdMs, status, state }) => [
        id,
        config,
        createdMs,
        status,
        state,
      ]);
    const before = shown();
    await kit.crash();
    assert.deepEqual(shown(), before);
    await kit.broker.checkpoint();
    await kit.restart();
    assert.deepEqual(shown(), before);
    assert.equal(kit.broker.stats().budgets.schedules.used, 2);
  });
});

for (const jumpMs of [2 * hourMs, -2 * hourMs]) {
  describe(`when the wall clock is set by ${jumpMs / hourMs} hours`, () => {
    test('an interval stays as long as it was, also after a crash', async () => {
      await using kit = await withTopic({ everyMs: 10 * minuteMs });
      await pass(kit, 5 * minuteMs, minuteMs);
      kit.clock.jump(jumpMs);
      await pass(kit, 4 * minuteMs, minuteMs);
      assert.deepEqual(await stored(kit), []);
      assert.equal(kit.broker.schedules.get('tick')!.state.nextMs, kit.clock.now() + minuteMs);
      await kit.crash();
      await pass(kit, minuteMs);
      assert.deepEqual(await stored(kit), ['tick']);
      await pass(kit, 9 * minuteMs, minuteMs);
      assert.deepEqual(await stored(kit), ['tick']);
    });

    test('a cron expression follows it, and publishes no time twice', async () => {
      await using kit = await withTopic({ cron: '0 * * * *', missed: 'all' });
      await pass(kit, hourMs, minuteMs); // 23:13
      assert.equal((await stored(kit)).length, 1);
      kit.clock.jump(jumpMs);
      await pass(kit, minuteMs, 1000);
      // 00:00 and 01:00 were passed; or 22:00 and 23:00 come again.
      assert.equal((await stored(kit)).length, jumpMs > 0 ? 3 : 1);
      await pass(kit, 3 * hourMs - 2 * minuteMs, minuteMs);
      assert.equal((await stored(kit)).length, jumpMs > 0 ? 6 : 2);
    });
  });
}

describe('a schedule is refused', () => {
  const refusals: readonly (readonly [Partial<ScheduleOptions>, RegExp])[] = [
    [{}, /one of cron, everyMs and atMs/],
    [{ everyMs: 1000, cron: '* * * * *' }, /one of cron/],
    [{ everyMs: 5 }, /everyMs/],
    [{ cron: 'x' }, /"x" is not a cron expression/],
    [{ cron: '2030-01-01T00:00:00' }, /five fields/],
    [{ cron: '* * * * *', timeZone: 'Mars/Olympus' }, /Mars\/Olympus/],
    [{ everyMs: 1000, timeZone: 'UTC' }, /timeZone/],
    [{ everyMs: 1000, jitterMs: 2000 }, /jitterMs/],
    [{ everyMs: 1000, count: 0 }, /count/],
    [{ everyMs: 1000, startMs: 5, endMs: 4 }, /endMs is before/],
    [{ atMs: 5, count: 2 }, /runs once/],
    [{ everyMs: 1000, missed: 'some' as never }, /missed/],
    [{ everyMs: 1000, message: { value: 'x'.repeat(300_000) } }, /publish a reference/],
    [{ everyMs: 1000, name: '' }, /its name/],
  ];
  for (const [options, expected] of refusals)
    test(`for ${JSON.stringify(options).slice(0, 60)}`, async () => {
      await using kit = await withTopic();
      await assert.rejects(
        kit.broker.schedules.define(of('tick', options)),
        (error: { code?: string; message: string }) => {
          assert.equal(error.code, 'schedule-config-invalid');
          assert.match(error.message, expected);
          return true;
        },
      );
      assert.equal(kit.broker.stats().schedules, 0);
    });

  test('without its topic, and beyond the budget', async () => {
    await using kit = await TestBroker.open({ budgets: { schedules: 2 } });
    const { schedules } = kit.broker;
    await assert.rejects(schedules.define(of('a', { everyMs: 1000 })), { code: 'topic-not-found' });
    await kit.broker.createTopic({ name: 'orders' });
    await schedules.define(of('a', { everyMs: 1000 }));
    await assert.rejects(schedules.define(of('b', { everyMs: 1000, message: { value: 'x'.repeat(3000) } })), {
      code: 'limit-reached',
    });
    await schedules.define(of('b', { everyMs: 1000 }));
    await assert.rejects(schedules.define(of('c', { everyMs: 1000 })), /schedules-max/);
    await schedules.delete('a');
    await schedules.define(of('c', { everyMs: 1000 }));
  });
});

describe('a schedule that a message carries', () => {
  test('lives as long as the message, and takes it along when it has ended', async () => {
    await using kit = await withTopic();
    const topic = kit.broker.topic('orders')!;
    const schedule = of('carried', { everyMs: minuteMs });
    await topic.send({ value: 'first' }, { schedule });
    const once = of('once', { atMs: kit.clock.now() + 30_000, whenEnded: 'delete' as const });
    await topic.send({ value: 'second' }, { schedule: once });
    await kit.crash();
    await pass(kit, minuteMs, minuteMs / 4);
    assert.deepEqual(await stored(kit), ['first', 'once', 'carried']);
    await kit.broker.topic('orders')!.partitions.at(0)!.delete(0);
    assert.equal(kit.broker.stats().schedules, 0);
    await kit.crash();
    await pass(kit, 5 * minuteMs, minuteMs);
    assert.deepEqual(await stored(kit), ['once', 'carried']);
  });

  test('is deleted by a purge, and replaced by a later message', async () => {
    await using kit = await withTopic();
    const topic = kit.broker.topic('orders')!;
    await topic.send({ key: 'k', value: 'a' }, { schedule: of('s', { everyMs: minuteMs }), replaces: 'key' });
    await topic.send(
      { key: 'k', value: 'b' },
      { schedule: of('s', { everyMs: 2 * minuteMs }), replaces: 'key' },
    );
    assert.equal(kit.broker.schedules.get('s')!.config.everyMs, 2 * minuteMs);
    await topic.purge(topic.partitions.at(0)!, {});
    assert.equal(kit.broker.stats().schedules, 0);
  });

  test('is refused together with its message', async () => {
    await using kit = await withTopic();
    const topic = kit.broker.topic('orders')!;
    await assert.rejects(topic.send({ value: 'a' }, { schedule: of('s', { everyMs: 1 }) }), {
      code: 'schedule-config-invalid',
    });
    assert.equal(topic.count, 0);
  });
});

test('a thousand schedules of one second keep the time, by one timer', async () => {
  await using kit = await withTopic();
  const { schedules } = kit.broker;
  const defined: Promise<unknown>[] = [];
  const timers = kit.clock.timerCount;
  for (let at = 0; at < 1000; at++) defined.push(schedules.define(of(`s${at}`, { everyMs: 1000 })));
  await kit.settle();
  await Promise.all(defined);
  assert.ok(kit.clock.timerCount <= timers + 1);
  await pass(kit, 3000, 500);
  for (let left = 50; left > 0 && schedules.counts.runs < 3000; left--) await kit.settle();
  assert.equal(kit.broker.topic('orders')!.count, 3000);
  assert.equal(schedules.lagMs, 0);
});
