import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MemoryFiles, type Log } from '../../src/log/index.ts';
import { append, openLog, readAll, smallLimits, values, type TestHost } from './kit.ts';

/**
 * Records r0, r1, … of partition 1, a commit each; the process dies. `beats`: its heart beat a moment before.
 */
async function killed(
  count: number,
  { beats = true, checkpointAt = -1 }: { beats?: boolean; checkpointAt?: number } = {},
): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  const { log, host, clock } = await openLog(files, smallLimits);
  host.create(1);
  for (let i = 0; i < count; i++) {
    append(log.partition(1)!, `r${i} ${'.'.repeat(200)}`);
    await log.flush();
    if (i === checkpointAt) await log.checkpoint();
  }
  if (beats) {
    clock.advance(1000);
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  const left = files.copy();
  await log.close();
  return left;
}

function journalsOf(files: MemoryFiles): string[] {
  return files.paths().filter((path) => path.endsWith('.journal'));
}

/** The file that commits went to last: the one before the one that is ready to take more. */
function newestOf(files: MemoryFiles): string {
  return journalsOf(files).at(-2)!;
}

async function truncate(files: MemoryFiles, path: string, share: number): Promise<void> {
  const file = await files.open(path);
  await file.truncate(Math.floor((await file.size()) * share));
}

async function recover(files: MemoryFiles): Promise<{ log: Log; host: TestHost; read: string[] }> {
  const { log, host } = await openLog(files, smallLimits);
  const read = values(await readAll(log.openPartition(1))).map((value) => value.split(' ')[0]!);
  return { log, host, read };
}

/** The loss is reported, no lost offset is used again, and the log goes on. */
async function judge(files: MemoryFiles, count: number, complaint: RegExp): Promise<void> {
  const { log, host, read } = await recover(files);
  assert.ok(read.length < count, 'this harm loses something');
  assert.deepEqual(
    read,
    Array.from({ length: read.length }, (_, i) => `r${i}`),
  );
  const messages = host.damage.map(({ message }) => message).join('\n');
  assert.match(messages, complaint);
  const offset = append(log.partition(1)!, 'more');
  assert.ok(offset >= count, `offset ${offset} had been given out`);
  await log.flush();
  for (const left of [files.copy(), files]) {
    if (left === files) await log.close();
    const again = await recover(left);
    assert.deepEqual(again.read, [...read, 'more']);
    await again.log.close();
  }
}

describe('after a kill', () => {
  for (const [what, harm, complaint] of [
    ['removed', (files: MemoryFiles) => files.remove(newestOf(files)), /journal is missing/],
    [
      'empty',
      (files: MemoryFiles) => truncate(files, newestOf(files), 0),
      /0 of 16384 bytes: it was cut short/,
    ],
    ['half as long', (files: MemoryFiles) => truncate(files, newestOf(files), 0.5), /8192 of 16384 bytes/],
  ] as const) {
    for (const beats of [true, false]) {
      for (const count of [25, 56]) {
        test(`the newest journal file is ${what}: that is damage (${count} commits, ${beats ? 'after' : 'before'} a heartbeat)`, async () => {
          const files = await killed(count, { beats, checkpointAt: 5 });
          await harm(files);
          await judge(files, count, complaint);
        });
      }
    }
  }

  test('all journal files are gone: the checkpoint names the one that must be there', async () => {
    const files = await killed(60, { checkpointAt: 20, beats: false });
    for (const path of journalsOf(files)) await files.remove(path);
    await judge(files, 60, /journal is missing/);
  });

  test('the last commit that is known to have been on disk rots: it is damaged, and not torn', async () => {
    const files = await killed(10);
    const bytes = files.bytes(journalsOf(files)[0]!)!;
    const last = bytes.findLastIndex((byte) => byte !== 0);
    bytes[last]! ^= 1;
    const { log, host, read } = await recover(files);
    assert.equal(read.length, 9);
    assert.match(host.damage.map(({ message }) => message).join('\n'), /Commit 10 is damaged/);
    await log.close();
  });

  test('an older form of the newest journal file is put back: its end is known to be missing', async () => {
    const files = await killed(20, { checkpointAt: 5 });
    const old = await killed(8, { checkpointAt: 5 });
    const path = journalsOf(files)[0]!;
    files.bytes(path)!.set(old.bytes(path)!);
    await judge(files, 20, /ends too early.*Commits 9 to 20 are lost/);
  });

  test('two journal files that change places are set aside, and their content is reported', async () => {
    const files = await killed(100);
    const [first, second] = journalsOf(files).slice(-3);
    await files.rename(first!, 'data/x');
    await files.rename(second!, first!);
    await files.rename('data/x', second!);
    const { log, host, read } = await recover(files);
    assert.ok(read.length < 100);
    assert.match(host.damage.map(({ message }) => message).join('\n'), /has the header of another file/);
    await log.close();
  });

  test('a file that comes back after the journal went on without it is not read', async () => {
    const files = await killed(60);
    const newest = newestOf(files);
    const bytes = Uint8Array.from(files.bytes(newest)!);
    await files.remove(newest);
    const { log, read } = await recover(files);
    append(log.partition(1)!, 'after');
    await log.flush();
    const left = files.copy();
    await log.close();
    for (const restored of [left, files]) {
      await (await restored.open(newest, { create: true })).write(bytes, 0);
      const again = await recover(restored);
      assert.deepEqual(again.read, [...read, 'after']);
      await again.log.close();
    }
  });

  test('the file of the owner is gone: that is told, and nothing else is lost', async () => {
    const files = await killed(20);
    await files.remove('data/owner');
    const { log, host, read } = await recover(files);
    assert.equal(read.length, 20);
    assert.deepEqual(
      host.damage.map(({ kind }) => kind),
      ['owner'],
    );
    await log.close();
  });

  test('everything but identity and owner is gone: the directory is not taken for a new one', async () => {
    const files = await killed(20);
    for (const path of files.paths()) if (!/identity|owner/.test(path)) await files.remove(path);
    const { log, host } = await openLog(files, smallLimits);
    assert.match(host.damage.map(({ message }) => message).join('\n'), /Commits 1 to 20 are lost/);
    await log.close();
  });
});

describe('checkpoints', () => {
  for (const name of ['checkpoint-a', 'checkpoint-b']) {
    test(`${name} is missing: told, and nothing is lost`, async () => {
      const files = await killed(60, { checkpointAt: 20 });
      await files.remove(`data/${name}`);
      const { log, host, read } = await recover(files);
      assert.equal(read.length, 60);
      assert.equal(host.damage.filter(({ kind }) => kind === 'checkpoint').length, 1);
      await log.close();
    });
  }
});

describe('segments', () => {
  /** A stopped log with two partitions of the same sizes. */
  async function stopped(): Promise<MemoryFiles> {
    const files = new MemoryFiles();
    const { log, host } = await openLog(files, smallLimits);
    for (const id of [1, 2]) {
      host.create(id);
      for (let i = 0; i < 40; i++) append(log.partition(id)!, `r${i} of ${id} ${'.'.repeat(200)}`);
      await log.flush();
    }
    await log.close();
    return files;
  }
  const first = 'data/topics/1/00000000000000000000.log';

  test('a missing one, a short one and a missing directory are reported at the start, without a read', async () => {
    for (const harm of [
      (files: MemoryFiles) => files.remove(first),
      (files: MemoryFiles) => truncate(files, first, 0.5),
      async (files: MemoryFiles) => {
        for (const path of files.paths()) if (path.startsWith('data/topics/1/')) await files.remove(path);
        await files.removeDir('data/topics/1');
      },
    ]) {
      const files = await stopped();
      await harm(files);
      const { log, host } = await openLog(files, smallLimits);
      const [report] = host.damage;
      assert.equal(report?.partitionId, 1);
      assert.ok(report.toOffset! > report.fromOffset!);
      append(log.partition(1)!, 'more');
      await log.close();
      const again = await openLog(files, smallLimits);
      const read = values(await readAll(again.log.partition(1)!));
      assert.equal(read.at(-1), 'more');
      await again.log.close();
    }
  });

  test("another partition's segment in its place is not served", async () => {
    const files = await stopped();
    const other = Uint8Array.from(files.bytes('data/topics/2/00000000000000000000.log')!);
    const file = await files.open(first, { truncate: true });
    await file.write(other, 0);
    const { log, host } = await openLog(files, smallLimits);
    assert.match(host.damage[0]!.message, /not the file that was written/);
    const read = values(await readAll(log.partition(1)!));
    assert.ok(read.every((value) => value.includes('of 1')));
    await log.close();
  });
});
