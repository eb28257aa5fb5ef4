import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { crc32c } from '../../../src/util/index.ts';
import {
  Compression,
  ErrorCode,
  RecordBatchError,
  WireError,
  batchHeaderBytes,
  checkProducedBatch,
  checkRecords,
  encodeEndTransactionMarker,
  encodeRecordBatch,
  errorName,
  isRetriable,
  readEndTransactionMarker,
  readProducedBatches,
  readRecords,
  splitBatches,
  type ErrorName,
  type RecordBatch,
} from '../../../src/wire/kafka/index.ts';
import { readFixture } from './kit.ts';

interface BatchLine {
  readonly name: string;
  readonly bytes: string;
  readonly batches: readonly BatchFacts[];
}

/** Kafka's reader on a batch. */
interface BatchFacts {
  readonly magic: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly sizeBytes: number;
  readonly codec: number;
  readonly timestampType: number;
  readonly maxTimestampMs: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly leaderEpoch: number;
  readonly count: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly crc: number;
  readonly records: readonly {
    readonly offset: number;
    readonly timestampMs: number;
    readonly key: string | null;
    readonly value: string | null;
    readonly headers: readonly (readonly [string, string | null])[];
  }[];
}

const lines = readFixture<BatchLine>('batches');
const decompressedBytesMax = 2 ** 20;

function base64(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('base64');
}

function factsOf(batch: RecordBatch): BatchFacts {
  return {
    magic: 2,
    baseOffset: batch.baseOffset,
    lastOffset: batch.baseOffset + batch.lastOffsetDelta,
    sizeBytes: batch.bytes.length,
    codec: batch.codec,
    timestampType: batch.isLogAppendTime ? 1 : 0,
    maxTimestampMs: batch.maxTimestampMs,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    lastSequence: batch.lastSequence,
    leaderEpoch: batch.leaderEpoch,
    count: batch.count,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    crc: batch.crc,
    records: readRecords(batch, decompressedBytesMax).map(({ offset, timestampMs, key, value, headers }) => ({
      offset,
      timestampMs,
      key: base64(key),
      value: base64(value),
      headers: headers.map((header) => [header.name, base64(header.value)] as const),
    })),
  };
}

for (const { name, bytes, batches } of lines) {
  const records = Buffer.from(bytes, 'base64');
  if (batches[0]!.magic < 2) {
    test(`${name} is refused`, () => {
      assertRefused(() => splitBatches(records), ErrorCode.INVALID_RECORD);
    });
    continue;
  }
  test(`${name}: as Kafka reads it`, () => {
    const split = splitBatches(records);
    assert.deepEqual(split.map(factsOf), batches);
    for (const batch of split) {
      checkRecords(batch);
      if (batch.isControl) assertRefused(() => checkProducedBatch(batch), ErrorCode.INVALID_RECORD);
      else checkProducedBatch(batch);
    }
  });
  // The same batch written here; Kafka's compressors choose other bytes.
  if (batches.length !== 1 || batches[0]!.codec !== Compression.none || batches[0]!.timestampType === 1)
    continue;
  test(`${name}: written byte for byte`, () => {
    const facts = batches[0]!;
    const again = facts.records.map((record) => ({
      timestampMs: record.timestampMs,
      key: record.key === null ? null : Buffer.from(record.key, 'base64'),
      value: record.value === null ? null : Buffer.from(record.value, 'base64'),
      headers: record.headers.map(([header, value]) => ({
        name: header,
        value: value === null ? null : Buffer.from(value, 'base64'),
      })),
    }));
    assert.equal(base64(encodeRecordBatch(again, facts)), bytes);
  });
}

function assertRefused(run: () => unknown, code: ErrorCode): void {
  assert.throws(run, (error) => error instanceof RecordBatchError && error.errorCode === code);
}

/** A batch of two records with bytes changed, its CRC made right again. */
function broken(change: (batch: Buffer) => Buffer | void): Buffer {
  const timestampMs = 1_700_000_000_000;
  const batch = encodeRecordBatch([
    { value: Buffer.from('one'), timestampMs },
    {
      key: Buffer.from('k'),
      value: Buffer.from('two'),
      timestampMs,
      headers: [{ name: 'h', value: Buffer.from('v') }],
    },
  ]);
  const changed = change(batch) ?? batch;
  if (changed.length >= batchHeaderBytes) changed.writeUInt32BE(crc32c(changed, 21), 17);
  return changed;
}

function check(records: Buffer | null): void {
  for (const batch of readProducedBatches(records)) checkRecords(batch);
}

test('a batch as clients write it is taken', () => {
  check(broken(() => {}));
  check(Buffer.concat([broken(() => {}), broken(() => {})]));
});

// The codes are those that Kafka 4.4 answers, but for a codec that is not known (UNKNOWN_SERVER_ERROR there).
const refused: readonly (readonly [what: string, code: ErrorName, records: Buffer | null])[] = [
  ['no records field', 'INVALID_RECORD', null],
  ['no batch', 'INVALID_RECORD', Buffer.alloc(0)],
  ['less than a header', 'INVALID_RECORD', Buffer.alloc(16)],
  ['a batch that is cut off', 'INVALID_RECORD', broken(() => {}).subarray(0, 70)],
  ['bytes after the last batch', 'INVALID_RECORD', Buffer.concat([broken(() => {}), Buffer.alloc(3)])],
  ['a length below that of the header', 'CORRUPT_MESSAGE', broken((batch) => void batch.writeInt32BE(10, 8))],
  ['a negative length', 'CORRUPT_MESSAGE', broken((batch) => void batch.writeInt32BE(-1, 8))],
  ['message format 1', 'INVALID_RECORD', broken((batch) => void batch.writeInt8(1, 16))],
  ['message format 3', 'CORRUPT_MESSAGE', broken((batch) => void batch.writeInt8(3, 16))],
  [
    'no records',
    'INVALID_RECORD',
    broken((batch) => void (batch.writeInt32BE(0, 57), batch.writeInt32BE(-1, 23))),
  ],
  ['more records than offsets', 'INVALID_RECORD', broken((batch) => void batch.writeInt32BE(3, 57))],
  ['control records', 'INVALID_RECORD', broken((batch) => void batch.writeInt16BE(0x20, 21))],
  ['a producer without a sequence', 'INVALID_RECORD', broken((batch) => void batch.writeBigInt64BE(5n, 43))],
  ['codec 5', 'UNSUPPORTED_COMPRESSION_TYPE', broken((batch) => void batch.writeInt16BE(5, 21))],
  [
    'a record longer than the batch',
    'INVALID_RECORD',
    broken((batch) => void (batch[batchHeaderBytes] = 126)),
  ],
  ['a record of negative length', 'INVALID_RECORD', broken((batch) => void (batch[batchHeaderBytes] = 1))],
  ['an offset out of order', 'INVALID_RECORD', broken((batch) => void (batch[batchHeaderBytes + 3] = 2))],
  [
    'more bytes than records',
    'INVALID_RECORD',
    broken((batch) => {
      const longer = Buffer.concat([batch, Buffer.alloc(2)]);
      longer.writeInt32BE(longer.length - 12, 8);
      return longer;
    }),
  ],
];

for (const [what, code, records] of refused) {
  test(`refused with ${code}: ${what}`, () => {
    assertRefused(() => check(records), ErrorCode[code]);
  });
}

test('counts are checked without a look at the records', () => {
  for (const [count, lastOffsetDelta] of [
    [3, 1],
    [2, 2],
    [2, 0],
  ] as const) {
    const batch = broken(
      (each) => void (each.writeInt32BE(count, 57), each.writeInt32BE(lastOffsetDelta, 23)),
    );
    assertRefused(() => readProducedBatches(batch), ErrorCode.INVALID_RECORD);
  }
});

test('a record that is longer than its parts is refused', () => {
  const batch = encodeRecordBatch([{ value: Buffer.from([1, 2, 0]), timestampMs: 0 }]);
  // The last byte of the value becomes the count of headers, and the count is left over.
  batch[batchHeaderBytes + 5]! -= 2;
  assert.throws(() => checkRecords(splitBatches(batch)[0]!), /whose parts have others/);
});

test('a changed byte is noticed', () => {
  const batch = broken(() => {});
  for (let at = 21; at < batch.length; at++) {
    const changed = Buffer.from(batch);
    changed[at]! ^= 0x10;
    assertRefused(() => readProducedBatches(changed), ErrorCode.CORRUPT_MESSAGE);
  }
});

test('a fetched field may end in the middle of a batch', () => {
  const batch = broken(() => {});
  for (let cut = 0; cut < batch.length; cut++) {
    const records = Buffer.concat([batch, batch.subarray(0, cut)]);
    assert.equal(splitBatches(records, true).length, 1);
  }
});

test('sequence numbers go on at 0', () => {
  const records = Array.from({ length: 5 }, () => ({ value: null, timestampMs: 0 }));
  const lastSequence = (baseSequence: number): number =>
    splitBatches(encodeRecordBatch(records, { producerId: 1, producerEpoch: 0, baseSequence }))[0]!
      .lastSequence;
  assert.equal(lastSequence(0), 4);
  assert.equal(lastSequence(2 ** 31 - 5), 2 ** 31 - 1);
  assert.equal(lastSequence(2 ** 31 - 1), 3);
  assert.equal(lastSequence(-1), -1);
});

test('records are read as they were written', () => {
  const bytes = fc.option(fc.uint8Array({ maxLength: 100 }));
  const record = fc.record({
    key: bytes,
    value: bytes,
    timestampMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
    headers: fc.array(fc.record({ name: fc.string({ unit: 'binary' }), value: bytes }), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), fc.maxSafeInteger(), (records, offset) => {
      const baseOffset = Math.abs(offset) % 2 ** 50;
      const [batch] = splitBatches(encodeRecordBatch(records, { baseOffset }));
      checkProducedBatch(batch!);
      checkRecords(batch!);
      const read = readRecords(batch!, 0);
      assert.deepEqual(
        read.map(({ key, value, headers, ...rest }) => ({
          ...rest,
          key: base64(key),
          value: base64(value),
          headers: headers.map((each) => [each.name, base64(each.value)]),
        })),
        records.map(({ key, value, headers, timestampMs }, i) => ({
          offset: baseOffset + i,
          timestampMs,
          key: base64(key),
          value: base64(value),
          headers: headers.map((each) => [each.name, base64(each.value)]),
        })),
      );
    }),
  );
});

test('changed bytes of records are records or a WireError', () => {
  const original = broken(() => {});
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }), (changes) => {
      const batch = Buffer.from(original);
      for (const [at, byte] of changes) batch[at % batch.length] = byte;
      try {
        for (const each of splitBatches(batch)) {
          checkRecords(each);
          readRecords(each, 1000);
        }
      } catch (error) {
        assert.ok(error instanceof WireError, String(error));
      }
    }),
    { numRuns: 3000 },
  );
});

test('markers of transactions are read and written', () => {
  const producer = { producerId: 4711, producerEpoch: 3 };
  for (const kind of ['abort', 'commit'] as const) {
    const [batch] = splitBatches(encodeEndTransactionMarker({ kind, coordinatorEpoch: 12 }, producer, 1000));
    assert.ok(batch!.isControl && batch!.isTransactional);
    const [record] = readRecords(batch!, 0);
    assert.deepEqual(readEndTransactionMarker(record!), { kind, coordinatorEpoch: 12 });
  }
  for (const [name, marker] of [
    ['abort marker', { kind: 'abort', coordinatorEpoch: 12 }],
    ['commit marker', { kind: 'commit', coordinatorEpoch: 13 }],
  ] as const) {
    const line = lines.find((each) => each.name === name)!;
    const [batch] = splitBatches(Buffer.from(line.bytes, 'base64'));
    assert.deepEqual(readEndTransactionMarker(readRecords(batch!, 0)[0]!), marker);
  }
});

test('the error codes are those of Kafka', () => {
  const codes = readFixture<{ code: number; name: string; retriable: boolean }>('error-codes');
  assert.deepEqual(
    codes.map(({ code, name }) => [name, code]),
    Object.entries(ErrorCode),
  );
  for (const { code, name, retriable } of codes) {
    assert.equal(errorName(code), name);
    assert.equal(isRetriable(code), retriable, name);
  }
  assert.equal(errorName(9999), 'UNKNOWN_SERVER_ERROR');
});
