import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assert as check, integer, nat, oneof, property, stringMatching } from 'fast-check';
import { readDecimal, writeDecimal } from '../../../../src/protocols/nats/jetstream/decimal.ts';
import { assetName, coreName, isAssetName } from '../../../../src/protocols/nats/jetstream/names.ts';
import {
  offsetOfSequence,
  partitionOfSequence,
  sequenceOf,
} from '../../../../src/protocols/nats/jetstream/sequence.ts';
import {
  durationText,
  nanosOfMs,
  parseDuration,
  timeMs,
  zeroTime,
} from '../../../../src/protocols/nats/jetstream/time.ts';

describe('decimal', () => {
  test('digits are those of the number, wherever they are written', () => {
    const target = new Uint8Array(64);
    check(
      property(oneof(nat(), integer({ min: 0, max: Number.MAX_SAFE_INTEGER })), nat(40), (value, at) => {
        const end = writeDecimal(target, at, value);
        assert.equal(Buffer.from(target.subarray(at, end)).toString(), String(value));
        assert.equal(readDecimal(target, at, end), value);
      }),
    );
    for (const edge of [
      0,
      9,
      10,
      99_999,
      100_000,
      999_999_999,
      1_000_000_000,
      1_000_000_001,
      2 ** 32,
      2 ** 40,
    ]) {
      assert.equal(Buffer.from(target.subarray(0, writeDecimal(target, 0, edge))).toString(), String(edge));
    }
  });

  test('text that is not a number is -1', () => {
    for (const text of ['', 'a', '1a', '-1', ' 1', '1'.repeat(17)]) {
      assert.equal(readDecimal(Buffer.from(text), 0, text.length), -1, text);
    }
  });
});

describe('durations and times', () => {
  test('Go durations', () => {
    const cases: [string, number | undefined][] = [
      ['5s', 5e9],
      ['1.5s', 1.5e9],
      ['2m30s', 150e9],
      ['300ms', 3e8],
      ['10us', 10_000],
      ['1h', 3600e9],
      ['-1s', -1e9],
      ['0', 0],
      ['5', undefined],
      ['s', undefined],
      ['', undefined],
      ['5 s', undefined],
    ];
    for (const [text, nanos] of cases) assert.equal(parseDuration(text), nanos, text);
  });

  test('are written as Go writes them', () => {
    const cases: [number, string][] = [
      [0, '0s'],
      [1e9, '1s'],
      [60e9, '1m0s'],
      [3600e9, '1h0m0s'],
      [1.5e9, '1.5s'],
      [250e6, '250ms'],
      [90e9, '1m30s'],
    ];
    for (const [nanos, text] of cases) assert.equal(durationText(nanos), text);
  });

  test('a configured duration is echoed as long as it means the same', () => {
    assert.equal(nanosOfMs(100, 100_000_001), 100_000_001);
    assert.equal(nanosOfMs(100, 200_000_000), 100_000_000);
    assert.equal(nanosOfMs(1500), 1.5e9);
  });

  test("Go's zero time is no time", () => {
    assert.equal(timeMs(zeroTime), undefined);
    assert.equal(timeMs('2026-01-01T00:00:00Z'), Date.UTC(2026, 0, 1));
  });
});

describe('names', () => {
  test('NATS names are one token and a file name', () => {
    for (const name of ['orders', 'A-1_b', 'ü', 'a%2Eb', '$KV']) assert.ok(isAssetName(name), name);
    for (const name of ['', 'a.b', 'a b', '*', 'a>', 'a/b', 'a\\b', 'a\n', 'a\u0000'])
      assert.ok(!isAssetName(name), name);
  });

  test('a core name that NATS does not allow is escaped, and found again', () => {
    check(
      property(stringMatching(/^[a-z. />*]+$/), (name) => {
        const shown = assetName(name);
        assert.ok(isAssetName(shown), shown);
        assert.equal(coreName(shown, new Map()), name);
      }),
    );
    assert.equal(assetName('a.b/c'), 'a%2Eb%2Fc');
    assert.equal(coreName('a%2Eb%2Fc', new Map()), 'a.b/c');
    assert.equal(coreName('100%25', new Map([['100%25', undefined]])), '100%25');
  });
});

describe('sequence', () => {
  test('is offset + 1 in the only partition', () => {
    assert.equal(sequenceOf(0, 0), 1);
    assert.equal(offsetOfSequence(1), 0);
    assert.equal(partitionOfSequence(1), 0);
  });

  test('names one message of any partition', () => {
    check(
      property(nat(5000), integer({ min: 0, max: 2 ** 40 - 1 }), (partition, offset) => {
        const sequence = sequenceOf(partition, offset);
        assert.ok(Number.isSafeInteger(sequence));
        assert.equal(partitionOfSequence(sequence), partition);
        assert.equal(offsetOfSequence(sequence), offset);
      }),
    );
  });
});
