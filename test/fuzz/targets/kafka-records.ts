import assert from 'node:assert/strict';
import { checkForeignBatch } from '../../../src/log/foreign-batch.ts';
import { Batch, BatchReader, LogError, Record } from '../../../src/log/index.ts';
import { crc32c, writeU32 } from '../../../src/util/index.ts';
import {
  WireError,
  batchHeaderBytes,
  checkRecords,
  decompress,
  readProducedBatches,
  readRecords,
  splitBatches,
} from '../../../src/wire/kafka/index.ts';
import { readFixture } from '../../wire/kafka/kit.ts';
import type { Target } from '../target.ts';

const decompressedBytesMax = 1024 * 1024;
const crcAt = 17;
const crcFrom = 21;

/**
 * The records field of a produce request: batches, their compressed contents, and the log's own reader of the
 * same bytes.
 */
export const kafkaRecords: Target = {
  name: 'kafka-records',
  seeds: () =>
    [...readFixture<{ bytes: string }>('batches'), ...readFixture<{ bytes?: string }>('compressed')]
      .map(({ bytes = '' }) => Buffer.from(bytes, 'base64'))
      .filter(({ length }) => length > 0 && length < 4096),
  prepare: () => (input) => {
    for (const codec of [1, 2, 3, 4]) {
      allow(() => {
        const opened = decompress(codec, input, decompressedBytesMax);
        assert.ok(opened.length <= decompressedBytesMax);
      });
    }
    look(input);
    look(withChecksum(input)); // else hardly anything gets past it
  },
};

function look(input: Buffer): void {
  allow(() => splitBatches(input, true));
  allow(() => {
    for (const batch of readProducedBatches(input)) {
      allow(() => checkRecords(batch));
      allow(() => readRecords(batch, decompressedBytesMax));
    }
  });
  allow(() => {
    checkForeignBatch(input, undefined, 1024 * 1024);
    const placed = Buffer.from(input);
    placed.fill(0, 0, 8); // the log puts its own offset there
    const batch = new Batch(placed, (codec, bytes) => decompress(codec, bytes, decompressedBytesMax));
    const reader = new BatchReader();
    const record = new Record();
    let records = 0;
    let last = -1;
    for (reader.reset(batch); reader.next(record); records++) {
      assert.ok(record.offset > last && record.offset < batch.endOffset);
      last = record.offset;
      assert.ok(
        (record.key?.length ?? 0) + (record.value?.length ?? 0) + record.headers.length <=
          record.buffer.length,
      );
    }
    assert.equal(records, batch.readable);
  });
}

function withChecksum(input: Buffer): Buffer {
  const bytes = Buffer.from(input);
  if (bytes.length < batchHeaderBytes) return bytes;
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes[16] = 2;
  writeU32(bytes, crcAt, crc32c(bytes, crcFrom, bytes.length));
  return bytes;
}

function allow(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof WireError || error instanceof LogError)) throw error;
  }
}
