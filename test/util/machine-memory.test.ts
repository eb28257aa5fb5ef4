import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oldSpaceSizeOf } from '../../src/util/machine-memory.ts';

test('the size of the old generation is read from the options of Node, and the last one counts', () => {
  assert.equal(oldSpaceSizeOf('--enable-source-maps'), Infinity);
  assert.equal(oldSpaceSizeOf('--max-old-space-size=256'), 256 * 2 ** 20);
  assert.equal(oldSpaceSizeOf('--max_old_space_size 512 --max-old-space-size=300 x'), 300 * 2 ** 20);
});
