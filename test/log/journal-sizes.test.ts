import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultyFiles } from '../support/faulty-files.ts';
import { journalSizes } from '../../src/log/journal-sizes.ts';
import { SeededRandom, VirtualClock } from '../../src/util/index.ts';

const mib = 2 ** 20;

async function sizesOn(diskBytes: number, options: object = {}): Promise<[file: number, live: number]> {
  const files = new FaultyFiles({ totalBytes: diskBytes });
  const seams = { files, dir: '/', clock: new VirtualClock(), random: new SeededRandom(1) };
  const { fileBytes, checkpointBytes } = await journalSizes({ ...seams, ...options });
  return [fileBytes, checkpointBytes];
}

test('the journal takes a share of the disk, within bounds', async () => {
  assert.deepEqual(await sizesOn(2 ** 40), [64 * mib, 256 * mib]);
  assert.deepEqual(await sizesOn(1280 * mib), [16 * mib, 64 * mib]);
  const [file, live] = await sizesOn(64 * mib);
  assert.ok(file + live >= 16 * mib && file + live < 17 * mib);
});

test('the journal takes the configured size, on any disk', async () => {
  assert.deepEqual(await sizesOn(2 ** 40, { journalBytesMax: 20 * mib }), [4 * mib, 16 * mib]);
  assert.deepEqual(await sizesOn(2 ** 40, { journalBytesMax: 20 * mib, journalFileBytes: mib }), [
    mib,
    16 * mib,
  ]);
});
