import assert from 'node:assert/strict';
import fs from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { RealFiles, type File } from '../../src/log/index.ts';
import { allocAligned } from '../../src/util/index.ts';

const blocks = 64;

/** A synced file of zeros, and a function that reads it. */
async function withFile(work: (file: File, contents: () => Buffer) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'pillarbox-file-'));
  const path = join(dir, 'file');
  fs.writeFileSync(path, Buffer.alloc(blocks * 512));
  try {
    const file = await new RealFiles().open(path, { syncWrites: true });
    try {
      await work(file, () => fs.readFileSync(path));
    } finally {
      await file.close();
    }
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** Whether files of the temporary directory can be opened to be written past the page cache. */
async function canGoDirect(): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  const dir = await mkdtemp(join(tmpdir(), 'pillarbox-direct-'));
  try {
    const { O_CREAT, O_RDWR, O_DIRECT } = fs.constants;
    fs.closeSync(fs.openSync(join(dir, 'file'), O_CREAT | O_RDWR | O_DIRECT));
    return true;
  } catch {
    return false;
  } finally {
    await rm(dir, { recursive: true });
  }
}

type Callback = (error: NodeJS.ErrnoException | null, count: number) => void;
type Write = (
  fd: number,
  bytes: Uint8Array,
  at: number,
  length: number,
  position: number,
  callback: Callback,
) => void;

/** Watches every write, and replaces it by the result of `change`. Returns the descriptor of each. */
async function watchingWrites(
  change: (call: number) => { code: string } | { count: number } | undefined,
  work: (descriptors: number[]) => Promise<void>,
): Promise<void> {
  const write = fs.write as unknown as Write;
  const descriptors: number[] = [];
  const watched: Write = (fd, bytes, at, length, position, callback) => {
    descriptors.push(fd);
    const instead = change(descriptors.length);
    if (instead === undefined) write(fd, bytes, at, length, position, callback);
    else if ('count' in instead) write(fd, bytes, at, instead.count, position, callback);
    else setImmediate(callback, Object.assign(new Error(instead.code), { code: instead.code }), 0);
  };
  const mocked = mock.method(fs, 'write', watched as unknown as typeof fs.write);
  syncBuiltinESMExports();
  try {
    await work(descriptors);
  } finally {
    mocked.mock.restore();
    syncBuiltinESMExports();
  }
}

function aligned(fill: number, bytes: number): Buffer {
  return allocAligned(bytes).fill(fill).subarray(0, bytes);
}

test('a write to a synced file is there, from any memory and at any position', async () => {
  await withFile(async (file, contents) => {
    const expected = Buffer.alloc(blocks * 512);
    const put = async (bytes: Buffer, position: number): Promise<void> => {
      await file.write(bytes, position);
      expected.set(bytes, position);
    };
    await put(aligned(1, 512), 512);
    await put(aligned(2, 5 * 512), 9 * 512);
    await put(Buffer.alloc(700, 3), 600); // not whole blocks
    await put(aligned(4, 4096), 300); // not at a block
    await put(aligned(5, 4096).subarray(8, 520), 1024); // not from a page
    await put(aligned(6, 8192), 0);
    await put(Buffer.alloc(1024, 7), 512); // over bytes written past the page cache
    const target = Buffer.alloc(blocks * 512);
    assert.equal(await file.read(target, 0), target.length);
    assert.deepEqual(target, expected);
    assert.deepEqual(contents(), expected);
  });
});

test('whole blocks from aligned memory pass by the page cache where the system can', async (t) => {
  if (!(await canGoDirect())) return t.skip('the file system of the temporary directory has no O_DIRECT');
  await watchingWrites(
    () => undefined,
    async (descriptors) => {
      await withFile(async (file) => {
        await file.write(Buffer.alloc(512), 0);
        await file.write(aligned(1, 512), 0);
      });
      assert.notEqual(descriptors[0], descriptors[1]);
    },
  );
});

test('a device that wants larger blocks gets them through the page cache from then on', async () => {
  await watchingWrites(
    (call) => (call === 1 ? { code: 'EINVAL' } : undefined),
    async (descriptors) => {
      await withFile(async (file, contents) => {
        await file.write(aligned(1, 512), 512);
        await file.write(aligned(2, 512), 1024);
        assert.deepEqual(contents().subarray(512, 1536), Buffer.concat([aligned(1, 512), aligned(2, 512)]));
      });
      assert.equal(descriptors[1], descriptors[2]);
      assert.equal(descriptors.length, 3);
    },
  );
});

test('the rest of a partial write is written again; an error is passed on and not retried', async () => {
  await watchingWrites(
    (call) => (call === 1 ? { count: 100 } : call === 3 ? { code: 'EIO' } : undefined),
    async (descriptors) => {
      await withFile(async (file, contents) => {
        await file.write(aligned(1, 4096), 512);
        assert.deepEqual(contents().subarray(512, 4608), aligned(1, 4096));
        await assert.rejects(file.write(aligned(2, 512), 0), { code: 'EIO' });
      });
      assert.equal(descriptors.length, 3);
    },
  );
});
