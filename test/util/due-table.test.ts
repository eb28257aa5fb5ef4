import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DueTable, SeededRandom } from '../../src/util/index.ts';

type Entry = { dueMs: number; readonly offset: number; readonly partitionId: number };

function byDue(a: Entry, b: Entry): number {
  return a.dueMs - b.dueMs || a.offset - b.offset;
}

/** The content by offset, as the table shows it. */
function contentOf(table: DueTable, from = 0): Entry[] {
  const entries: Entry[] = [];
  table.visit(from, (offset, dueMs, partitionId) => entries.push({ dueMs, offset, partitionId }) > 0);
  return entries;
}

test('a table agrees with a sorted list, whatever is added, moved and removed', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new SeededRandom(seed);
    const table = new DueTable();
    let model: Entry[] = [];
    let nextOffset = 0;
    const descends = seed % 3 === 0;
    for (let step = 0; step < 600; step++) {
      const some = model[random.int(model.length || 1)];
      const choice = random.int(10);
      if (choice < (step < 300 ? 6 : 2) || !some) {
        nextOffset += 1 + random.int(3);
        const offset = descends && step < 100 ? 1000 - nextOffset : 1000 + nextOffset;
        const entry = { dueMs: random.int(50), offset, partitionId: random.int(4) };
        model.push(entry);
        table.add(entry.dueMs, entry.offset, entry.partitionId);
      } else if (choice < 8) {
        model = model.filter((entry) => entry !== some);
        assert.equal(table.remove(some.offset), true);
        assert.equal(table.remove(some.offset), false);
        assert.equal(table.dueMsOf(some.offset), undefined);
      } else {
        some.dueMs = random.int(50);
        assert.equal(table.move(some.offset, some.dueMs), true);
        assert.equal(table.dueMsOf(some.offset), some.dueMs);
        assert.equal(table.partitionIdOf(some.offset), some.partitionId);
      }
      const first = [...model].sort(byDue)[0];
      assert.deepEqual(
        [table.size, table.firstDueMs(), table.firstOffset()],
        [model.length, first?.dueMs ?? Infinity, first?.offset ?? -1],
      );
    }
    const byOffset = [...model].sort((a, b) => a.offset - b.offset);
    assert.deepEqual(contentOf(table), byOffset);
    const middle = byOffset[byOffset.length >> 1]?.offset ?? 0;
    assert.deepEqual(
      contentOf(table, middle),
      byOffset.filter(({ offset }) => offset >= middle),
    );
    assert.equal(table.lowestOffset(), byOffset[0]?.offset);
    for (const expected of [...model].sort(byDue)) {
      assert.deepEqual(
        [table.firstOffset(), table.firstPartitionId()],
        [expected.offset, expected.partitionId],
      );
      table.remove(expected.offset);
    }
    assert.equal(table.lowestOffset(), undefined);
    assert.equal(table.move(5, 1), false);
  }
});

test('a visit ends when it is told to', () => {
  const table = new DueTable();
  for (let offset = 0; offset < 10; offset++) table.add(10 - offset, offset, 1);
  const seen: number[] = [];
  table.visit(3, (offset) => seen.push(offset) < 2);
  assert.deepEqual(seen, [3, 4]);
});
