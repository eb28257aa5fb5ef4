import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryFiles } from '../../src/log/index.ts';
import { append, openLog, readAll, until, values } from './kit.ts';

test('a volatile partition can be read at once, never touches the disk, and is empty after a restart', async () => {
  const files = new MemoryFiles();
  const { log, host } = await openLog(files);
  const partition = log.openPartition(7, { volatile: true });
  const grown: number[] = [];
  host.onVolatileGrew = (touched) => grown.push(...touched.map(({ id }) => id));
  const before = host.durableCalls;
  for (let i = 0; i < 2500; i++) append(partition, `value ${i}`);
  assert.equal(partition.durableEnd, 2500);
  assert.deepEqual(
    values(await readAll(partition)),
    Array.from({ length: 2500 }, (_, i) => `value ${i}`),
  );
  append(partition, 'more');
  assert.equal((await readAll(partition, 2500))[0]!.value, 'more');
  await until(() => grown.length > 0);
  assert.deepEqual(grown, [7]);
  assert.equal(host.durableCalls, before);
  await log.close();
  assert.deepEqual(
    files.paths().filter((path) => path.includes('/topics/')),
    [],
  );
  const again = await openLog(files);
  assert.equal(again.log.openPartition(7, { volatile: true }).endOffset, 0);
  await again.log.close();
});

test('it is trimmed from the front and counts its bytes', async () => {
  const { log } = await openLog(new MemoryFiles());
  const partition = log.openPartition(7, { volatile: true, startOffset: 10 });
  for (let i = 0; i < 3000; i++) append(partition, 'x'.repeat(100), { timestampMs: 1000 + i });
  const bytes = partition.bytesFrom(0);
  assert.ok(bytes > 300_000);
  assert.equal(await partition.offsetAtTime(2000), 1010);
  partition.trim(2500);
  assert.deepEqual([partition.startOffset, partition.endOffset], [2500, 3010]);
  assert.ok(partition.bytesFrom(0) < bytes / 3);
  assert.equal((await readAll(partition)).filter(({ offset }) => offset >= 2500).length, 510);
  partition.trim(partition.endOffset);
  assert.deepEqual(await readAll(partition), []);
  assert.equal(partition.bytesFrom(0), 0);
  assert.equal(append(partition, 'next'), 3010);
  await log.deletePartition(7);
  assert.throws(() => append(partition, 'x'), { code: 'partition-deleted' });
  await log.close();
});
