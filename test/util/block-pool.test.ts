import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { BlockPool } from '../../src/util/index.ts';

const mib = 2 ** 20;

test('a returned block is lent again, for any size that needs a block as large', () => {
  const pool = new BlockPool();
  const block = pool.take(1_000_000).buffer;
  assert.ok(pool.lent(block));
  assert.equal(pool.heldBytes, 0);
  pool.give(block);
  assert.ok(!pool.lent(block));
  assert.equal(pool.heldBytes, block.byteLength);
  assert.equal(pool.take(1_000_001).buffer, block);
  assert.notEqual(pool.take(1_000_001).buffer, block);
});

test('a block is at most an eighth larger than the request', () => {
  const pool = new BlockPool();
  fc.assert(
    fc.property(fc.integer({ min: 2 ** 14, max: 8 * mib }), (bytes) => {
      const taken = pool.take(bytes);
      assert.equal(taken.length, bytes);
      const size = taken.buffer.byteLength;
      assert.ok(size >= bytes && size <= bytes * 1.125, `${size} for ${bytes}`);
    }),
  );
});

test('it does not take blocks that it did not lend, or has got back already', () => {
  const pool = new BlockPool();
  const { buffer } = pool.take(mib);
  pool.give(new ArrayBuffer(mib));
  pool.give(pool.take(100).buffer);
  assert.equal(pool.heldBytes, 0);
  pool.give(buffer);
  pool.give(buffer);
  assert.equal(pool.heldBytes, mib);
});

test('it holds no more than its limit, and prefers recent blocks', () => {
  const pool = new BlockPool(2 * mib);
  const small = [pool.take(mib), pool.take(mib)];
  const large = pool.take(2 * mib);
  for (const { buffer } of small) pool.give(buffer);
  assert.equal(pool.heldBytes, 2 * mib);
  pool.give(large.buffer);
  assert.equal(pool.heldBytes, 2 * mib);
  assert.equal(pool.take(2 * mib).buffer, large.buffer);
});
