import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch, MemoryFiles, type Files, type Log, type PartitionLog } from '../../src/log/index.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { SeededRandom } from '../../src/util/index.ts';
import { append, appendBatch, openLog, readAll, readBatches, smallLimits } from './kit.ts';

function fill(partition: PartitionLog, count: number): void {
  for (let i = 0; i < count; i++) append(partition, `value ${i} ${'.'.repeat(60)}`);
}

/**
 * A log whose first partition has `count` records, in segments that both checkpoints have as sealed: they can
 * be compacted.
 */
async function sealed(files: Files, count: number): Promise<{ log: Log; partition: PartitionLog }> {
  const { log, host } = await openLog(files, smallLimits);
  const partition = host.create(1);
  fill(partition, count);
  await log.flush();
  await partition.roll();
  await log.checkpoint();
  await log.checkpoint();
  return { log, partition };
}

function offsets(read: readonly { offset: number }[]): number[] {
  return read.map(({ offset }) => offset);
}

test('a compacted segment has the kept records, with their offsets, and takes less room', async () => {
  const files = new MemoryFiles();
  const { log, host } = await openLog(files, smallLimits);
  const partition = host.create(1);
  fill(partition, 300);
  await log.flush();
  await partition.roll();
  const keep = (offset: number): boolean => offset % 10 === 3 || offset >= 290;
  for (const { baseOffset } of partition.segments()) await partition.compact(baseOffset, keep);
  const expected = Array.from({ length: 300 }, (_, i) => i).filter(keep);
  for (const { offset, value } of await readAll(partition)) assert.ok(value.startsWith(`value ${offset} `));
  assert.deepEqual(offsets(await readAll(partition)), expected);
  assert.ok(partition.bytesFrom(0) < 10_000);
  assert.equal(append(partition, 'more'), 300);
  await log.close();
  const again = await openLog(files, smallLimits);
  assert.deepEqual(offsets(await readAll(again.log.partition(1)!)), [...expected, 300]);
  assert.deepEqual(again.host.damage, []);
  await again.log.close();
});

test('it can be compacted again and again, until nothing is left of it', async () => {
  const files = new MemoryFiles();
  const { log, host } = await openLog(files, smallLimits);
  const partition = host.create(1);
  fill(partition, 200);
  await log.flush();
  await partition.roll();
  const [first] = partition.segments();
  for (const divisor of [2, 4, 8])
    await partition.compact(first!.baseOffset, (offset) => offset % divisor === 0);
  const bases = partition.segments().map(({ baseOffset }) => baseOffset);
  assert.deepEqual(
    offsets(await readAll(partition)).filter((offset) => offset < first!.endOffset),
    Array.from({ length: Math.ceil(first!.endOffset / 8) }, (_, i) => i * 8),
  );
  await partition.compact(first!.baseOffset, () => false);
  assert.deepEqual(
    partition.segments().map(({ baseOffset }) => baseOffset),
    bases.slice(1),
  );
  assert.equal(offsets(await readAll(partition))[0], first!.endOffset);
  assert.ok(!files.paths().some((path) => path.includes('/1/00000000000000000000.')));
  await log.close();
  const again = await openLog(files, smallLimits);
  assert.equal(offsets(await readAll(again.log.partition(1)!))[0], first!.endOffset);
  await again.log.close();
});

test('when nothing would go, or the segment is not sealed, nothing changes', async () => {
  const { log, host } = await openLog(new MemoryFiles(), smallLimits);
  const partition = host.create(1);
  fill(partition, 10);
  await log.flush();
  await partition.compact(0, () => false);
  assert.equal((await readAll(partition)).length, 10);
  await partition.roll();
  const bytes = partition.bytesFrom(0);
  await partition.compact(0, () => true);
  assert.equal(partition.bytesFrom(0), bytes);
  assert.equal((await readAll(partition)).length, 10);
  await log.close();
});

test('a compressed batch stays whole while one of its records is kept', async () => {
  const { log, host } = await openLog(new MemoryFiles(), smallLimits);
  const source = host.create(2);
  for (let i = 0; i < 4; i++) append(source, `value ${i}`);
  await log.flush();
  const bytes = Buffer.from((await readBatches(source))[0]!);
  bytes[22] = 2; // says snappy
  const { crc32c } = await import('../../src/util/index.ts');
  bytes.writeUInt32BE(crc32c(bytes, 21), 17);
  const partition = host.create(1);
  appendBatch(partition, bytes, 4);
  appendBatch(partition, bytes, 4);
  await log.flush();
  await partition.roll();
  await partition.compact(0, (offset) => offset === 6);
  const batches = (await readBatches(partition)).map((batch) => new Batch(batch));
  assert.deepEqual(
    batches.map(({ baseOffset, endOffset, count }) => [baseOffset, endOffset, count]),
    [
      [0, 4, 0],
      [4, 8, 4],
    ],
  );
  await log.close();
});

test('readers go on while a segment is compacted under them', async () => {
  const { log, host } = await openLog(new MemoryFiles(), {
    ...smallLimits,
    tailCacheBytesMax: 0,
    readCacheBytesMax: 0,
  });
  const partition = host.create(1);
  fill(partition, 300);
  await log.flush();
  await partition.roll();
  await log.checkpoint();
  const readers = Array.from({ length: 5 }, async () => {
    for (let round = 0; round < 10; round++) {
      for (const { offset, value } of await readAll(partition))
        assert.ok(value.startsWith(`value ${offset} `));
    }
  });
  for (const { baseOffset } of partition.segments())
    await partition.compact(baseOffset, (offset) => offset % 3 === 0);
  await Promise.all(readers);
  assert.deepEqual(host.damage, []);
  assert.equal((await readAll(partition)).length, 100);
  await log.close();
});

test('a crash at any point of a compaction leaves the segment whole or compacted', async () => {
  const files = new FaultyFiles();
  const { log, partition } = await sealed(files, 150);
  const disks: FaultyFiles[] = [];
  const random = new SeededRandom(1);
  files.before = ({ kind, path, position, bytes }) => {
    const inFlight = kind === 'write' ? [{ path, position: position!, bytes: new Uint8Array(bytes!) }] : [];
    for (let i = 0; i < 4; i++) disks.push(files.crash(i === 0 ? 'process' : 'power', random, { inFlight }));
    return undefined;
  };
  await partition.compact(0, (offset) => offset % 5 === 0);
  files.before = undefined;
  const end = partition.segments()[0]!.endOffset;
  const outcomes = new Set<number>();
  for (const disk of disks) {
    const { log, host } = await openLog(disk, smallLimits);
    const read = offsets(await readAll(log.partition(1)!));
    assert.deepEqual(host.damage, []);
    const inFirst = read.filter((offset) => offset < end).length;
    assert.ok(inFirst === end || inFirst === Math.ceil(end / 5), `${inFirst} of ${end}`);
    assert.equal(read.length - inFirst, 150 - end);
    outcomes.add(inFirst);
    await log.close();
  }
  assert.equal(outcomes.size, 2);
  await log.close();
});

test('after a compaction either checkpoint is enough', async () => {
  const files = new FaultyFiles();
  const { log, host } = await openLog(files, smallLimits);
  const partition = host.create(1);
  await log.checkpoint();
  fill(partition, 150);
  await log.flush();
  await partition.roll();
  const [first] = partition.segments();
  await partition.compact(first!.baseOffset, (offset) => offset % 5 === 0);
  const expected = offsets(await readAll(partition));
  assert.ok(expected.length < 150);
  for (const name of ['checkpoint-a', 'checkpoint-b']) {
    const left = files.crash('process', new SeededRandom(1));
    left.damage(`data/${name}`, (bytes) => void (bytes[50]! ^= 1));
    const recovered = await openLog(left, smallLimits);
    assert.deepEqual(offsets(await readAll(recovered.log.partition(1)!)), expected);
    assert.deepEqual(
      recovered.host.damage.map(({ kind }) => kind),
      ['checkpoint'],
    );
    await recovered.log.close();
  }
  await log.close();
});

test('no new index is made for a segment that compaction removes', async () => {
  const files = new MemoryFiles();
  const { log, partition } = await sealed(files, 200);
  const { baseOffset, endOffset } = partition.segments()[1]!;
  const name = `/1/${String(baseOffset).padStart(20, '0')}`;
  await log.close();
  // A place cannot be read once: the segment is walked and gets a new index, which takes its time.
  let failures = 0;
  let isHeld: () => void = () => {};
  const held = new Promise<void>((resolve) => (isHeld = resolve));
  const open = files.open.bind(files);
  files.open = async (path, options) => {
    if (path.endsWith(`${name}.timeindex`) && options?.create) {
      isHeld();
      for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    const file = await open(path, options);
    const read = file.read.bind(file);
    file.read = (target, position) => {
      if (path.endsWith(`${name}.log`) && failures-- > 0)
        return Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }));
      return read(target, position);
    };
    return file;
  };
  const again = await openLog(files, smallLimits);
  failures = 1;
  const reopened = again.log.partition(1)!;
  const reading = reopened.load(baseOffset);
  await held;
  await reopened.compact(baseOffset, () => false);
  await reading;
  assert.ok(!reopened.segments().some((segment) => segment.baseOffset === baseOffset));
  assert.equal((await readAll(reopened, baseOffset))[0]!.offset, endOffset);
  assert.deepEqual(
    files.paths().filter((path) => path.includes(name)),
    [],
  );
  await again.log.close();
});
