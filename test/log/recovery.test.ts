import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Log } from '../../src/log/index.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { SeededRandom } from '../../src/util/index.ts';
import { append, openLog, readAll, smallLimits, values, type TestHost } from './kit.ts';

const random = new SeededRandom(3);

/**
 * A log with partition 1 of records r0, r1, …, each in a commit of its own with the text of the same number;
 * then the process dies.
 */
async function crashed(
  count: number,
  during?: (log: Log, i: number) => Promise<void>,
): Promise<{ files: FaultyFiles; positions: number[] }> {
  const files = new FaultyFiles();
  const positions: number[] = [];
  files.before = ({ kind, path, position, syncWrites }) => {
    if (kind === 'write' && syncWrites && path.startsWith('data/journal/') && position! > 0)
      positions.push(position!);
    return undefined;
  };
  const { log, host } = await openLog(files, smallLimits);
  host.create(1);
  await log.flush();
  for (let i = 0; i < count; i++) {
    append(log.partition(1)!, `r${i}`);
    host.put(1, 1, `t${i}`);
    host.put(1, 100 + i, 'noted');
    await log.flush();
    await during?.(log, i);
  }
  return { files: files.crash('process', random), positions: positions.slice(1) };
}

const journal = 'data/journal/0000000000000000.journal';

function flip(files: FaultyFiles, path: string, at: number): void {
  files.damage(path, (bytes) => {
    bytes[at]! ^= 0x10;
  });
}

async function recover(files: FaultyFiles): Promise<{ log: Log; host: TestHost; read: string[] }> {
  const { log, host } = await openLog(files, smallLimits);
  return { log, host, read: values(await readAll(log.openPartition(1))) };
}

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `r${from + i}`);
}

test('after a crash everything durable is there, and appending goes on', async () => {
  const { files } = await crashed(20);
  const { log, host, read } = await recover(files);
  assert.deepEqual(read, range(0, 20));
  assert.equal(host.state.texts['1'], 't19');
  assert.equal(log.stats.recovery.cleanStop, false);
  assert.equal(log.stats.recovery.commits, 21);
  assert.equal(append(log.partition(1)!, 'r20'), 20);
  await log.flush();
  assert.deepEqual(values(await readAll(log.partition(1)!)), range(0, 21));
  await log.close();
});

test('a clean stop leaves nothing to replay', async () => {
  const files = new FaultyFiles();
  const first = await openLog(files, smallLimits);
  const partition = first.host.create(1);
  for (let i = 0; i < 200; i++) append(partition, `r${i}`);
  await first.log.close();
  const { log, host, read } = await recover(files);
  assert.equal(log.stats.recovery.cleanStop, true);
  assert.equal(log.stats.recovery.commits, 0);
  assert.deepEqual(host.replayed, []);
  assert.deepEqual(read, range(0, 200));
  await log.close();
});

test('a stop is clean once: after the next crash the journal is read again', async () => {
  const files = new FaultyFiles();
  const first = await openLog(files, smallLimits);
  append(first.host.create(1), 'r0');
  await first.log.close();
  const second = await openLog(files, smallLimits);
  append(second.log.partition(1)!, 'r1');
  await second.log.flush();
  const { log, read } = await recover(files.crash('process', random));
  assert.equal(log.stats.recovery.cleanStop, false);
  assert.deepEqual(read, ['r0', 'r1']);
  await log.close();
});

test('the mark of a clean stop never outlives the next start, whatever is damaged later', async () => {
  const files = new FaultyFiles();
  const first = await openLog(files, smallLimits);
  append(first.host.create(1), 'r0');
  await first.log.close();
  const second = await openLog(files, smallLimits);
  const position = 512 + 512; // behind the header block and the first commit
  for (const text of ['r1', 'r2']) {
    append(second.log.partition(1)!, text);
    await second.log.flush();
  }
  for (let seed = 0; seed < 10; seed++) {
    const left = files.crash('power', new SeededRandom(seed));
    assert.equal(left.bytes('data/clean-stop'), undefined);
    flip(left, journal, position + 20);
    const { log, host, read } = await recover(left);
    assert.deepEqual(read, ['r0', 'r2']);
    assert.ok(host.damage.length > 0);
    await log.close();
  }
  await second.log.close();
});

test('a torn last commit is ignored, and a copy kept', async () => {
  const { files, positions } = await crashed(10);
  files.damage(journal, (bytes) => bytes.fill(0, positions[9]! + 100, positions[9]! + 512));
  const { log, host, read } = await recover(files);
  assert.deepEqual(read, range(0, 9));
  assert.equal(host.state.texts['1'], 't8');
  assert.deepEqual(host.damage, []);
  assert.ok(log.stats.recovery.tornBytes > 0);
  assert.deepEqual(log.stats.quarantined, ['quarantine/torn-commit-11']);
  append(log.partition(1)!, 'again');
  await log.flush();
  await log.close();
  const again = await recover(files);
  assert.deepEqual(again.read, [...range(0, 9), 'again']);
  await again.log.close();
});

test('a torn last commit stays cut when the next one, of its number, goes to another file', async () => {
  const { files, positions } = await crashed(10);
  files.damage(journal, (bytes) => bytes.fill(0, positions[9]! + 100, positions[9]! + 512));
  const { log } = await recover(files);
  append(log.partition(1)!, 'x'.repeat(14_000)); // more than is left of this file
  await log.flush();
  append(log.partition(1)!, 'again');
  await log.flush();
  for (const mode of ['process', 'power'] as const) {
    const { log: next, host, read } = await recover(files.crash(mode, random));
    assert.deepEqual(read, [...range(0, 9), 'x'.repeat(14_000), 'again']);
    assert.equal(next.stats.recovery.tornBytes, 0);
    assert.deepEqual(host.damage, []);
    await next.close();
  }
  await log.close();
});

test('a last commit whose header is ruined is noticed too', async () => {
  const { files, positions } = await crashed(10);
  flip(files, journal, positions[9]! + 6);
  const { log, read } = await recover(files);
  assert.deepEqual(read, range(0, 9));
  assert.ok(log.stats.recovery.tornBytes > 0);
  await log.close();
});

test('damage in the middle of the journal is isolated: intact parts of that commit and later commits are served', async () => {
  const { files, positions } = await crashed(10);
  flip(files, journal, positions[4]! + 48 + 3 * 16 + 30); // in the batch, behind header and table
  const { log, host, read } = await recover(files);
  assert.deepEqual(read, [...range(0, 4), ...range(5, 10)]);
  assert.equal(host.state.texts['1'], 't9');
  assert.equal(log.partition(1)!.endOffset, 10);
  assert.equal(host.state.texts['104'], 'noted', 'the same commit, but intact');
  const [lost, commit] = host.damage;
  assert.deepEqual([lost!.partitionId, lost!.fromOffset, lost!.toOffset], [1, 4, 5]);
  assert.match(commit!.message, /Commit 6 is damaged: a batch of partition 1 lost/);
  assert.ok(files.bytes(`data/${commit!.quarantined}`)!.length > 100);
  await log.close();
});

test('a commit whose header is damaged is lost alone', async () => {
  const { files, positions } = await crashed(10);
  flip(files, journal, positions[4]! + 20);
  const { log, host, read } = await recover(files);
  assert.deepEqual(read, [...range(0, 4), ...range(5, 10)]);
  assert.ok(host.damage.some(({ message }) => /Commits 6 to 6 are damaged beyond reading/.test(message)));
  assert.ok(
    host.damage.some(
      ({ partitionId, fromOffset, toOffset }) => partitionId === 1 && fromOffset === 4 && toOffset === 5,
    ),
  );
  await log.close();
});

test('offsets of lost records are not used again, and the gap is passed over by readers', async () => {
  const { files, positions } = await crashed(10);
  flip(files, journal, positions[4]! + 20);
  const { log } = await recover(files);
  await log.close();
  const again = await recover(files);
  assert.deepEqual(again.host.damage, []);
  assert.deepEqual(
    (await readAll(again.log.partition(1)!)).map(({ offset }) => offset),
    [0, 1, 2, 3, 5, 6, 7, 8, 9],
  );
  assert.equal((await again.log.partition(1)!.load(4))!.baseOffset, 5);
  await again.log.close();
});

test('nor are those of a partition whose last records are lost, for any remains of their commit', async () => {
  // In the header, nothing is left of the commit; in the payload, the batch alone.
  for (const at of [20, 48 + 3 * 16 + 30]) {
    const { files, positions } = await crashed(4, async (log, i) => {
      if (i < 3) return;
      const other = log.partition(2) ?? log.openPartition(2);
      append(other, 'of another partition');
      await log.flush();
    });
    flip(files, journal, positions[3]! + at);
    const { log, host } = await recover(files);
    const end = log.partition(1)!.endOffset;
    assert.ok(end > 3, `offset ${end} had a record`);
    const [lost] = host.damage.filter(({ partitionId }) => partitionId === 1);
    assert.deepEqual([lost?.fromOffset, lost?.toOffset], [3, end]);
    append(log.partition(1)!, 'new');
    await log.close();
    const again = await recover(files);
    assert.deepEqual(await readAll(again.log.partition(1)!).then((all) => all.map(({ offset }) => offset)), [
      0,
      1,
      2,
      end,
    ]);
    await again.log.close();
  }
});

/** A log whose journal files were recycled many times; it died after its last commit. */
async function recycled(): Promise<FaultyFiles> {
  const files = new FaultyFiles();
  const { log, host } = await openLog(files, { ...smallLimits, checkpointBytes: 1e9 });
  const partition = host.create(1);
  for (let i = 0; i < 48; i++) {
    for (let j = 0; j < 10; j++) append(partition, 'x'.repeat(1000));
    await log.flush();
    if (i % 10 === 9) await log.checkpoint();
  }
  assert.ok(log.stats.journalDiskBytes < 500_000, 'files were recycled');
  append(partition, 'last');
  await log.flush();
  return files.crash('process', random);
}

test('stale commits of a recycled journal file never pass', async () => {
  const { log, host, read } = await recover(await recycled());
  assert.deepEqual(host.damage, []);
  assert.equal(read.length, 481);
  assert.equal(read[480], 'last');
  assert.equal(log.stats.recovery.tornBytes, 0, 'nor for one that was torn');
  await log.close();
});

test('journal files that the older checkpoint needs are not recycled', async () => {
  const files = await recycled();
  for (const name of ['checkpoint-a', 'checkpoint-b']) {
    const copy = files.fork();
    flip(copy, `data/${name}`, 40);
    const { log, host, read } = await recover(copy);
    assert.equal(read.length, 481);
    assert.deepEqual(
      host.damage.map(({ kind }) => kind),
      ['checkpoint'],
    );
    await log.close();
  }
});

test('a damaged checkpoint is replaced by the one before it and the journal behind that', async () => {
  const { files } = await crashed(30, async (log, i) => {
    if (i === 9 || i === 19) await log.checkpoint();
  });
  for (const name of ['checkpoint-a', 'checkpoint-b']) {
    const copy = files.fork();
    flip(copy, `data/${name}`, 130);
    const { log, host, read } = await recover(copy);
    assert.deepEqual(read, range(0, 30));
    assert.equal(host.state.texts['1'], 't29');
    assert.deepEqual(
      host.damage.map(({ kind, path, quarantined }) => ({ kind, path, quarantined })),
      [{ kind: 'checkpoint', path: name, quarantined: `quarantine/${name}` }],
    );
    assert.match(host.damage[0]!.message, /nothing is lost/);
    await log.close();
  }
});

test('with both checkpoints damaged it reports the loss, keeps every message and removes nothing', async () => {
  const { files } = await crashed(60, async (log, i) => {
    if (i % 10 === 9) await log.checkpoint();
  });
  const segments = files.paths().filter((path) => path.includes('/topics/'));
  flip(files, 'data/checkpoint-a', 90);
  flip(files, 'data/checkpoint-b', 90);
  const { log, host } = await openLog(files, smallLimits);
  assert.ok(
    host.damage.some(({ message }) =>
      /definitions and positions .* are lost; all messages are kept/.test(message),
    ),
  );
  assert.deepEqual(log.orphans.length + [...log.partitions()].length, 1);
  assert.deepEqual(values(await readAll(log.openPartition(1))), range(0, 60));
  for (const path of segments) assert.ok(files.bytes(path) !== undefined, path);
  host.state.partitions['1'] ??= 0;
  append(log.partition(1)!, 'r60');
  await log.close();
  const again = await recover(files);
  assert.deepEqual(again.read, range(0, 61));
  await again.log.close();
});

test('a partition the host does not open is kept', async () => {
  const files = new FaultyFiles();
  const first = await openLog(files, smallLimits);
  append(first.host.create(1), 'kept');
  await first.log.flush();
  delete first.host.state.partitions['1']; // the host forgets it, without saying so
  await first.log.close();
  for (let round = 0; round < 2; round++) {
    const { log, host } = await openLog(files, smallLimits);
    assert.deepEqual(log.orphans, [1]);
    assert.equal(log.partition(1), undefined);
    assert.deepEqual(host.damage, []);
    await log.close();
  }
  const { log, read } = await recover(files);
  assert.deepEqual(read, ['kept']);
  assert.deepEqual(log.orphans, []);
  await log.close();
});

test('unknown files after a crash are set aside, not removed', async () => {
  const { files } = await crashed(5, async (log, i) => {
    if (i === 3) await log.checkpoint();
  });
  const put = async (path: string): Promise<void> => {
    const file = await files.open(path, { create: true });
    await file.write(Buffer.from(path), 0);
    await file.close();
  };
  await files.makeDir('data/topics/99');
  await put('data/topics/99/00000000000000000000.log');
  await files.makeDir('data/topics/strange');
  await put('data/topics/strange/file');
  await put('data/topics/1/notes.txt');
  await put('data/journal/readme');
  const { log, host, read } = await recover(files);
  assert.deepEqual(read, range(0, 5));
  assert.deepEqual(
    host.damage.map(({ kind }) => kind),
    ['unknown-file', 'unknown-file', 'unknown-file', 'unknown-file'],
  );
  const kept = files.paths().filter((path) => path.includes('/quarantine/'));
  assert.deepEqual(kept, [
    'data/quarantine/1-notes.txt',
    'data/quarantine/journal-readme',
    'data/quarantine/topics-99/00000000000000000000.log.aside',
    'data/quarantine/topics-strange/file',
  ]);
  await log.close();
});

test('a partition whose deletion was cut short does not come back with a power loss after the next checkpoint', async () => {
  const files = new FaultyFiles();
  const { log, host } = await openLog(files, smallLimits);
  append(host.create(1), 'r0');
  append(host.create(2), 'stays');
  await log.checkpoint();
  let removed: FaultyFiles | undefined;
  files.before = ({ kind, path }) => {
    if (kind === 'sync-dir' && path === 'data/topics') removed ??= files.crash('process', random);
    return undefined;
  };
  host.drop(1);
  await log.close();
  const second = await openLog(removed!, smallLimits);
  await second.log.checkpoint();
  for (let seed = 0; seed < 10; seed++) {
    const third = await recover(removed!.crash('power', new SeededRandom(seed)));
    assert.deepEqual(third.host.damage, []);
    await third.log.close();
  }
  await second.log.close();
});

test('a lost or damaged identity is restored from the journal', async () => {
  for (const harm of [
    (files: FaultyFiles) => flip(files, 'data/identity', 15),
    (files: FaultyFiles) => void files.remove('data/identity'),
  ]) {
    const { files } = await crashed(3);
    harm(files);
    const { log, host, read } = await recover(files);
    assert.deepEqual(read, range(0, 3));
    assert.equal(host.damage[0]!.kind, 'identity');
    await log.close();
    const again = await recover(files);
    assert.deepEqual(again.host.damage, []);
    await again.log.close();
  }
});

test('a commit whose sync failed, and which the next start reads and serves, survives a power loss after that start', async () => {
  for (let seed = 0; seed < 10; seed++) {
    const files = new FaultyFiles({ random: new SeededRandom(seed) });
    const { log, host } = await openLog(files, smallLimits);
    append(host.create(1), 'r0');
    await log.flush();
    files.before = (call) =>
      call.kind === 'write' && call.syncWrites ? { code: 'EIO', written: call.bytes!.length } : undefined;
    append(log.partition(1)!, 'r1');
    await assert.rejects(log.flush(), { code: 'io-failed' });
    files.before = undefined;
    await log.close();
    const shown = files.crash('process', random);
    const { read } = await recover(shown);
    assert.deepEqual(read, ['r0', 'r1'], 'the system shows it');
    const left = await recover(shown.crash('power', new SeededRandom(seed)));
    assert.deepEqual(left.read, ['r0', 'r1']);
    await left.log.close();
  }
});

test('journal files ahead of the last commit, and one half filled with zeros, are no obstacle', async () => {
  const { files } = await crashed(3);
  const file = await files.open('data/journal/0000000000020000.journal.new', { create: true });
  await file.write(Buffer.alloc(5000), 0);
  await file.close();
  const { log, host, read } = await recover(files);
  assert.deepEqual(read, range(0, 3));
  assert.deepEqual(host.damage, []);
  await log.close();
});
