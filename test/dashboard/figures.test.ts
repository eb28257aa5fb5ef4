import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlarmJson, FindingJson, TrackJson } from '../../src/admin-api/index.ts';
import { bytes, clock, count, counted, duration, rate } from '../../src/dashboard/format.ts';
import { project } from '../../src/dashboard/projection.ts';
import { troublesOf } from '../../src/dashboard/troubles.ts';
import { hexDump, readValue, valueText } from '../../src/dashboard/value.ts';

test('figures are short, and keep their units', () => {
  assert.deepEqual([count(84_201), count(12_345_678), count(0)], ['84,201', '12.3 M', '0']);
  assert.deepEqual([rate(1500), rate(0.3), rate(0.01), rate(0)], ['1,500/s', '0.3/s', '<0.1/s', '0/s']);
  assert.deepEqual([bytes(999), bytes(1536), bytes(20 * 2 ** 20)], ['999 B', '1.5 KiB', '20 MiB']);
  assert.deepEqual(
    [duration(0.4), duration(89_000), duration(38 * 60_000), duration(30 * 3_600_000)],
    ['0.4 ms', '89 s', '38 min', '30 h'],
  );
  assert.deepEqual([counted(1, 'message'), counted(2, 'message')], ['1 message', '2 messages']);
  const at = new Date(2026, 0, 2, 3, 4, 5).getTime();
  assert.deepEqual([clock(at, at), clock(at, at + 86_400_000)], ['03:04:05', '2026-01-02 03:04:05']);
});

const track: TrackJson = {
  startMs: 0,
  stepMs: 1000,
  in: [0, 0, 0, 0],
  out: [0, 0, 0, 0],
  level: [null, 2, 4, 6],
};

test('a backlog is projected from its last value, to its end', () => {
  const grows = project(track, { perSecond: 2, end: null, inMs: null });
  assert.deepEqual(grows.times, [0, 1000, 2000, 3000, 4000]);
  assert.deepEqual(grows.known, [null, 2, 4, 6, null]);
  assert.deepEqual(grows.future, [null, null, null, 6, 8]);
  const shrinks = project(track, { perSecond: 0, end: 0, inMs: 2000 });
  assert.deepEqual(shrinks.future, [null, null, null, 6, 3]);
  assert.deepEqual(project(track, undefined).times.length, 4);
});

test('what an alarm says is not said twice, and alarms that wait come last', () => {
  const alarm = (rule: string, state: AlarmJson['state'], level: AlarmJson['level']): AlarmJson => ({
    rule,
    topic: 'orders',
    group: 'billing',
    state,
    level,
    since: '2026-01-01T00:00:00.000Z',
    reason: rule,
    remedy: '',
    value: 1,
    threshold: 1,
    unit: 'count',
  });
  const finding = (rule: string, level: FindingJson['level']): FindingJson => ({
    rule,
    level,
    topic: 'orders',
    group: 'billing',
    since: null,
    reason: rule,
    remedy: '',
  });
  const troubles = troublesOf(
    [alarm('oldest-age', 'pending', 'critical'), alarm('no-consumers', 'firing', 'critical')],
    [finding('group-without-consumers', 'warning'), finding('group-paused', 'info')],
  );
  assert.deepEqual(
    troubles.map(({ rule, level }) => [rule, level]),
    [
      ['no-consumers', 'critical'],
      ['group-paused', 'info'],
      ['oldest-age', 'info'],
    ],
  );
});

test('a value is JSON, text or bytes', () => {
  const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64');
  assert.deepEqual(readValue(base64('{"a":1}')).json, { value: { a: 1 } });
  const text = readValue(base64('plain'));
  assert.deepEqual([text.text, text.json], ['plain', undefined]);
  assert.equal(readValue(base64(Uint8Array.of(0xff, 0xfe))).text, undefined);
  assert.equal(
    hexDump(Buffer.from('{"order":1}\u0000')),
    '00000000  7b 22 6f 72 64 65 72 22  3a 31 7d 00              {"order":1}.',
  );
  assert.deepEqual([valueText('x'), valueText(null), valueText({ a: 1 })], ['x', '', '{"a":1}']);
});
