import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rfc3339 } from '../../src/util/index.ts';

test('a time of any size has a text that RFC 3339 allows', () => {
  assert.equal(rfc3339(1234), '1970-01-01T00:00:01.234Z');
  assert.equal(rfc3339(-1), '1969-12-31T23:59:59.999Z');
  for (const timeMs of [253402300800000, 8.64e15 + 1, 2 ** 63, Infinity])
    assert.equal(rfc3339(timeMs), '9999-12-31T23:59:59.999Z');
  for (const timeMs of [-62167219200001, -8.64e15 - 1, -(2 ** 63)])
    assert.equal(rfc3339(timeMs), '0000-01-01T00:00:00.000Z');
});
