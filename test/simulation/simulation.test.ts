import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { exhaust } from './exhaustive.ts';
import { generate } from './generator.ts';
import { occurrences } from './planting.ts';
import { plantedBugs } from './planted-bugs.ts';
import { catchStrays, run } from './run.ts';
import { playSeeds } from './seeds.ts';
import { shrink } from './shrink.ts';

catchStrays();

test('every promise is kept in a fixed set of lives', async () => {
  const { failures, starts } = await playSeeds({ from: 1, to: 61, step: 1, keepGoing: true });
  assert.deepEqual(failures, [], 'npm run sim -- --replay SEED tells more');
  assert.ok(starts > 250, 'most lives have several starts');
});

test('a seed makes the same life again, call by call', async () => {
  for (const seed of [7, 42, 99]) {
    const [first, second] = [
      await run(generate(seed), { trace: true }),
      await run(generate(seed), { trace: true }),
    ];
    assert.equal(first.digest, second.digest);
  }
  const other = await run(generate(8), { trace: true });
  assert.notEqual(other.digest, (await run(generate(7), { trace: true })).digest);
});

test('the process may die, and a call may fail, at any call of the disk', async () => {
  const { failures, cases } = await exhaust(1, { every: 401, from: 3 });
  assert.deepEqual(failures, []);
  assert.ok(cases > 40);
});

test('and again during the recovery from that', async () => {
  const { failures, cases } = await exhaust(2, { every: 90_000, from: 35_117 });
  assert.deepEqual(failures, []);
  assert.ok(cases > 10);
});

test('a failing script is made as short as it gets', async () => {
  const script = generate(5);
  const isPublish = ({ kind }: { kind: string }): boolean => kind === 'publish';
  const shortest = await shrink(script, async ({ operations }) => operations.filter(isPublish).length >= 2);
  assert.deepEqual(
    shortest.operations.map(({ kind, steps }) => [kind, steps]),
    [
      ['publish', -1],
      ['publish', -1],
    ],
  );
});

test('every planted bug can be planted', async () => {
  assert.ok(plantedBugs.length >= 20);
  for (const bug of plantedBugs)
    assert.equal(
      await occurrences(bug),
      1,
      `"${bug.find}" stands in ${bug.file} exactly once; bring it up to date in test/simulation`,
    );
});

test('the tests that catch planted bugs are there: one that is missing fails with any bug', () => {
  for (const file of plantedBugs.flatMap(({ tests = [] }) => tests))
    assert.ok(existsSync(new URL(`../${file}`, import.meta.url)), `there is no ${file}`);
});
