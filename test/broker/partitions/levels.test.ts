import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Budgets, budgetLimits } from '../../../src/broker/budgets.ts';
import { Levels } from '../../../src/broker/partitions/levels.ts';
import { ByteReader, ByteWriter, OffsetSet } from '../../../src/util/index.ts';

const budgets = new Budgets(budgetLimits(2 ** 30), () => undefined);

function levelsOf(levels: readonly number[]): Levels {
  const found = new Levels(budgets.meter('prioritized'));
  for (const [offset, level] of levels.entries()) if (level > 0) found.add(offset, level);
  return found;
}

test('each level knows its messages, and a removal takes them out', () => {
  for (const [from, to] of [
    [0, 4],
    [2, 5],
  ] as const) {
    const levels = levelsOf([2, 0, 1, 2, 5, 0, 1]);
    assert.deepEqual([levels.of(0), levels.of(1), levels.of(4), levels.of(99)], [2, 0, 5, 0]);
    assert.deepEqual([levels.next(2, 1), levels.next(1, 3), levels.next(3, 0)], [3, 6, undefined]);
    const before = levels.size;
    levels.remove(from, to);
    assert.equal(levels.of(3), 0);
    assert.equal(levels.of(6), 1);
    assert.equal(before - levels.size, 3);
    levels.close();
  }
  assert.equal(budgets.used('prioritized'), 0);
});

test('a limit drops the lowest level first, and holes are not counted', () => {
  const levels = levelsOf([2, 0, 1, 0, 1, 0]);
  const holes = new OffsetSet();
  holes.add(3);
  const lowest = (count: number): number[] =>
    [...levels.lowest(count, 0, 6, holes).runs()].flatMap(([from, to]) =>
      Array.from({ length: to - from }, (_, at) => from + at),
    );
  assert.deepEqual(lowest(1), [1]);
  assert.deepEqual(lowest(3), [1, 2, 5]);
  assert.deepEqual(lowest(9), [0, 1, 2, 4, 5]);
  levels.close();
});

test('what was written is read back', () => {
  const levels = levelsOf([0, 1, 0, 255, 0, 1]);
  const writer = new ByteWriter();
  levels.encode(writer);
  const again = levelsOf([]);
  again.restore(new ByteReader(writer.copy()));
  assert.deepEqual(
    Array.from({ length: 7 }, (_, offset) => again.of(offset)),
    [0, 1, 0, 255, 0, 1, 0],
  );
});
