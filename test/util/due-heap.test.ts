import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DueHeap, SeededRandom } from '../../src/util/index.ts';

type Entry = readonly [dueMs: number, offset: number, partitionId: number];

function drain(heap: DueHeap): Entry[] {
  const entries: Entry[] = [];
  for (; heap.size > 0; heap.pop())
    entries.push([heap.firstDueMs(), heap.firstOffset(), heap.firstPartitionId()]);
  assert.deepEqual([heap.firstDueMs(), heap.firstOffset()], [Infinity, -1]);
  return entries;
}

test('entries come by due time, those of one time by offset, also after many were removed', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = new SeededRandom(seed);
    const heap = new DueHeap();
    const entries: Entry[] = [];
    for (let offset = 0; offset < random.int(400); offset++) {
      const entry: Entry = [random.int(20), offset, random.int(3)];
      entries.push(entry);
      heap.push(...entry);
    }
    const isGone = (offset: number): boolean => (offset * 7) % 10 < seed % 11;
    const removed: number[] = [];
    heap.removeWhere(isGone, (partitionId) => removed.push(partitionId));
    const gone = entries.filter(([, offset]) => isGone(offset)).map(([, , id]) => id);
    assert.deepEqual(count(removed), count(gone));
    const kept = entries.filter(([, offset]) => !isGone(offset));
    assert.deepEqual(
      drain(heap),
      kept.sort(([due, offset], [otherDue, other]) => due - otherDue || offset - other),
    );
  }
});

function count(partitionIds: readonly number[]): number[] {
  return [0, 1, 2].map((id) => partitionIds.filter((one) => one === id).length);
}
