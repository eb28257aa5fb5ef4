import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  History,
  historyFileName,
  readHistory,
  type SeriesKey,
  Track,
  writeHistory,
} from '../../../src/server/history/index.ts';
import { makeTemporaryDirectory } from '../../support/index.ts';

const options = { stepMs: 1000, seriesMax: 3 };
const keyOf = (topic: string, createdMs: number = 1): SeriesKey => ({ topic, group: '', createdMs });
const busy = { in: 10, out: 5, level: 7 };

test('a track keeps the last steps, and gaps are NaN', () => {
  const track = new Track({ stepMs: 1000, length: 4 });
  for (const [atMs, value] of [
    [1000, 1],
    [2000, 2],
    [5000, 5],
  ] as const)
    track.note(atMs, { in: value, out: 0, level: 0 });
  assert.deepEqual(track.read('in', 5999), [2, Number.NaN, Number.NaN, 5]);
  assert.deepEqual(track.read('in', 7000), [Number.NaN, 5, Number.NaN, Number.NaN]);
  assert.deepEqual(track.read('in', 60_000, 2), [Number.NaN, Number.NaN]);
});

test('one step that a late timer left out is filled, and time that goes back is ignored', () => {
  const track = new Track({ stepMs: 1000, length: 4 });
  track.note(1000, { in: 1, out: 0, level: 0 });
  track.note(3000, { in: 3, out: 0, level: 0 });
  track.note(2000, { in: 9, out: 0, level: 0 });
  assert.deepEqual(track.read('in', 3000, 3), [1, 3, 3]);
});

test('the coarse track has means of 30 fine steps', () => {
  const history = new History(options);
  for (let second = 0; second < 60; second++)
    history.note(keyOf('a'), second * 1000, { in: second, out: 1, level: 0 });
  const coarse = history.of(keyOf('a'))?.coarse.read('in', 59_000, 2);
  assert.deepEqual(coarse, [14.5, 44.5]);
});

test('a quiet topic has no series, and the quietest one makes room', () => {
  const history = new History(options);
  history.note(keyOf('quiet'), 0, { in: 0, out: 0, level: 0 });
  assert.equal(history.size, 0);
  for (const name of ['a', 'b', 'c']) history.note(keyOf(name), 0, busy);
  history.note(keyOf('a'), 3000, busy);
  history.note(keyOf('d'), 3000, busy);
  assert.deepEqual(
    [...history.all()].map(({ key }) => key.topic),
    ['c', 'a', 'd'],
  );
});

test('with more busy topics than there may be series, those that have one keep it', () => {
  const history = new History(options);
  for (const atMs of [0, 1000, 2000, 3000])
    for (const name of ['a', 'b', 'c', 'd', 'e']) history.note(keyOf(name), atMs, busy);
  assert.deepEqual(
    ['a', 'b', 'c', 'd', 'e'].map((name) => history.of(keyOf(name))?.fine.read('in', 3000, 4)),
    [...Array.from({ length: 3 }, () => [10, 10, 10, 10]), undefined, undefined],
  );
  // The whole broker always has one.
  history.note(keyOf(''), 3000, busy);
  assert.notEqual(history.of(keyOf('')), undefined);
});

test('a backlog in which nothing happens takes the place of no other series', () => {
  const history = new History(options);
  for (const name of ['a', 'b', 'c']) history.note(keyOf(name), 0, busy);
  history.note(keyOf('d'), 60_000, { in: 0, out: 0, level: 7 });
  assert.equal(history.of(keyOf('d')), undefined);
  assert.notEqual(history.of(keyOf('a')), undefined);
});

test('a topic that is created anew does not have the history of its name', () => {
  const history = new History(options);
  history.note(keyOf('a', 1), 0, busy);
  assert.equal(history.of(keyOf('a', 2)), undefined);
  history.forget(({ createdMs }) => createdMs === 1);
  assert.equal(history.size, 0);
});

test('comes back from its file; a damaged or foreign one begins anew', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, historyFileName);
  const history = new History(options);
  history.note(keyOf('orders'), 5000, busy);
  await writeHistory(path, history);

  const again = new History(options);
  assert.equal(await readHistory(path, again), undefined);
  assert.deepEqual(again.of(keyOf('orders'))?.fine.read('level', 5000, 1), [7]);
  assert.deepEqual(again.of(keyOf('orders'))?.coarse.read('in', 5000, 1), [10]);

  const other = new History({ ...options, stepMs: 2000 });
  assert.match((await readHistory(path, other)) ?? '', /another --history-step/);
  const whole = await readFile(path);
  await writeFile(path, whole.subarray(0, whole.length / 2));
  assert.notEqual(await readHistory(path, new History(options)), undefined);
  assert.equal(await readHistory(join(directory.path, 'none'), new History(options)), undefined);
});
