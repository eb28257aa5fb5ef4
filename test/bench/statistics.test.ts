import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quantile, ratioOf, spreadOf } from '../../bench/statistics.ts';

test('a quantile between two values is interpolated', () => {
  assert.equal(quantile([10, 20], 0.5), 15);
  assert.equal(quantile([1, 2, 3, 4, 5], 0.5), 3);
  assert.equal(quantile([1, 2, 3, 4, 5], 1), 5);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

test('a spread is the median with minimum and maximum, and leaves out NaN', () => {
  assert.deepEqual(spreadOf([30, Number.NaN, 10, 20]), { median: 20, minimum: 10, maximum: 30 });
});

test('ratios are taken turn by turn', () => {
  assert.deepEqual(ratioOf([10, 40, 90], [10, 20, 30]), { median: 2, minimum: 1, maximum: 3 });
});

test('a turn that one server did not take gives no ratio', () => {
  assert.deepEqual(ratioOf([10, 40], [10]), { median: 1, minimum: 1, maximum: 1 });
});
