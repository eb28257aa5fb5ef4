import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ahead } from '../../../src/broker/groups/ahead.ts';
import { ByteReader, ByteWriter } from '../../../src/util/index.ts';

function aheadOf(...offsets: number[]): Ahead {
  const ahead = new Ahead();
  for (const offset of offsets) ahead.add(offset);
  return ahead;
}

test('the cursor steps over what is ahead, removed or not, and forgets it', () => {
  const ahead = aheadOf(3, 4, 5, 9);
  ahead.noteRemoved(4, 5);
  assert.equal(ahead.size, 3);
  assert.ok(ahead.has(4));
  assert.equal(ahead.stepOver(2), 2);
  assert.equal(ahead.stepOver(3), 6);
  ahead.forgetBelow(6);
  assert.equal(ahead.size, 1);
  assert.ok(!ahead.has(4));
});

test('a removal of a range takes what is ahead in it, from below and from the middle', () => {
  for (const [from, to, left] of [
    [0, 5, 2],
    [3, 6, 2],
    [5, 6, 3],
    [20, 30, 4],
  ] as const) {
    const ahead = aheadOf(2, 3, 5, 12);
    ahead.noteRemoved(from, to);
    assert.equal(ahead.size, left, `${from} to ${to}`);
    for (const offset of [2, 3, 5, 12]) assert.ok(ahead.has(offset));
  }
});

test('only what lives is stored', () => {
  const ahead = aheadOf(2, 70_000);
  ahead.noteRemoved(2, 3);
  const writer = new ByteWriter();
  ahead.encode(writer);
  const again = Ahead.decode(new ByteReader(writer.copy()));
  assert.deepEqual([again.size, again.has(2), again.has(70_000)], [1, false, true]);
});
