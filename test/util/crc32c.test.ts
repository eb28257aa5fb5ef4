import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { crc32c, crc32cPlain } from '../../src/util/index.ts';

test('known values of RFC 3720 come out', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(crc32cPlain(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32cPlain(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(crc32cPlain(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
});

test('the plain loop and the native library agree on every range, and on a sum in pieces', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(2000), fc.nat(2000), (bytes, a, b) => {
      const start = Math.min(a, bytes.length);
      const end = Math.max(start, Math.min(b, bytes.length));
      const whole = crc32cPlain(bytes, start, end);
      assert.equal(crc32c(bytes, start, end), whole);
      const middle = start + ((end - start) >> 1);
      assert.equal(crc32c(bytes, middle, end, crc32c(bytes, start, middle)), whole);
      assert.equal(crc32cPlain(bytes, middle, end, crc32cPlain(bytes, start, middle)), whole);
    }),
  );
});
