import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadCronReader } from '../../src/util/index.ts';

const read = await loadCronReader();

/** The next times after one, as texts. */
function times(expression: string, timeZone: string, after: string, count: number): string[] {
  const cron = read(expression, timeZone);
  const found: string[] = [];
  for (let ms = Date.parse(after); found.length < count;) {
    ms = cron.nextMs(ms)!;
    found.push(new Date(ms).toISOString().replace(':00.000Z', 'Z'));
  }
  return found;
}

test('a time that a change to summer time skips comes after the gap', () => {
  assert.deepEqual(times('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2), [
    '2026-03-29T01:00Z',
    '2026-03-30T00:30Z',
  ]);
});

test('a time that a change to winter time repeats comes once', () => {
  assert.deepEqual(times('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2), [
    '2026-10-25T00:30Z',
    '2026-10-26T01:30Z',
  ]);
});

test('what runs each hour does so across both changes', () => {
  assert.deepEqual(times('0 * * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', 3), [
    '2026-03-29T01:00Z',
    '2026-03-29T02:00Z',
    '2026-03-29T03:00Z',
  ]);
  assert.deepEqual(times('0 * * * *', 'Europe/Berlin', '2026-10-24T23:00:00Z', 3), [
    '2026-10-25T00:00Z',
    '2026-10-25T01:00Z',
    '2026-10-25T02:00Z',
  ]);
});

test('a time on the boundary is followed by the next one', () => {
  const cron = read('*/5 * * * * *', 'UTC');
  const at = (text: string): number => Date.parse(`2026-01-01T00:00:${text}Z`);
  assert.equal(cron.nextMs(at('05.000')), at('10.000'));
  assert.equal(cron.nextMs(at('04.999')), at('05.000'));
  assert.equal(cron.nextMs(at('05.001')), at('10.000'));
});

test('five fields, six with seconds, names and predefined ones are read, and nothing else', () => {
  assert.deepEqual(times('0 0 12 * * MON', 'UTC', '2026-01-01T00:00:00Z', 1), ['2026-01-05T12:00Z']);
  assert.deepEqual(times('@hourly', 'UTC', '2026-01-01T00:00:00Z', 1), ['2026-01-01T01:00Z']);
  for (const wrong of [
    '',
    'x',
    '* * * *',
    '* * * * * * *',
    '60 * * * *',
    '*/0 * * * *',
    '0 0 30 2 *',
    '2030-01-01T00:00:00',
  ])
    assert.throws(() => read(wrong, 'UTC'), `"${wrong}" was read`);
  assert.throws(() => read('* * * * *', 'Mars/Olympus'));
});
