import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultyFiles, type FileCall } from '../support/faulty-files.ts';
import { SeededRandom } from '../../src/util/index.ts';
import { append, openLog, readAll, smallLimits, until } from './kit.ts';

/** A hook that fails the chosen calls until it is reset. */
function shortage(
  files: FaultyFiles,
  code: string,
  when: (call: FileCall) => boolean,
): { end: () => void; hits: () => number } {
  let hits = 0;
  files.before = (call) => {
    if (!when(call)) return undefined;
    hits++;
    return { code };
  };
  return {
    end: () => {
      files.before = undefined;
    },
    hits: () => hits,
  };
}

test('with no room for the next journal file commits wait, and go on when there is room', async () => {
  const files = new FaultyFiles();
  const { log, host, clock } = await openLog(files, { ...smallLimits, checkpointBytes: 1e9 });
  const partition = host.create(1);
  await log.flush();
  await until(() => files.paths().filter((path) => path.endsWith('.journal')).length === 2);
  const full = shortage(
    files,
    'ENOSPC',
    ({ kind, path }) => kind === 'write' && path.includes('.journal.new'),
  );
  while (log.stalled === undefined) {
    append(partition, 'x'.repeat(3000));
    await log.flush();
  }
  for (let i = 0; i < 30; i++) append(partition, 'x'.repeat(3000)); // more than the rest of any file
  const pending = log.flush();
  const acked = partition.durableEnd;
  assert.equal(log.stalled?.code, 'disk-full');
  assert.equal(log.congested, true);
  assert.equal(host.failure, undefined);
  for (let turn = 0; turn < 20; turn++) {
    clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(partition.durableEnd, acked);
  full.end();
  clock.advance(5000);
  await pending;
  assert.equal(partition.durableEnd, partition.endOffset);
  assert.equal(log.stalled, undefined);
  await until(() => !log.congested);
  await log.close();
});

test('segments that cannot be written keep their batches in memory and journal, and are written later', async () => {
  for (const code of ['ENOSPC', 'EMFILE']) {
    const files = new FaultyFiles();
    const { log, host, clock } = await openLog(files, smallLimits);
    const partition = host.create(1);
    await log.flush();
    const full = shortage(
      files,
      code,
      ({ kind, path }) => (kind === 'write' || kind === 'open') && path.includes('/topics/'),
    );
    for (let i = 0; i < 30; i++) {
      append(partition, 'x'.repeat(1000));
      await log.flush();
    }
    assert.ok(full.hits() > 0);
    assert.equal(host.failure, undefined);
    await assert.rejects(log.checkpoint(), { code: code === 'ENOSPC' ? 'disk-full' : 'files-exhausted' });
    assert.equal((await readAll(partition)).length, 30);
    const left = await openLog(files.crash('power', new SeededRandom(1)), smallLimits);
    assert.equal((await readAll(left.log.partition(1)!)).length, 30);
    await left.log.close();
    full.end();
    clock.advance(2000);
    await until(() => log.stats.unflushedBytes <= smallLimits.unflushedBytesMax!);
    await log.checkpoint();
    assert.equal((await readAll(partition)).length, 30);
    await log.close();
  }
});

test('the host is told when congestion is over, and not by a call of durable: nothing became durable', async () => {
  const files = new FaultyFiles();
  const { log, host, clock } = await openLog(files, smallLimits);
  const partition = host.create(1);
  await log.flush();
  const full = shortage(files, 'ENOSPC', ({ kind, path }) => kind === 'write' && path.includes('/topics/'));
  for (let i = 0; i < 30; i++) {
    append(partition, 'x'.repeat(1000));
    await log.flush();
  }
  assert.equal(log.congested, true);
  const before = host.durableCalls;
  assert.equal(host.relievedCalls, 0);
  full.end();
  clock.advance(2000);
  await until(() => host.relievedCalls > 0);
  assert.equal(host.durableCalls, before);
  assert.equal(log.congested, false);
  await log.close();
});

test('a start without room says so, and works when there is', async () => {
  const files = new FaultyFiles({ totalBytes: 3000 });
  await assert.rejects(openLog(files, smallLimits), { code: 'disk-full' });
  files.freeBytes = 1e9;
  const { log } = await openLog(files, smallLimits);
  await log.close();
});

test('a close without room for the last checkpoint says so, and loses nothing', async () => {
  const files = new FaultyFiles();
  const { log, host } = await openLog(files, smallLimits);
  append(host.create(1), 'kept');
  await log.flush();
  shortage(files, 'ENOSPC', ({ kind, path }) => kind === 'write' && path.includes('checkpoint')).hits();
  await assert.rejects(log.close(), { code: 'disk-full' });
  files.before = undefined;
  const again = await openLog(files, smallLimits);
  assert.equal((await readAll(again.log.partition(1)!)).length, 1);
  await again.log.close();
});

test('a checkpoint without room gives up the segments it no longer lists first, and no start misses them', async () => {
  const files = new FaultyFiles();
  const { log, host } = await openLog(files, smallLimits);
  const partition = host.create(1);
  for (let i = 0; i < 40; i++) append(partition, 'x'.repeat(900));
  await log.checkpoint();
  await log.checkpoint();
  const segments = (): string[] => files.paths().filter((path) => path.endsWith('.log'));
  const before = segments();
  assert.ok(before.length > 3);
  host.trim(1, 30);
  const full = shortage(files, 'ENOSPC', ({ kind, path }) => kind === 'write' && path.includes('checkpoint'));
  await assert.rejects(log.checkpoint(), { code: 'disk-full' });
  assert.ok(segments().length < before.length);
  const after = files.crash('power', new SeededRandom(3));
  full.end();
  await log.close();

  const again = await openLog(after, smallLimits);
  assert.deepEqual(again.host.damage, []);
  assert.equal((await readAll(again.log.partition(1)!)).length, 10);
  await again.log.checkpoint();
  await again.log.checkpoint();
  await again.log.close();
});

test('a checkpoint goes on in the room that the segments it gave up left', async () => {
  const files = new FaultyFiles();
  const { log, host } = await openLog(files, smallLimits);
  const partition = host.create(1);
  for (let i = 0; i < 40; i++) append(partition, 'x'.repeat(900));
  await log.checkpoint();
  await log.checkpoint();
  const countSegments = (): number => files.paths().filter((path) => path.endsWith('.log')).length;
  const before = countSegments();
  host.trim(1, 30);
  const isCheckpoint = ({ kind, path }: FileCall): boolean => kind === 'write' && path.includes('checkpoint');
  const full = shortage(files, 'ENOSPC', (call) => isCheckpoint(call) && countSegments() === before);
  await log.checkpoint();
  assert.equal(full.hits(), 1);
  await log.close();
});

test('a segment whose messages are all removed is not written to again', async () => {
  const files = new FaultyFiles();
  const { log, host } = await openLog(files, { segmentBytesMax: 2 ** 20 });
  const partition = host.create(1);
  for (let i = 0; i < 60; i++) append(partition, 'x'.repeat(5000));
  await log.checkpoint();
  host.trim(1, 60);
  await log.flush();
  // Publishes go on before the next checkpoint: enough to be flushed without one.
  for (let i = 0; i < 60; i++) append(partition, 'x'.repeat(5000));
  await log.flush();
  await until(() => log.unflushedBytes === 0);
  await log.checkpoint();
  const segments = files.paths().filter((path) => path.endsWith('.log'));
  assert.deepEqual(
    segments.map((path) => Number(path.slice(-24, -4))),
    [60],
  );
  await log.close();
});

test('what gives room back is committed in the reserve of a journal file that is used up', async () => {
  const files = new FaultyFiles();
  let first: string | undefined;
  files.before = ({ kind, path }) =>
    kind === 'write' && path.includes('.journal.new') && (first ??= path) !== path
      ? { code: 'ENOSPC' }
      : undefined;
  const { log, clock } = await openLog(files, { ...smallLimits, checkpointBytes: 1e9 });
  const commits = async (): Promise<boolean> => {
    log.record(1, 1, new Uint8Array(10)); // a block
    const late = (async () => {
      for (let turn = 0; turn < 30; turn++) {
        clock.advance(100);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return false;
    })();
    return Promise.race([log.flush().then(() => true), late]);
  };
  while (await commits());
  assert.equal(await commits(), false);
  log.useReserve();
  assert.equal(await commits(), true);
  files.before = undefined;
  clock.advance(5000);
  await log.close();
});
