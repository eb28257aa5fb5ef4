import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultyFiles } from '../support/faulty-files.ts';
import { defaultSegmentBytes } from '../../src/log/segment-size.ts';

const mib = 2 ** 20;

test('a segment is a small part of the disk', async () => {
  for (const [diskBytes, segmentBytes] of [
    [2 ** 40, 64 * mib],
    [256 * mib, 16 * mib],
    [16 * mib, 4 * mib],
  ] as const) {
    const files = new FaultyFiles({ totalBytes: diskBytes });
    assert.equal(await defaultSegmentBytes({ files, dir: '/' }), segmentBytes);
  }
});
