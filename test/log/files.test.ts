import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { MemoryFiles, RealFiles, type Files } from '../../src/log/index.ts';
import { FaultyFiles, type Fault, type FileCall } from '../support/faulty-files.ts';
import { SeededRandom } from '../../src/util/index.ts';

async function withEach(work: (files: Files, dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'pillarbox-files-'));
  try {
    await work(new RealFiles(), dir);
    for (const files of [new MemoryFiles(), new FaultyFiles()]) {
      await files.makeDir('some/dir');
      await work(files, 'some/dir');
    }
  } finally {
    await rm(dir, { recursive: true });
  }
}

test('all three implementations do the same', async () => {
  await withEach(async (files, dir) => {
    await files.makeDir(`${dir}/a/b`);
    await files.makeDir(`${dir}/a/b`);
    await assert.rejects(files.open(`${dir}/a/none`), { code: 'ENOENT' });
    await assert.rejects(files.open(`${dir}/none/file`, { create: true }), { code: 'ENOENT' });
    await assert.rejects(files.list(`${dir}/none`), { code: 'ENOENT' });
    const file = await files.open(`${dir}/a/one`, { create: true });
    await file.write(Buffer.from('hello'), 3);
    await file.write(Buffer.from('HE'), 3);
    await file.sync();
    assert.equal(await file.size(), 8);
    const target = Buffer.alloc(20, '.');
    assert.equal(await file.read(target, 0), 8);
    assert.equal(target.toString(), '\0\0\0HEllo............');
    assert.equal(await file.read(target, 100), 0);
    await file.truncate(5);
    assert.equal(await file.size(), 5);
    await file.truncate(7);
    assert.equal(await file.read(target, 0), 7);
    assert.equal(target.subarray(0, 7).toString(), '\0\0\0HE\0\0');
    await file.close();
    const through = await files.open(`${dir}/a/one`, { syncWrites: true });
    await through.write(Buffer.from('!'), 0);
    await through.close();
    assert.deepEqual(await files.list(`${dir}/a`), ['b', 'one']);
    assert.equal(await files.size(`${dir}/a/one`), 7);
    assert.equal(await files.size(`${dir}/a/none`), undefined);
    assert.equal(await files.size(`${dir}/a/b`), undefined);
    await files.rename(`${dir}/a/one`, `${dir}/a/b/two`);
    await files.rename(`${dir}/a/b`, `${dir}/c`);
    assert.deepEqual(await files.list(`${dir}/c`), ['two']);
    await assert.rejects(files.rename(`${dir}/a/one`, `${dir}/x`), { code: 'ENOENT' });
    await assert.rejects(files.removeDir(`${dir}/c`), { code: 'ENOTEMPTY' });
    const empty = await files.open(`${dir}/c/two`, { truncate: true });
    assert.equal(await empty.size(), 0);
    await empty.close();
    await files.syncDir(`${dir}/c`);
    await files.remove(`${dir}/c/two`);
    await assert.rejects(files.remove(`${dir}/c/two`), { code: 'ENOENT' });
    await files.removeDir(`${dir}/c`);
    assert.deepEqual(await files.list(dir), ['a']);
    const { freeBytes, totalBytes } = await files.space(dir);
    assert.ok(freeBytes >= 0 && totalBytes >= freeBytes);
    const lock = await files.lock(dir);
    await assert.rejects(files.lock(dir), { code: 'data-dir-locked' });
    await lock.release();
    await (await files.lock(dir)).release();
  });
});

async function put(
  files: Files,
  path: string,
  text: string,
  options: { sync?: boolean } = {},
): Promise<void> {
  const file = await files.open(path, { create: true });
  await file.write(Buffer.from(text), 0);
  if (options.sync) await file.sync();
  await file.close();
}

function text(files: FaultyFiles, path: string): string | undefined {
  const bytes = files.bytes(path);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

test('after a power loss, synced data is there, entry and content; other data may be', async () => {
  const files = new FaultyFiles();
  await files.makeDir('d');
  await files.syncDir('/');
  await put(files, 'd/synced', 'synced', { sync: true });
  await files.syncDir('d');
  await put(files, 'd/unsynced', 'u'.repeat(2000));
  await put(files, 'd/no-entry', 'content', { sync: true });
  const seen = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const left = files.crash('power', new SeededRandom(seed));
    assert.equal(text(left, 'd/synced'), 'synced');
    const unsynced = text(left, 'd/unsynced');
    seen.add(unsynced === undefined ? 'gone' : unsynced === 'u'.repeat(2000) ? 'whole' : 'part');
    seen.add(text(left, 'd/no-entry') ?? 'no entry');
  }
  assert.deepEqual([...seen].sort(), ['content', 'gone', 'no entry', 'part', 'whole']);
  assert.equal(text(files, 'd/unsynced'), 'u'.repeat(2000), 'the files themselves stay as they were');
});

test('a sector is old or new after a power loss, never half', async () => {
  const files = new FaultyFiles();
  await put(files, 'f', 'o'.repeat(1536), { sync: true });
  await files.syncDir('/');
  const file = await files.open('f');
  await file.write(Buffer.alloc(1536, 'n'), 0);
  const seen = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const sectors = [0, 1, 2].map((i) =>
      text(files.crash('power', new SeededRandom(seed)), 'f')!.slice(i * 512, (i + 1) * 512),
    );
    for (const sector of sectors) assert.ok(sector === 'o'.repeat(512) || sector === 'n'.repeat(512));
    seen.add(sectors.map((sector) => sector[0]).join(''));
  }
  assert.equal(seen.size, 8);
});

test('after a process crash everything written can be read, and is still not on disk', async () => {
  const files = new FaultyFiles();
  await put(files, 'f', 'old', { sync: true });
  await files.syncDir('/');
  await put(files, 'f', 'new');
  const second = files.crash('process', new SeededRandom(1));
  assert.equal(text(second, 'f'), 'new');
  const outcomes = new Set(
    Array.from({ length: 50 }, (_, seed) => text(second.crash('power', new SeededRandom(seed)), 'f')),
  );
  assert.deepEqual(outcomes, new Set(['new', 'old']));
});

test('after a failed sync the new bytes may show and never reach the disk, whatever the next sync says', async () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const files = new FaultyFiles({ random: new SeededRandom(seed) });
    await put(files, 'f', 'old', { sync: true });
    await files.syncDir('/');
    const file = await files.open('f');
    await file.write(Buffer.from('new'), 0);
    files.before = (call) => (call.kind === 'sync' ? { code: 'EIO' } : undefined);
    await assert.rejects(file.sync(), { code: 'EIO' });
    files.before = undefined;
    await file.sync();
    assert.equal(text(files, 'f'), 'new');
    outcomes.add(text(files.crash('power', new SeededRandom(seed)), 'f')!);
  }
  assert.deepEqual(outcomes, new Set(['old', 'new']));
});

test('the hook sees every call in order and can fail, shorten, falsify or fake it', async () => {
  const calls: string[] = [];
  let fault: Fault | undefined;
  const files = new FaultyFiles({
    before: ({ kind, path }: FileCall) => {
      calls.push(`${kind} ${path}`);
      return fault;
    },
  });
  await put(files, 'f', 'abcdef', { sync: true });
  assert.deepEqual(calls, ['open f', 'write f', 'sync f', 'close f']);
  assert.equal(files.calls, 4);
  const file = await files.open('f');
  fault = { code: 'ENOSPC', written: 2 };
  await assert.rejects(file.write(Buffer.from('XYZ'), 0), { code: 'ENOSPC' });
  assert.equal(text(files, 'f'), 'XYcdef');
  fault = { kind: 'flip', bit: 0 };
  const target = Buffer.alloc(6);
  await file.read(target, 0);
  assert.equal(target.toString(), 'YYcdef');
  assert.equal(text(files, 'f'), 'XYcdef');
  fault = { kind: 'lie' };
  await file.sync();
  fault = undefined;
  await files.syncDir('/');
  const outcomes = new Set(
    Array.from({ length: 50 }, (_, seed) => text(files.crash('power', new SeededRandom(seed)), 'f')),
  );
  assert.ok(outcomes.has('abcdef') && outcomes.has('XYcdef'));
  await file.close();
  await assert.rejects(file.read(target, 0), { code: 'EBADF' });
});

test('a disk that is full says so, and has room again when something is removed', async () => {
  const files = new FaultyFiles({ totalBytes: 10 });
  await put(files, 'a', '12345678');
  await assert.rejects(put(files, 'b', '123'), { code: 'ENOSPC' });
  await files.remove('a');
  await put(files, 'b', '123');
  assert.equal(files.freeBytes, 7);
});

test('a write in flight when the power goes is there in any part', async () => {
  const files = new FaultyFiles();
  await put(files, 'f', 'o'.repeat(1024), { sync: true });
  await files.syncDir('/');
  const inFlight = [{ path: 'f', position: 0, bytes: Buffer.alloc(1024, 'n') }];
  const seen = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const left = text(files.crash('power', new SeededRandom(seed), { inFlight }), 'f')!;
    seen.add(left[0]! + left[512]!);
  }
  assert.deepEqual([...seen].sort(), ['nn', 'no', 'on', 'oo']);
});
