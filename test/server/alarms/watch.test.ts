import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { AlarmPolicy } from '../../../src/server/alarms/alarm-settings.ts';
import { ruleNames } from '../../../src/server/alarms/alarm.ts';
import { rules } from '../../../src/server/alarms/rules.ts';
import { NamePattern } from '../../../src/server/alarms/name-pattern.ts';
import { TestConsumer } from '../../broker/kit.ts';
import { eventually } from '../../support/index.ts';
import { idle, publish, queueOf, WatchKit } from './kit.ts';

const minute = 60_000;

describe('by its defaults the watch tells of', () => {
  test('a backlog that grows, with its figures, until it shrinks', async () => {
    const kit = await WatchKit.open();
    const { topic, group } = await queueOf(kit.t, 'orders', 'billing');
    await kit.pass(4 * minute, () => publish(topic, 10));
    assert.equal(kit.alarm('backlog-growing'), undefined);
    await kit.pass(2 * minute, () => publish(topic, 10));
    const alarm = kit.alarm('backlog-growing');
    assert.equal(alarm?.level, 'warning');
    assert.match(
      alarm?.reason ?? '',
      /^Group "billing" of topic "orders" falls behind: its backlog grew from \d+ to 7\d\d messages in [56] min; 2\/s come in, 0\/s are done by no consumer\.$/,
    );
    const consumer = new TestConsumer();
    consumer.answer = ({ offset }) => group.ack(0, offset);
    group.attach(consumer);
    await kit.pass(minute);
    assert.equal(kit.alarm('backlog-growing'), undefined);
    const told = kit.told().filter((text) => text.includes('backlog'));
    assert.deepEqual(told, ['fired backlog-growing warning', 'resolved backlog-growing warning']);
    await kit.close();
  });

  test('old messages, and a group without consumers, by level', async () => {
    const kit = await WatchKit.open();
    const { topic } = await queueOf(kit.t, 'mail');
    await publish(topic, 3);
    await kit.pass(16 * minute);
    const since = kit.alarm('no-consumers')?.sinceMs ?? 0;
    assert.equal(kit.t.clock.now() - since, 11 * minute - 5000, 'from the first evaluation on');
    assert.deepEqual(kit.told(), ['fired no-consumers warning', 'fired oldest-age warning']);
    await kit.pass(50 * minute);
    assert.deepEqual(kit.told(), ['worsened oldest-age critical', 'worsened no-consumers critical']);
    assert.match(kit.alarm('oldest-age')?.reason ?? '', /is 1 h 6 min old; 3 messages wait/);
    await topic.delete();
    await kit.pass(5000);
    assert.deepEqual(kit.told(), ['resolved no-consumers critical', 'resolved oldest-age critical']);
    await kit.close();
  });

  test('the time until a topic is full, and that it is', async () => {
    const kit = await WatchKit.open();
    const topic = await kit.t.broker.createTopic({ name: 'small', messagesMax: 500, overflow: 'reject' });
    await kit.pass(2 * minute, () => publish(topic, 10));
    const alarm = kit.alarm('time-to-full');
    assert.equal(alarm?.level, 'critical');
    assert.match(
      alarm?.reason ?? '',
      /is full in 2 min, and publishes are refused then: it has 240 messages, 2\/s come in/,
    );
    await publish(topic, 260);
    await kit.pass(5000);
    assert.match(
      kit.alarm('time-to-full')?.reason ?? '',
      /is full: it has 500 messages of at most 500 messages/,
    );
    const ring = await kit.t.broker.createTopic({ name: 'ring', messagesMax: 100 });
    await kit.pass(minute, () => publish(ring, 10));
    assert.ok(!kit.watch.list().some(({ topic }) => topic === 'ring'), 'dropping what is read is no alarm');
    await kit.close();
  });

  test('dead letters, until it was quiet for a while or they are gone', async () => {
    const kit = await WatchKit.open();
    const topic = await kit.t.broker.createTopic({ name: 'orders', retention: 'queue' });
    const group = await topic.createGroup({ name: 'billing', maxDeliver: 1, deadLetter: 'orders-dlq' });
    const consumer = new TestConsumer();
    consumer.answer = ({ offset }) => group.nack(0, offset);
    group.attach(consumer);
    for (const count of [3, 6]) {
      await publish(topic, 3);
      await eventually(() => kit.t.broker.topic('orders-dlq')?.durableCount === count);
      await kit.pass(5000);
    }
    const { reason, remedy } = kit.alarm('dead-letters')!;
    assert.match(
      reason,
      /^6 messages of topic "orders" became dead letters since 2023-.*; "orders-dlq" has 6\.$/,
    );
    assert.match(remedy, /pillarbox dead-letters list orders-dlq/);
    const letters = kit.t.broker.topic('orders-dlq')!;
    await letters.purge(letters.partitions.at(0)!, {});
    await kit.pass(15_000);
    const told = kit.told().filter((text) => text.includes('dead'));
    assert.deepEqual(told, ['fired dead-letters warning', 'resolved dead-letters warning']);
    await kit.close();
  });

  test('one consumer that is much slower than its peers', async () => {
    const kit = await WatchKit.open();
    const { topic, group } = await queueOf(kit.t, 'work');
    const [quick, stuck] = [new TestConsumer(), new TestConsumer(1)];
    quick.answer = ({ offset }) => group.ack(0, offset);
    Object.assign(quick, { label: 'quick', member: 'quick' });
    Object.assign(stuck, { label: 'stuck', member: 'stuck', ackWaitMs: 60 * minute });
    group.attach(stuck);
    group.attach(quick);
    await kit.pass(90_000, () => publish(topic, 4));
    assert.match(
      kit.alarm('slow-consumer')?.reason ?? '',
      /^Consumer "stuck" of group "g" of topic "work" has had a message for \d+ s, its peers for 0 s; it holds 1 message\.$/,
    );
    await kit.close();
  });

  test('deliveries that fail', async () => {
    const kit = await WatchKit.open();
    const { topic, group } = await queueOf(kit.t, 'work');
    const consumer = new TestConsumer();
    consumer.answer = ({ offset, deliveries }) =>
      deliveries > 1 ? group.ack(0, offset) : group.nack(0, offset);
    group.attach(consumer);
    await kit.pass(4 * minute, () => publish(topic, 2));
    const alarm = kit.alarm('redelivery-rate');
    assert.equal(alarm?.level, 'critical');
    assert.match(alarm?.reason ?? '', /fails at 50 % of its deliveries: 24 of 48 in the last minute/);
    await kit.close();
  });

  test('disk, memory and syncs near their marks', async () => {
    const kit = await WatchKit.open();
    await kit.pass(minute);
    assert.deepEqual(kit.watch.list(), []);
    kit.figures = {
      ...idle,
      diskFreeBytes: 15,
      diskTimeToFullMs: 5 * minute,
      memoryBytes: 900,
      heapBytes: 970,
    };
    await kit.pass(3 * minute, () => {
      for (let n = 0; n < 10; n++) kit.syncTimes.note(n === 0 ? 400 : 1);
    });
    const listed = kit.watch.list().map(({ rule, level, state }) => `${rule} ${level} ${state}`);
    assert.deepEqual(listed.sort(), [
      'disk warning firing',
      'disk-time-to-full critical firing',
      'memory critical firing',
      'sync-time warning firing',
    ]);
    assert.match(
      kit.alarm('sync-time')?.reason ?? '',
      /took about 0.5 s to reach the disk in the last minute/,
    );
    await kit.close();
  });
});

describe('the watch', () => {
  test('goes on after a restart with what fired before, and tells nobody again', async () => {
    const kit = await WatchKit.open();
    const { topic } = await queueOf(kit.t, 'mail');
    await publish(topic, 3);
    await queueOf(kit.t, 'other').then(({ topic }) => publish(topic, 1));
    await kit.pass(16 * minute);
    const since = kit.alarm('no-consumers')!.sinceMs;
    assert.equal(kit.watch.list().length, 4);
    // As its file brings it over, with a topic that is gone meanwhile.
    const saved = JSON.parse(JSON.stringify(kit.watch.saved())) as ReturnType<typeof kit.watch.saved>;
    kit.watch.stop();
    await kit.t.restart();
    await kit.t.broker.topic('other')!.delete();
    const next = new WatchKit(kit.t);
    next.watch.restore(saved);
    assert.deepEqual(
      next.watch.list().map(({ rule, topic, sinceMs }) => [rule, topic, sinceMs === since]),
      [
        ['no-consumers', 'mail', true],
        ['oldest-age', 'mail', false],
      ],
    );
    await next.pass(5 * minute);
    assert.deepEqual(next.told(), [], 'the same alarms');
    assert.match(next.alarm('no-consumers')?.reason ?? '', /for 21 min/);
    await next.pass(45 * minute);
    assert.deepEqual(next.told(), ['worsened oldest-age critical', 'worsened no-consumers critical']);
    const group = kit.t.broker.topic('mail')!.groups.get('g')!;
    group.attach(new TestConsumer());
    await next.pass(5 * minute);
    assert.deepEqual(next.told(), ['resolved no-consumers critical'], 'it holds the others');
    await next.close();
  });

  test('lets a topic or group have other limits, or none', async () => {
    const kit = await WatchKit.open([
      { rule: 'no-consumers', off: true },
      { rule: 'oldest-age', warning: '1m', critical: 'off' },
      { rule: 'oldest-age', topic: 'slow-*', group: 'night*', warning: '30m' },
    ]);
    for (const name of ['slow-one', 'fast-one'])
      await publish((await queueOf(kit.t, name, 'nightly')).topic, 1);
    await kit.pass(2 * minute);
    assert.deepEqual(
      kit.watch.list().map(({ rule, topic, level }) => [rule, topic, level]),
      [['oldest-age', 'fast-one', 'warning']],
    );
    await kit.close();
  });

  test('keeps as many alarms as it may, and counts the others', async () => {
    const kit = await WatchKit.open([], { alarmsMax: 3 });
    for (let n = 0; n < 5; n++) await publish((await queueOf(kit.t, `t${n}`)).topic, 1);
    await kit.pass(6 * minute);
    assert.equal(kit.watch.list().length, 3);
    assert.equal(kit.watch.omitted, 2);
    await kit.close();
  });

  test('rests between topics and groups', async () => {
    let rests = 0;
    const kit = await WatchKit.open([], { rest: () => (rests++, Promise.resolve()) });
    for (let n = 0; n < 50; n++) await queueOf(kit.t, `t${n}`);
    await kit.watch.evaluate();
    assert.equal(rests, 100);
    await kit.close();
  });

  test('evaluates at intervals until it is stopped', async () => {
    const kit = await WatchKit.open();
    kit.watch.start();
    kit.t.clock.advance(5000);
    assert.equal(kit.t.clock.timerCount > 0, true);
    await new Promise(setImmediate);
    const first = kit.watch.evaluatedMs;
    assert.ok(first !== undefined);
    kit.watch.stop();
    kit.t.clock.advance(60_000);
    await new Promise(setImmediate);
    assert.equal(kit.watch.evaluatedMs, first);
    await kit.close();
  });
});

describe('the settings of alarms', () => {
  test('are checked, in one sentence', () => {
    const problems: readonly [unknown, RegExp][] = [
      [{ rule: 'nonsense' }, /^The "rule" of the entry 1 of "alarms" must be one of \*, disk, /],
      [{ rule: 'disk', topic: 'x' }, /does not fit: the rule "disk" is about the server/],
      [{ rule: 'dead-letters', group: 'x' }, /is not about groups/],
      [{ rule: '*', warning: 5 }, /needs one rule, not "\*"/],
      [{ rule: 'oldest-age', warning: 5 }, /must be a time such as 30s/],
      [{ rule: 'oldest-age', above: '5s' }, /has an unknown key "above"; the known ones are rule, topic/],
      [{ rule: 'oldest-age', off: 1 }, /must be true or false/],
      ['oldest-age', /must be a table/],
    ];
    for (const [entry, problem] of problems)
      assert.throws(() => new AlarmPolicy([entry]), { message: problem });
    assert.equal(
      new AlarmPolicy([{ rule: 'memory', warning: '50%' }]).limitsOf('memory', null, null)?.warning,
      0.5,
    );
    assert.equal(new AlarmPolicy([{ rule: '*', off: true }]).isEmpty, true);
  });

  test('name topics and groups with * for any text', () => {
    const cases: readonly [string, string, boolean][] = [
      ['orders', 'orders', true],
      ['orders', 'orders2', false],
      ['*', '', true],
      ['a*', 'ab', true],
      ['*b', 'ab', true],
      ['a*b*c', 'a-b-b-c', true],
      ['a*b*c', 'acb', false],
      ['ab*ba', 'aba', false],
    ];
    for (const [pattern, name, fits] of cases)
      assert.equal(new NamePattern(pattern).matches(name), fits, `${pattern} ${name}`);
  });

  test('have the defaults of docs/alarms.md', async () => {
    const text = await readFile(new URL('../../../../docs/alarms.md', import.meta.url), 'utf8');
    const documented = [
      ...text.matchAll(
        /^\| `([a-z-]+)` \| (server|topic|group) \|.*\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm,
      ),
    ];
    const shown = ruleNames.map((name) => {
      const { of, unit, defaults } = rules[name];
      const limits = { [name]: defaults };
      const { warning, critical, forMs, clearMs } = limits[name]!;
      const text = (value: number | undefined): string =>
        value === undefined
          ? '–'
          : unit === 'ms'
            ? timeText(value)
            : unit === 'share'
              ? `${value * 100}%`
              : String(value);
      return [name, of, text(warning), text(critical), timeText(forMs), timeText(clearMs)];
    });
    assert.deepEqual(
      documented.map((row) => row.slice(1)),
      shown,
    );
  });
});

function timeText(ms: number): string {
  if (ms === 0) return '0s';
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  if (ms % minute === 0) return `${ms / minute}m`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
