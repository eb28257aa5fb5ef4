import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Log, MemoryFiles, RealFiles } from '../../src/log/index.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { SeededRandom, SystemClock, SystemRandom, crc32c } from '../../src/util/index.ts';
import { TestHost, append, openLog, readAll, smallLimits, values } from './kit.ts';

async function withDir(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'pillarbox-dir-'));
  try {
    await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function open(dir: string, host: TestHost = new TestHost()): Promise<Log> {
  return Log.open(host, {
    ...smallLimits,
    dir,
    files: new RealFiles(),
    clock: new SystemClock(),
    random: new SystemRandom(),
  });
}

test('a log on the real file system is there again after a clean stop, with everything in it', async () => {
  await withDir(async (dir) => {
    const path = join(dir, 'not/yet/there');
    const host = new TestHost();
    const log = await open(path, host);
    const partition = host.create(1);
    for (let i = 0; i < 500; i++) {
      append(partition, `value ${i}`);
      if (i % 50 === 0) await log.flush();
    }
    await log.flush();
    await log.close();
    assert.deepEqual((await readdir(path)).sort(), [
      'checkpoint-a',
      'checkpoint-b',
      'clean-stop',
      'identity',
      'journal',
      'owner',
      'quarantine',
      'topics',
    ]);
    const again = await open(path);
    assert.equal(again.stats.recovery.cleanStop, true);
    assert.deepEqual(
      values(await readAll(again.partition(1)!)),
      Array.from({ length: 500 }, (_, i) => `value ${i}`),
    );
    await again.close();
  });
});

test('a directory is one log’s at a time', async () => {
  await withDir(async (dir) => {
    const log = await open(dir);
    await assert.rejects(open(dir), { code: 'data-dir-locked' });
    await log.close();
    await (await open(dir)).close();
  });
});

test('a directory that holds something else is refused and left alone', async () => {
  await withDir(async (dir) => {
    await writeFile(join(dir, 'thesis.tex'), 'x');
    await assert.rejects(
      open(dir),
      (error: Error & { code: string }) =>
        error.code === 'data-dir-foreign' && error.message.includes('thesis.tex'),
    );
    assert.deepEqual(await readdir(dir), ['thesis.tex']);
    await assert.rejects(open(join(dir, 'thesis.tex')), { code: 'data-dir-foreign' });
  });
});

test('hidden files and the files that mkfs leaves at the root of a disk do not matter', async () => {
  await withDir(async (dir) => {
    await writeFile(join(dir, '.gitkeep'), '');
    await mkdir(join(dir, 'lost+found'));
    await (await open(dir)).close();
    await (await open(dir)).close();
  });
});

test(
  'a read-only directory is refused with a sentence',
  { skip: process.getuid?.() === 0 && 'root may write everywhere' },
  async () => {
    await withDir(async (dir) => {
      await chmod(dir, 0o555);
      await assert.rejects(open(dir), { code: 'data-dir-read-only' });
      await chmod(dir, 0o755);
    });
  },
);

test(
  'a directory that others may enter is closed to them by a start, and what is made in it is for the owner only',
  { skip: process.platform === 'win32' && 'no modes on Windows' },
  async () => {
    await withDir(async (dir) => {
      const host = new TestHost();
      const first = await open(dir, host);
      append(host.create(1), 'acked');
      await first.close();
      const ofEarlier = (await readdir(dir, { recursive: true })).map((name) => join(dir, name));
      // As an earlier version, an archive or a careless administrator leaves it.
      for (const path of [dir, ...ofEarlier])
        await chmod(path, (await stat(path)).isDirectory() ? 0o775 : 0o664);
      const again = new TestHost();
      const second = await open(dir, again);
      append(again.create(2), 'more');
      await second.close();
      assert.equal((await stat(dir)).mode & 0o777, 0o700);
      const made = (await readdir(dir, { recursive: true }))
        .map((name) => join(dir, name))
        .filter((path) => !ofEarlier.includes(path));
      assert.notDeepEqual(made, []);
      for (const path of made)
        assert.equal(((await stat(path)).mode & 0o077).toString(8), '0', `others may use ${path}`);
    });
  },
);

test('data of a newer format is refused and left alone', async () => {
  const files = new MemoryFiles();
  const { log } = await openLog(files, smallLimits);
  await log.close();
  const identity = files.bytes('data/identity')!;
  identity[11] = 3;
  new DataView(identity.buffer, identity.byteOffset).setUint32(36, crc32c(identity, 0, 36));
  const before = files.paths();
  await assert.rejects(openLog(files, smallLimits), { code: 'format-newer' });
  assert.deepEqual(files.paths(), before);
});

test('a damaged identity without a journal to restore it from is refused, and nothing is touched', async () => {
  const files = new MemoryFiles();
  const { log } = await openLog(files, smallLimits);
  await log.close();
  for (const path of files.paths())
    if (path.includes('/journal/') || path.endsWith('/owner')) await files.remove(path);
  files.bytes('data/identity')![15]! ^= 1;
  const before = files.paths();
  await assert.rejects(openLog(files, smallLimits), { code: 'damaged' });
  assert.deepEqual(files.paths(), before);
});

for (const [what, prepare] of [
  ['that was not there', async () => {}],
  ['that a start before, cut short, had made', async (files: FaultyFiles) => files.makeDir('data')],
] as const) {
  test(`after a power loss a data directory ${what} is there, with all that was acked`, async () => {
    const files = new FaultyFiles();
    await prepare(files);
    const { log, host } = await openLog(files);
    append(host.create(1), 'acked');
    await log.flush();
    for (let seed = 0; seed < 20; seed++) {
      const again = await openLog(files.crash('power', new SeededRandom(seed)));
      assert.deepEqual(values(await readAll(again.log.partition(1)!)), ['acked']);
      await again.log.close();
    }
    await log.close();
  });
}
