import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultyFiles } from '../support/faulty-files.ts';
import { decodeJournalHeader, encodeJournalHeader } from '../../src/log/journal-file.ts';
import { SeededRandom } from '../../src/util/index.ts';
import { append, openLog, readAll, smallLimits } from './kit.ts';

test('commits larger than the rest of a file, and larger than a whole file, find room and are recovered', async () => {
  const files = new FaultyFiles();
  const { log, host } = await openLog(files, { ...smallLimits, checkpointBytes: 1e9 });
  const partition = host.create(1);
  const sizes = [100, 9000, 9000, 40_000, 100, 300_000, 20_000, 5, 150_000, 100];
  for (const size of sizes) {
    append(partition, 'x'.repeat(size));
    await log.flush();
  }
  for (const mode of ['process', 'power'] as const) {
    const left = await openLog(files.crash(mode, new SeededRandom(2)), smallLimits);
    assert.deepEqual(left.host.damage, []);
    assert.deepEqual(
      (await readAll(left.log.partition(1)!)).map(({ value }) => value.length),
      sizes,
    );
    await left.log.close();
  }
  await log.close();
});

test('a commit of a great many partitions is one commit', async () => {
  const files = new FaultyFiles();
  const { log, host } = await openLog(files, smallLimits);
  for (let id = 1; id <= 3000; id++) append(host.create(id), `to ${id}`);
  await log.flush();
  const left = await openLog(files.crash('power', new SeededRandom(2)), smallLimits);
  assert.equal(left.log.stats.recovery.commits, 1);
  for (const id of [1, 1500, 3000]) {
    assert.deepEqual(await readAll(left.log.partition(id)!), [{ offset: 0, value: `to ${id}` }]);
  }
  await left.log.close();
  await log.close();
});

test('journal files are used again, and the disk they take stays within bounds', async () => {
  const files = new FaultyFiles();
  const { log, host } = await openLog(files, smallLimits);
  const partition = host.create(1);
  let created = 0;
  let recycled = 0;
  files.before = ({ kind, path, to }) => {
    if (kind !== 'rename' || !to!.endsWith('.journal')) return undefined;
    if (path.endsWith('.new')) created++;
    else recycled++;
    return undefined;
  };
  for (let i = 0; i < 300; i++) {
    append(partition, 'x'.repeat(2000));
    await log.flush();
    assert.ok(log.stats.journalDiskBytes < 300_000, `${log.stats.journalDiskBytes} bytes of journal`);
  }
  assert.ok(recycled > created, `${recycled} recycled, ${created} created`);
  await log.close();
});

test('a journal file is written with zeros, synced and named before a commit goes into it', async () => {
  const files = new FaultyFiles();
  const ready = new Set<string>();
  const filled = new Set<string>();
  files.before = ({ kind, path, to, syncWrites, position }) => {
    if (kind === 'sync' && path.endsWith('.journal.new')) filled.add(path);
    if (kind === 'rename' && to!.endsWith('.journal') && (filled.has(path) || !path.endsWith('.new')))
      ready.add(to!);
    if (kind === 'write' && syncWrites && path.endsWith('.journal') && position! > 0)
      assert.ok(ready.has(path), path);
    return undefined;
  };
  const { log, host } = await openLog(files, smallLimits);
  const partition = host.create(1);
  for (let i = 0; i < 50; i++) {
    append(partition, 'x'.repeat(2000));
    await log.flush();
  }
  assert.ok(ready.size > 3);
  await log.close();
});

test('the header of a journal file proves itself', () => {
  const header = {
    uuid: new Uint8Array(16).fill(3),
    start: 2 ** 40,
    capacity: 65_536,
    previousStart: -1,
    previousEnd: 0,
    uses: 7,
  };
  const block = encodeJournalHeader(header);
  assert.equal(block.length, 512);
  assert.deepEqual(decodeJournalHeader(block), header);
  for (let bit = 0; bit < 52 * 8; bit++) {
    const flipped = Uint8Array.from(block);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(decodeJournalHeader(flipped), undefined);
  }
});
