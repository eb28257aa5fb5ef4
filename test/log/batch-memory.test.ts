import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  BatchReader,
  MemoryFiles,
  Record,
  type Batch,
  type Log,
  type PartitionLog,
} from '../../src/log/index.ts';
import { PoisonedBlocks } from '../support/index.ts';
import { type TestHost, append, openLog, readAll, readBatches, smallLimits, values } from './kit.ts';

const valueBytes = 600;

function valueAt(at: number): string {
  return String(at).padStart(valueBytes, '.');
}

/** A batch of one record, in a block of the pool, as a connection would have read it. */
async function clientBatch(at: number, blocks: PoisonedBlocks): Promise<Uint8Array> {
  const { log, host } = await openLog(new MemoryFiles());
  append(host.create(9), valueAt(at));
  await log.flush();
  const [bytes] = await readBatches(log.partition(9)!);
  await log.close();
  const own = blocks.take(bytes!.length);
  own.set(bytes!);
  return own;
}

/** A log whose partition 1 got `count` whole batches; caches hold some ten of them. */
async function filled(count: number): Promise<{
  log: Log;
  host: TestHost;
  partition: PartitionLog;
  blocks: PoisonedBlocks;
  appendOne: (at: number) => Promise<void>;
}> {
  const blocks = new PoisonedBlocks();
  const { log, host } = await openLog(new MemoryFiles(), { ...smallLimits, blocks });
  const partition = host.create(1);
  const appendOne = async (at: number): Promise<void> => {
    partition.appendChecked(partition.checkedBatch(await clientBatch(at, blocks), 1, true));
    await log.flush();
  };
  for (let at = 0; at < count; at++) await appendOne(at);
  return { log, host, partition, blocks, appendOne };
}

function valueOf(batch: Batch): string {
  const reader = new BatchReader();
  const record = new Record();
  reader.reset(batch);
  assert.ok(reader.next(record));
  return Buffer.from(record.value!).toString();
}

const all = (count: number): string[] => Array.from({ length: count }, (_, at) => valueAt(at));

describe('the memory of batches', () => {
  test('is used again when they have left the caches, and everything can still be read', async () => {
    const { log, partition, blocks } = await filled(60);
    await log.checkpoint();
    assert.ok(blocks.given > 20, `${blocks.given} given back`);
    assert.deepEqual(values(await readAll(partition)), all(60));
    await log.close();
  });

  test('stays as long as a reader that borrowed it has not given it back', async () => {
    const { log, partition, blocks, appendOne } = await filled(3);
    const borrowed = (await partition.borrow(1))!;
    const before = blocks.given;
    for (let at = 3; at < 60; at++) await appendOne(at);
    await log.checkpoint();
    assert.ok(blocks.given > before, 'the others were used again');
    assert.equal(valueOf(borrowed), valueAt(1));
    const after = blocks.given;
    borrowed.memory!.release();
    assert.equal(blocks.given, after + 1);
    await log.close();
  });

  test('is left to a reader that may keep it', async () => {
    const { log, partition, appendOne } = await filled(3);
    const kept = partition.cached(1)!;
    for (let at = 3; at < 60; at++) await appendOne(at);
    await log.checkpoint();
    assert.equal(valueOf(kept), valueAt(1));
    await log.close();
  });

  test('that was read back stays for all waiting readers, if the cache drops it at once', async () => {
    const { log, partition, blocks } = await filled(200);
    await log.checkpoint();
    // Two that give back and one that does not, for each of a dozen places: more than the cache can hold.
    const places = Array.from({ length: 12 }, (_, i) => i * 13);
    const waiting = places.map((at) =>
      Promise.all([partition.borrow(at), partition.borrow(at), partition.load(at)]),
    );
    const found = await Promise.all(waiting);
    await readAll(partition);
    for (const [i, batches] of found.entries())
      for (const batch of batches) assert.equal(valueOf(batch!), valueAt(places[i]!));
    await log.close();
    assert.ok(blocks.given > 0);
  });

  test('that was read back and borrowed only is used again', async () => {
    const { log, partition, blocks } = await filled(200);
    await log.checkpoint();
    const before = blocks.given;
    for (let round = 0; round < 2; round++) {
      for (let at = 0; at < 150;) {
        const batch = (await partition.borrow(at))!;
        assert.equal(valueOf(batch), valueAt(at));
        at = batch.endOffset;
        batch.memory?.release();
      }
    }
    assert.ok(blocks.given > before + 5, `${blocks.given - before} given back`);
    await log.close();
  });
});
