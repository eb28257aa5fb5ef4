import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatMessages,
  formatRate,
  parseBytes,
  parseDuration,
} from '../../src/cli/format.ts';

describe('numbers for people', () => {
  test('bytes', () => {
    assert.deepEqual([0, 1023, 1536, 20 * 2 ** 20, 3 * 2 ** 40].map(formatBytes), [
      '0 B',
      '1023 B',
      '1.5 KiB',
      '20 MiB',
      '3.0 TiB',
    ]);
    assert.equal(formatBytes(undefined), '-');
  });

  test('counts and rates', () => {
    assert.equal(formatCount(1_234_567), '1,234,567');
    assert.deepEqual([1, 2000].map(formatMessages), ['1 message', '2,000 messages']);
    assert.deepEqual([0, 0.34, 9.99, 12_345.6].map(formatRate), ['0', '0.3', '10.0', '12,346']);
  });

  test('durations show their two largest units', () => {
    assert.deepEqual([0, 850, 42_000, 185_000, 7_200_000, 187_200_000].map(formatDuration), [
      '0ms',
      '850ms',
      '42s',
      '3m 5s',
      '2h',
      '2d 4h',
    ]);
  });

  test('parse what people write', () => {
    assert.deepEqual(['500ms', '42s', '3m', '2h', '7d', '7', 'd', '1y'].map(parseDuration), [
      500,
      42_000,
      180_000,
      7_200_000,
      604_800_000,
      undefined,
      undefined,
      undefined,
    ]);
    assert.deepEqual(['1000', '64KiB', '10GB', '1 TiB', '5b', 'x', '5q'].map(parseBytes), [
      1000,
      65_536,
      10_000_000_000,
      2 ** 40,
      5,
      undefined,
      undefined,
    ]);
  });
});
