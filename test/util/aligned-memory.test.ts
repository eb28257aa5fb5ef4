import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allocAligned, startsAtPage } from '../../src/util/index.ts';

test('aligned memory is as large as was asked for, and known as such', () => {
  for (const bytes of [1, 512, 2 ** 16, 2 ** 16 + 1, 2 ** 23]) {
    const memory = allocAligned(bytes);
    assert.ok(memory.length >= bytes);
    assert.ok(startsAtPage(memory));
    assert.ok(startsAtPage(memory.subarray(0, 1)));
    assert.ok(!startsAtPage(memory.subarray(1)));
  }
  assert.ok(startsAtPage(allocAligned(2 ** 16).subarray(4096)));
  assert.ok(!startsAtPage(Buffer.allocUnsafeSlow(2 ** 16)));
});

test('where there is no such memory, there is other', (t) => {
  const { WebAssembly } = globalThis as unknown as { WebAssembly: { Memory: () => void } };
  t.mock.method(WebAssembly, 'Memory', () => {
    throw new RangeError('no room');
  });
  const memory = allocAligned(100);
  assert.ok(memory.length >= 100);
  assert.ok(!startsAtPage(memory));
});
