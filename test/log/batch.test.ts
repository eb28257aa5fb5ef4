import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { BatchBuilder } from '../../src/log/batch-builder.ts';
import { isIntactBatch } from '../../src/log/batch.ts';
import { BufferPool } from '../../src/log/buffer-pool.ts';
import { Batch, BatchReader, LogError, Record, type Header } from '../../src/log/index.ts';

interface Plain {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly Header[];
  readonly timestampMs: number;
  readonly skip: number;
}

const bytes = fc.option(
  fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ minLength: 300, maxLength: 400 })),
  { nil: null },
);
const plain: fc.Arbitrary<Plain> = fc.record({
  key: bytes,
  value: bytes,
  headers: fc.array(fc.record({ name: fc.string({ unit: 'grapheme', maxLength: 30 }), value: bytes }), {
    maxLength: 4,
  }),
  timestampMs: fc.integer({ min: 0, max: 2 ** 44 }),
  skip: fc.nat(3),
});

const pool = new BufferPool();

function recordOf({ key, value, headers, timestampMs }: Plain): Record {
  const record = new Record();
  record.buffer = Buffer.concat([
    Buffer.from('..'),
    key ?? Buffer.alloc(0),
    value ?? Buffer.alloc(0),
    Buffer.from('..'),
  ]);
  if (key !== null) {
    record.keyStart = 2;
    record.keyEnd = 2 + key.length;
  }
  if (value !== null) {
    record.valueStart = 2 + (key?.length ?? 0);
    record.valueEnd = record.valueStart + value.length;
  }
  record.headers = headers;
  record.timestampMs = timestampMs;
  return record;
}

function build(records: readonly Plain[], baseOffset = 1000): { batch: Batch; offsets: number[] } {
  const builder = new BatchBuilder(baseOffset, pool);
  const offsets: number[] = [];
  let offset = baseOffset;
  for (const [i, record] of records.entries()) {
    if (i > 0) offset += 1 + record.skip;
    offsets.push(offset);
    builder.add(recordOf(record), offset);
  }
  const { buffer, length } = builder.finish();
  return { batch: new Batch(Uint8Array.from(buffer.subarray(0, length))), offsets };
}

function plainOf(record: Record): Omit<Plain, 'skip'> {
  const { key, value, headers, timestampMs } = record;
  const copy = (part: Uint8Array | null): number[] | null => (part === null ? null : [...part]);
  return {
    key: copy(key) as never,
    value: copy(value) as never,
    headers: headers.map((header) => ({ name: header.name, value: copy(header.value) as never })),
    timestampMs,
  };
}

function readPlain(batch: Batch, from?: number): { offset: number; plain: Omit<Plain, 'skip'> }[] {
  const reader = new BatchReader();
  const record = new Record();
  const found: { offset: number; plain: Omit<Plain, 'skip'> }[] = [];
  reader.reset(batch, from);
  while (reader.next(record)) found.push({ offset: record.offset, plain: plainOf(record) });
  return found;
}

test('added records are read back, one by one, from any offset', () => {
  fc.assert(
    fc.property(fc.array(plain, { minLength: 1, maxLength: 20 }), fc.nat(60), (records, seek) => {
      const { batch, offsets } = build(records);
      const expected = records.map((record, i) => ({
        offset: offsets[i]!,
        plain: plainOf(recordOf(record)),
      }));
      assert.deepEqual(readPlain(batch), expected);
      assert.deepEqual(
        readPlain(batch, 990 + seek),
        expected.filter(({ offset }) => offset >= 990 + seek),
      );
      assert.equal(batch.baseOffset, 1000);
      assert.equal(batch.endOffset, offsets[offsets.length - 1]! + 1);
      assert.equal(batch.count, records.length);
      assert.equal(batch.baseTimestampMs, records[0]!.timestampMs);
      assert.equal(batch.maxTimestampMs, Math.max(...records.map(({ timestampMs }) => timestampMs)));
      assert.deepEqual(
        [batch.producerId, batch.producerEpoch, batch.baseSequence, batch.codec],
        [-1, -1, -1, 0],
      );
      assert.ok(isIntactBatch(batch.buffer, 0, batch.bytes));
    }),
  );
});

test('a record that was read and is added elsewhere does not change, headers included', () => {
  fc.assert(
    fc.property(fc.array(plain, { minLength: 1, maxLength: 10 }), (records) => {
      const { batch } = build(records);
      const copy = new BatchBuilder(5, pool);
      const reader = batch.reader();
      const record = new Record();
      let offset = 5;
      while (reader.next(record)) copy.add(record, offset++);
      const { buffer, length } = copy.finish();
      assert.deepEqual(
        readPlain(new Batch(buffer.subarray(0, length))).map(({ plain }) => plain),
        readPlain(batch).map(({ plain }) => plain),
      );
    }),
  );
});

test('any flipped bit but those of the base offset and the leader epoch is noticed', () => {
  const { batch } = build([
    { key: Buffer.from('k'), value: Buffer.from('hello'), headers: [], timestampMs: 5, skip: 0 },
    { key: null, value: null, headers: [{ name: 'n', value: null }], timestampMs: 6, skip: 0 },
  ]);
  for (let bit = 0; bit < batch.bytes * 8; bit++) {
    const flipped = Uint8Array.from(batch.buffer);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    const byte = bit >> 3;
    assert.equal(
      isIntactBatch(flipped, 0, flipped.length),
      byte < 8 || (byte >= 12 && byte < 16),
      `bit ${bit}`,
    );
  }
});

test('records that contradict their header throw, and nothing else happens', () => {
  fc.assert(
    fc.property(
      fc.array(plain, { minLength: 1, maxLength: 5 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (records, changes) => {
        const { batch } = build(records);
        const mutated = Uint8Array.from(batch.buffer);
        for (const [at, value] of changes) mutated[61 + (at % Math.max(1, mutated.length - 61))] = value;
        try {
          readPlain(new Batch(mutated));
        } catch (error) {
          assert.ok(
            (error instanceof LogError && error.code === 'batch-invalid') || error instanceof RangeError,
            String(error),
          );
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a compressed batch is decompressed once, by its decompressor', () => {
  const { batch } = build([
    { key: null, value: Buffer.from('squeezed'), headers: [], timestampMs: 1, skip: 0 },
  ]);
  const squeezed = Uint8Array.from(batch.buffer);
  // Gzip, says the header; the records stay as they are, and the codec of this test does nothing.
  squeezed[22] = 1;
  assert.throws(() => readPlain(new Batch(squeezed)), { code: 'compression-unsupported' });
  let calls = 0;
  const opened = new Batch(squeezed, (codec, section) => {
    assert.equal(codec, 1);
    calls++;
    return section;
  });
  assert.equal(readPlain(opened).length, 1);
  assert.equal(Buffer.from(readPlain(opened)[0]!.plain.value!).toString(), 'squeezed');
  assert.equal(calls, 1);
});
