import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Files, type Log, type PartitionLog } from '../../src/log/index.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { walkSegment } from '../../src/log/segment-walk.ts';
import { type TestHost, append, openLog, readAll, readBatches, smallLimits } from './kit.ts';

const name = 'data/topics/1/00000000000000000000';

/** A log that was closed with some segments, of batches of five records. */
async function written(records = 200): Promise<FaultyFiles> {
  const files = new FaultyFiles();
  const { log, host } = await openLog(files, smallLimits);
  const partition = host.create(1);
  for (let i = 0; i < records; i++) {
    append(partition, `value ${i} ${'.'.repeat(50)}`);
    if (i % 5 === 4) await log.flush();
  }
  await log.close();
  return files;
}

async function open(files: FaultyFiles): Promise<{ log: Log; host: TestHost; partition: PartitionLog }> {
  const { log, host } = await openLog(files, smallLimits);
  return { log, host, partition: log.partition(1)! };
}

function missing(read: readonly { offset: number }[], end: number): number[] {
  const there = new Set(read.map(({ offset }) => offset));
  return Array.from({ length: end }, (_, offset) => offset).filter((offset) => !there.has(offset));
}

test('a damaged batch is lost alone, reported once, and kept aside', async () => {
  const files = await written();
  const bytes = Buffer.from(files.bytes(`${name}.log`)!);
  const at = bytes.indexOf('value 12 ');
  files.damage(`${name}.log`, (content) => {
    content[at + 20]! ^= 1;
  });
  const { log, host, partition } = await open(files);
  assert.deepEqual(missing(await readAll(partition), 200), [10, 11, 12, 13, 14]);
  assert.deepEqual(missing(await readAll(partition, 12), 200).slice(-1), [14]);
  assert.equal(host.damage.length, 1);
  const { kind, partitionId, fromOffset, toOffset, quarantined } = host.damage[0]!;
  assert.deepEqual([kind, partitionId, fromOffset, toOffset], ['segment', 1, 10, 15]);
  assert.ok(Buffer.from(files.bytes(`data/${quarantined}`)!).includes('value 12 '));
  assert.ok(files.bytes(`${name}.log`)!.length === bytes.length, 'the segment stays as it is');
  await log.close();
});

test('a batch in the place of another is not served, though its own checksum is right', async () => {
  const files = await written();
  files.damage(`${name}.log`, (content) => {
    const batch = content.slice(0, 12 + new DataView(content.buffer, content.byteOffset).getInt32(8));
    content.set(batch, batch.length);
  });
  const { log, host, partition } = await open(files);
  const read = await readAll(partition);
  for (const { offset, value } of read) assert.ok(value.startsWith(`value ${offset} `));
  assert.ok(missing(read, 200).includes(5));
  assert.equal(host.damage.length, 1);
  await log.close();
});

test('a segment that ends too early, or is missing, loses the missing part and no more', async () => {
  for (const harm of [
    async (files: FaultyFiles) => {
      const file = await files.open(`${name}.log`);
      await file.truncate(1000);
    },
    (files: FaultyFiles) => files.remove(`${name}.log`),
  ]) {
    const files = await written();
    await harm(files);
    const { log, host, partition } = await open(files);
    const lost = missing(await readAll(partition), 200);
    const next = partition.segments()[1]!.baseOffset;
    assert.equal(lost[lost.length - 1], next - 1);
    assert.equal(host.damage.length, 1);
    assert.equal(host.damage[0]!.toOffset, next);
    assert.equal(host.damage[0]!.fromOffset, lost[0]);
    assert.equal(append(partition, 'more'), 200);
    await log.close();
  }
});

test('a place that the disk cannot read is damage like any other', async () => {
  const files = await written();
  files.before = ({ kind, path, position, bytes }) =>
    kind === 'read' && path === `${name}.log` && position! <= 1200 && position! + bytes!.length > 1200
      ? { code: 'EIO' }
      : undefined;
  const { log, host, partition } = await open(files);
  const read = await readAll(partition);
  assert.ok(read.length > 100);
  assert.ok(host.damage.some(({ kind }) => kind === 'segment'));
  await log.close();
});

test('one read that goes wrong is read again', async () => {
  const files = await written();
  let flips = 0;
  files.before = ({ kind, path }) =>
    kind === 'read' && path === `${name}.log` && flips-- > 0 ? { kind: 'flip', bit: 3000 } : undefined;
  const { log, host, partition } = await open(files);
  flips = 1;
  assert.deepEqual(missing(await readAll(partition), 200), []);
  assert.deepEqual(host.damage, []);
  assert.equal(log.stats.indexesRebuilt, 1);
  await log.close();
});

test('a segment that is written to while it is looked at closely is not damaged', async () => {
  const files = await written(10);
  let reads = 0;
  files.before = ({ kind, path }) =>
    kind === 'read' && path === `${name}.log` && reads++ === 0 ? { kind: 'flip', bit: 3000 } : undefined;
  let writeMore = async (): Promise<void> => {};
  const { log, host } = await openLog(
    afterReads(files, () => (reads === 2 ? writeMore() : undefined)),
    smallLimits,
  );
  reads = 0;
  const partition = log.partition(1)!;
  writeMore = async () => {
    append(partition, 'more');
    await log.checkpoint();
  };
  assert.deepEqual(missing(await readAll(partition), 11), []);
  assert.ok(reads > 2);
  assert.deepEqual(host.damage, []);
  await log.close();
});

/** Files whose reads of the first segment resolve only after `work`. */
function afterReads(files: FaultyFiles, work: () => Promise<void> | undefined): Files {
  const open = files.open.bind(files);
  files.open = async (path, options) => {
    const file = await open(path, options);
    if (path !== `${name}.log`) return file;
    return {
      read: async (target, position) => {
        const count = await file.read(target, position);
        await work();
        return count;
      },
      write: (bytes, position) => file.write(bytes, position),
      sync: () => file.sync(),
      truncate: (bytes) => file.truncate(bytes),
      size: () => file.size(),
      identity: () => file.identity(),
      close: () => file.close(),
    };
  };
  return files;
}

test('an index is a cache: damaged, cut, stretched or gone, every record is found', async () => {
  const harms: ((files: FaultyFiles, suffix: string) => unknown)[] = [
    (files, suffix) => files.damage(name + suffix, (bytes) => bytes.fill(0xff)),
    (files, suffix) => files.damage(name + suffix, (bytes) => bytes.fill(0)),
    (files, suffix) => files.damage(name + suffix, (bytes) => void (bytes[bytes.length - 1]! ^= 4)),
    (files, suffix) => files.damage(name + suffix, (bytes) => void (bytes[3]! ^= 4)),
    async (files, suffix) => (await files.open(name + suffix)).truncate(5),
    async (files, suffix) => (await files.open(name + suffix)).truncate(1000),
    (files, suffix) => files.remove(name + suffix),
  ];
  for (const suffix of ['.index', '.timeindex']) {
    for (const harm of harms) {
      const files = await written();
      await harm(files, suffix);
      const { log, host, partition } = await open(files);
      for (let offset = 0; offset < 200; offset += 9) {
        const batch = (await partition.load(offset))!;
        assert.ok(batch.baseOffset <= offset && offset < batch.endOffset);
      }
      assert.equal(await partition.offsetAtTime(1000), 0);
      assert.equal(await partition.offsetAtTime(1001), 200);
      assert.deepEqual(host.damage, []);
      await log.close();
    }
  }
});

test('a walk finds all intact batches and the exact damage between them', async () => {
  const files = await written();
  const bytes = Uint8Array.from(files.bytes(`${name}.log`)!);
  const { log, partition } = await open(files);
  const endOffset = partition.segments()[0]!.endOffset;
  await log.close();
  const whole = walkSegment(bytes, bytes.length, 0, endOffset);
  assert.deepEqual(whole.damage, []);
  assert.equal(whole.positions.length, endOffset / 5);
  fc.assert(
    fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
      const flipped = Uint8Array.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const { positions, damage } = walkSegment(flipped, flipped.length, 0, endOffset);
      const hit = whole.positions.findLastIndex((position) => position <= bit >> 3);
      const inEpoch = ((bit >> 3) - whole.positions[hit]!) >> 2 === 3;
      if (inEpoch) return; // the leader epoch is not covered, and not used
      assert.deepEqual(
        positions,
        whole.positions.filter((_, i) => i !== hit),
      );
      assert.equal(damage.length, 1);
      assert.deepEqual([damage[0]!.fromOffset, damage[0]!.toOffset], [hit * 5, hit * 5 + 5]);
    }),
    { numRuns: 400 },
  );
});

test('bytes of a message that look like a batch do not pass for one after damage', async () => {
  const files = new FaultyFiles();
  const { log, host } = await openLog(files, { ...smallLimits, segmentBytesMax: 100_000 });
  const partition = host.create(1);
  append(partition, 'first');
  await log.flush();
  append(partition, 'forged');
  await log.flush();
  const forged = Buffer.from((await readBatches(partition, 1))[0]!).toString('latin1');
  // The batch after it holds, as a value, an intact batch of offset 1, and is damaged itself.
  append(partition, `${'z'.repeat(80)}${forged}${'z'.repeat(80)}`);
  await log.flush();
  append(partition, 'last');
  await log.close();
  files.damage(`${name}.log`, (bytes) => {
    const second = Buffer.from(bytes).indexOf('forged') - 75;
    for (let at = second; at < bytes.length - 100; at++) if (bytes[at] === 0x7a) bytes[at] = 0x7b;
  });
  const reopened = await openLog(files, smallLimits);
  const read = await readAll(reopened.log.partition(1)!);
  assert.ok(read.every(({ value }) => ['first', 'forged', 'last'].includes(value)));
  assert.deepEqual(
    read.map(({ offset }) => offset),
    [0, 1, 3],
  );
  await reopened.log.close();
});
