import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Queue } from '../../src/util/index.ts';

test('a queue behaves as an array used with push and shift', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(), fc.constant('shift' as const)), { maxLength: 5000 }), (steps) => {
      const queue = new Queue<number>();
      const model: number[] = [];
      for (const step of steps) {
        if (step === 'shift') assert.equal(queue.shift(), model.shift());
        else {
          queue.push(step);
          model.push(step);
        }
        assert.equal(queue.size, model.length);
        assert.equal(queue.peek(), model[0]);
      }
    }),
  );
});

test('a queue that is never empty does not keep items that left it', () => {
  const queue = new Queue<number>();
  for (let i = 0; i < 100_000; i++) {
    queue.push(i);
    if (i >= 10) assert.equal(queue.shift(), i - 10);
  }
  assert.equal(queue.size, 10);
});
