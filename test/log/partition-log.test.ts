import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Batch, MemoryFiles, Record, type PartitionLog } from '../../src/log/index.ts';
import { append, appendBatch, openLog, readAll, readBatches, smallLimits, until, values } from './kit.ts';

function long(i: number): string {
  return `value ${i} ${'.'.repeat(80)}`;
}

/** A batch as a Kafka client would send it, built by another log. */
async function clientBatch(...texts: string[]): Promise<Uint8Array> {
  const { log, host } = await openLog(new MemoryFiles());
  const partition = host.create(9);
  for (const text of texts) append(partition, text);
  await log.flush();
  const [bytes] = await readBatches(partition);
  await log.close();
  return Uint8Array.from(bytes!);
}

test('reading finds every record from every offset, in memory and on disk', async () => {
  const files = new MemoryFiles();
  const { log, host } = await openLog(files, smallLimits);
  const partition = host.create(1);
  for (let i = 0; i < 300; i++) {
    append(partition, long(i));
    if (i % 7 === 0) await log.flush();
  }
  await log.flush();
  const check = async (partition: PartitionLog): Promise<void> => {
    for (let from = 0; from < 300; from += 13) {
      const read = await readAll(partition, from);
      const wanted = read.filter(({ offset }) => offset >= from);
      assert.deepEqual(
        wanted.map(({ offset, value }) => [offset, value]),
        Array.from({ length: 300 - from }, (_, i) => [from + i, long(from + i)]),
      );
      const batch = (await partition.load(from))!;
      assert.ok(batch.baseOffset <= from && from < batch.endOffset);
      assert.equal(partition.cached(from), batch, 'what was loaded is in the cache');
    }
    assert.equal(await partition.load(300), undefined);
    assert.equal(partition.cached(300), undefined);
  };
  await check(partition);
  await log.close();
  const again = await openLog(files, smallLimits);
  assert.ok(again.log.partition(1)!.segments().length > 3, 'there are several segments');
  await check(again.log.partition(1)!);
  assert.ok(
    again.log.stats.readCacheBytes > 0 &&
      again.log.stats.readCacheBytes <= smallLimits.readCacheBytesMax! * 2,
  );
  await again.log.close();
});

test('readers that wait for the same place share one read', async () => {
  const files = new MemoryFiles();
  const first = await openLog(files, smallLimits);
  const partition = first.host.create(1);
  for (let i = 0; i < 100; i++) append(partition, `value ${i}`);
  await first.log.close();
  let reads = 0;
  const open = files.open.bind(files);
  files.open = async (path, options) => {
    const file = await open(path, options);
    const read = file.read.bind(file);
    file.read = (target, position) => {
      if (path.endsWith('.log')) reads++;
      return read(target, position);
    };
    return file;
  };
  const { log } = await openLog(files, smallLimits);
  reads = 0;
  const loaded = await Promise.all(Array.from({ length: 10 }, () => log.partition(1)!.load(0)));
  assert.equal(new Set(loaded).size, 1);
  assert.equal(reads, 1);
  await log.close();
});

test('whole batches come byte for byte', async () => {
  const { log, host } = await openLog(new MemoryFiles());
  const partition = host.create(1);
  const bytes = await clientBatch('a', 'b', 'c');
  assert.equal(appendBatch(partition, bytes, 3), 0);
  assert.equal(append(partition, 'd'), 3);
  assert.equal(appendBatch(partition, bytes, 3), 4);
  assert.equal(append(partition, 'e'), 7);
  await log.flush();
  const all = await readBatches(partition);
  assert.equal(all.length, 4);
  assert.deepEqual(Uint8Array.from(all[0]!).subarray(16), bytes.subarray(16));
  assert.deepEqual(Uint8Array.from(all[2]!).subarray(16), bytes.subarray(16));
  assert.equal(new Batch(all[2]!).baseOffset, 4);
  assert.equal((await readBatches(partition, 5)).length, 2);
  assert.deepEqual(await readBatches(partition, 8), []);
  assert.deepEqual(values(await readAll(partition)), ['a', 'b', 'c', 'd', 'a', 'b', 'c', 'e']);
  await log.close();
});

test('a client’s batch that contradicts itself is refused', async () => {
  const { log, host } = await openLog(new MemoryFiles(), { recordBytesMax: 10_000 });
  const partition = host.create(1);
  const bytes = await clientBatch('a', 'b');
  const changed = (at: number): Uint8Array => {
    const copy = Uint8Array.from(bytes);
    copy[at]! ^= 1;
    return copy;
  };
  for (const bad of [
    bytes.subarray(0, 60),
    bytes.subarray(0, bytes.length - 1),
    changed(11),
    changed(16),
    changed(18),
    changed(60),
    changed(70),
  ]) {
    assert.throws(() => appendBatch(partition, bad, 2), { code: 'batch-invalid' });
  }
  assert.throws(() => appendBatch(partition, bytes, 3), { code: 'batch-invalid' });
  assert.throws(() => appendBatch(partition, new Uint8Array(20_000), 2), { code: 'record-too-large' });
  assert.throws(() => append(partition, 'x'.repeat(20_000)), { code: 'record-too-large' });
  assert.equal(partition.endOffset, 0);
  await log.close();
});

test('batches are closed at their limits of bytes and records', async () => {
  const { log, host } = await openLog(new MemoryFiles(), { batchBytesMax: 1000, batchRecordsMax: 10 });
  const partition = host.create(1);
  for (let i = 0; i < 25; i++) append(partition, 'x');
  for (let i = 0; i < 5; i++) append(partition, 'y'.repeat(400));
  append(partition, 'z'.repeat(5000));
  append(partition, 'after');
  await log.flush();
  const batches = (await readBatches(partition)).map((bytes) => new Batch(bytes));
  assert.deepEqual(
    batches.map(({ count }) => count),
    [10, 10, 7, 2, 1, 1, 1],
  );
  await log.close();
});

test('headers survive the disk, and a record that was read can be appended elsewhere', async () => {
  const { log, host } = await openLog(new MemoryFiles());
  const [from, to] = [host.create(1), host.create(2)];
  const record = new Record();
  record.buffer = Buffer.from('kv');
  [record.keyStart, record.keyEnd, record.valueStart, record.valueEnd] = [0, 1, 1, 2];
  record.headers = [
    { name: 'a', value: Buffer.from('1') },
    { name: 'a', value: null },
  ];
  from.append(record);
  await log.flush();
  const read = new Record();
  (await from.load(0))!.reader().next(read);
  assert.equal(to.append(read), 0);
  await log.flush();
  const copy = new Record();
  (await to.load(0))!.reader().next(copy);
  assert.equal(Buffer.from(copy.key!).toString(), 'k');
  assert.deepEqual(
    copy.headers.map(({ name, value }) => [name, value === null ? null : Buffer.from(value).toString()]),
    [
      ['a', '1'],
      ['a', null],
    ],
  );
  await log.close();
});

test('trimmed records are not served, their segments go with the next checkpoint, and offsets go on', async () => {
  const files = new MemoryFiles();
  const { log, host } = await openLog(files, smallLimits);
  const partition = host.create(1);
  for (let i = 0; i < 400; i++) append(partition, long(i));
  await log.flush();
  await log.checkpoint();
  const segments = partition.segments();
  assert.ok(segments.length >= 3);
  host.trim(1, segments[1]!.endOffset + 3);
  assert.equal(partition.startOffset, segments[1]!.endOffset + 3);
  assert.ok((await partition.load(0))!.endOffset > segments[1]!.endOffset);
  assert.ok(files.paths().includes('data/topics/1/00000000000000000000.log'), 'not before the checkpoint');
  await log.checkpoint();
  assert.ok(!files.paths().includes('data/topics/1/00000000000000000000.log'));
  assert.equal(partition.segments()[0]!.baseOffset, segments[2]!.baseOffset);
  host.trim(1, partition.endOffset);
  await log.checkpoint();
  assert.deepEqual(
    files.paths().filter((path) => path.includes('/topics/1/')),
    [],
  );
  assert.equal(await partition.load(0), undefined);
  assert.equal(partition.bytesFrom(0), 0);
  assert.equal(append(partition, 'next'), 400);
  await log.close();
  const again = await openLog(files, smallLimits);
  const reopened = again.log.partition(1)!;
  assert.deepEqual([reopened.startOffset, reopened.endOffset], [400, 401]);
  assert.deepEqual(values(await readAll(reopened)), ['next']);
  await again.log.close();
});

test('records trimmed before they were flushed never reach a segment', async () => {
  const files = new MemoryFiles();
  const { log, host } = await openLog(files, { ...smallLimits, unflushedBytesMax: 1_000_000 });
  const partition = host.create(1);
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 20; i++) append(partition, 'x'.repeat(50));
    await log.flush();
    host.trim(1, partition.endOffset);
  }
  await log.close();
  assert.deepEqual(
    files.paths().filter((path) => path.includes('/topics/')),
    [],
  );
});

test('bytesFrom is exact in memory and about right on disk', async () => {
  const files = new MemoryFiles();
  const { log, host } = await openLog(files, {
    ...smallLimits,
    tailCacheBytesMax: 100_000,
    unflushedBytesMax: 1_000_000,
  });
  const partition = host.create(1);
  const ends: number[] = [];
  for (let i = 0; i < 100; i++) {
    append(partition, 'x'.repeat(100));
    await log.flush();
    ends.push(partition.bytesFrom(0));
  }
  const total = partition.bytesFrom(0);
  assert.equal(total, ends[99]);
  assert.equal(partition.bytesFrom(99), total - ends[98]!);
  assert.equal(partition.bytesFrom(100), 0);
  await log.close();
  const again = await openLog(files, smallLimits);
  const reopened = again.log.partition(1)!;
  assert.equal(reopened.bytesFrom(0), total);
  assert.ok(Math.abs(reopened.bytesFrom(50) - total / 2) < total / 10);
  await again.log.close();
});

test('the first offset at or after a time is found in memory, by time index and without', async () => {
  const times = fc.array(fc.integer({ min: 1000, max: 1400 }), { minLength: 1, maxLength: 150 });
  await fc.assert(
    fc.asyncProperty(
      times,
      fc.array(fc.integer({ min: 990, max: 1410 }), { minLength: 1, maxLength: 5 }),
      async (stamps, wanted) => {
        const files = new MemoryFiles();
        const first = await openLog(files, smallLimits);
        const partition = first.host.create(1);
        for (const [i, timestampMs] of stamps.entries()) {
          append(partition, `value ${i}`, { timestampMs });
          if (i % 5 === 0) await first.log.flush();
        }
        await first.log.flush();
        const check = async (partition: PartitionLog): Promise<void> => {
          for (const time of wanted) {
            const expected = stamps.findIndex((stamp) => stamp >= time);
            assert.equal(await partition.offsetAtTime(time), expected < 0 ? stamps.length : expected);
          }
        };
        await check(partition);
        assert.equal(partition.maxTimestampMs, Math.max(...stamps));
        await first.log.close();
        const again = await openLog(files, smallLimits);
        await check(again.log.partition(1)!);
        assert.equal(again.log.partition(1)!.maxTimestampMs, Math.max(...stamps));
        await again.log.close();
      },
    ),
    { numRuns: 30 },
  );
});

test('a deleted partition refuses everything and its files go', async () => {
  const files = new MemoryFiles();
  const { log, host } = await openLog(files, smallLimits);
  const partition = host.create(1);
  host.create(2);
  for (let i = 0; i < 200; i++) append(partition, `value ${i}`);
  await log.flush();
  append(partition, 'in the commit that deletes it');
  host.drop(1);
  await log.flush();
  await until(() => !files.paths().some((path) => path.includes('/topics/1/')));
  assert.throws(() => append(partition, 'x'), { code: 'partition-deleted' });
  assert.equal(await partition.load(0), undefined);
  assert.equal(log.partition(1), undefined);
  assert.throws(() => log.openPartition(1), { code: 'misuse' });
  await log.close();
  const again = await openLog(files, smallLimits);
  assert.equal(again.log.partition(1), undefined);
  assert.deepEqual(again.log.orphans, []);
  await again.log.close();
});

test('a new partition may start at any offset, and ids are checked', async () => {
  const files = new MemoryFiles();
  const { log, host } = await openLog(files, smallLimits);
  host.put(2, 5, '');
  const partition = log.openPartition(5, { startOffset: 1000 });
  assert.equal(append(partition, 'first'), 1000);
  assert.deepEqual([partition.startOffset, partition.endOffset], [1000, 1001]);
  for (const id of [0, -1, 1.5, 2 ** 48, NaN]) assert.throws(() => log.openPartition(id), { code: 'misuse' });
  assert.throws(() => log.openPartition(5, { volatile: true }), { code: 'misuse' });
  await log.close();
  const again = await openLog(files, smallLimits);
  assert.deepEqual(values(await readAll(again.log.partition(5)!)), ['first']);
  await again.log.close();
});

test('memory stays within its limits whatever is written', async () => {
  const { log, host } = await openLog(new MemoryFiles(), smallLimits);
  for (let id = 1; id <= 20; id++) host.create(id);
  for (let round = 0; round < 100; round++) {
    for (let id = 1; id <= 20; id++) for (let i = 0; i < 5; i++) append(log.partition(id)!, 'x'.repeat(60));
    await log.flush();
    await new Promise((resolve) => setImmediate(resolve));
    const { tailCacheBytes, unflushedBytes } = log.stats;
    assert.ok(tailCacheBytes <= smallLimits.tailCacheBytesMax!, `${tailCacheBytes} in the tail cache`);
    assert.ok(unflushedBytes <= 4 * smallLimits.unflushedBytesMax!, `${unflushedBytes} unflushed`);
  }
  await log.close();
});
