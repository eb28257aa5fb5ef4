import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LargeBuffers, largeBytesMin } from '../../../src/protocols/connections/index.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

test('a large buffer is used again when its last user has released it', () => {
  const buffers = new LargeBuffers();
  const buffer = buffers.take(100_000);
  buffers.share(buffer);
  buffers.release(buffer);
  assert.notEqual(buffers.take(100_000), buffer);
  buffers.release(buffer);
  assert.equal(buffers.take(100_000), buffer);
});

test('a large buffer that was dropped is never used again, whoever releases it', () => {
  const buffers = new LargeBuffers();
  const buffer = buffers.take(100_000);
  buffers.share(buffer);
  buffers.drop(buffer);
  buffers.release(buffer);
  assert.notEqual(buffers.take(100_000), buffer);
});

test('a large buffer has room in proportion to what has come, and for less of it once much is lent', () => {
  const buffers = new LargeBuffers();
  assert.ok(buffers.take(64 * KiB, MiB).length >= MiB);
  assert.ok(buffers.take(16 * KiB, 64 * MiB).length <= 512 * KiB);
  assert.ok(buffers.take(10).length >= largeBytesMin);
  while (buffers.lentBytes < 32 * MiB) buffers.take(MiB);
  const small = buffers.take(64 * KiB, MiB);
  assert.ok(small.length >= 128 * KiB && small.length <= 256 * KiB);
});

test('only so many free large buffers are kept', () => {
  const buffers = new LargeBuffers();
  const taken = Array.from({ length: 40 }, () => buffers.take(MiB));
  for (const buffer of taken) buffers.release(buffer);
  assert.equal(buffers.lentBytes, 0);
  const again = new Set(taken.map(() => buffers.take(MiB)));
  const kept = taken.filter((buffer) => again.has(buffer)).length;
  assert.ok(kept > 0 && kept <= 16, `${kept} were kept`);
});
