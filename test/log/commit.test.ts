import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  commitBytes,
  encodeCommit,
  readCommitEntries,
  readCommitHeader,
  readRuinedHeader,
  type CommitHeader,
  type CommitItem,
} from '../../src/log/commit.ts';
import { EntryClass, alignUp } from '../../src/log/format.ts';

const place = { position: 4096, commit: 9, timestampMs: 123, tag: 77 };

const items = fc.array(
  fc.record({
    kind: fc.nat(255),
    id: fc.oneof(fc.nat(1000), fc.constant(2 ** 40 + 1)),
    payload: fc.uint8Array({ maxLength: 700 }),
  }),
  { minLength: 1, maxLength: 8 },
);

function itemsOf(list: readonly { kind: number; id: number; payload: Uint8Array }[]): CommitItem[] {
  return list.map(({ kind, id, payload }) => ({
    entryClass: EntryClass.host,
    kind,
    id,
    payload,
    start: 0,
    end: payload.length,
  }));
}

function encode(list: readonly CommitItem[]): Buffer {
  const buffer = Buffer.alloc(alignUp(commitBytes(list)), 0xee);
  assert.equal(encodeCommit(buffer, list, place), buffer.length);
  return buffer;
}

test('a commit is read back as it was written, in whole blocks', () => {
  fc.assert(
    fc.property(items, (list) => {
      const buffer = encode(itemsOf(list));
      assert.equal(buffer.length % 512, 0);
      const header = readCommitHeader(buffer, 0, buffer.length, 4096, 77) as CommitHeader;
      assert.equal(header.commit, 9);
      assert.equal(header.timestampMs, 123);
      assert.equal(header.entries, list.length);
      const found: unknown[] = [];
      readCommitEntries(buffer, 0, header, true, ({ kind, id, start, end, intact }) => {
        found.push({ kind, id, payload: [...buffer.subarray(start, end)], intact });
      });
      assert.deepEqual(
        found,
        list.map(({ kind, id, payload }) => ({ kind, id, payload: [...payload], intact: true })),
      );
      assert.ok(
        buffer.subarray(header.length).every((byte) => byte === 0),
        'the rest of the last block is zeros',
      );
    }),
  );
});

test('it passes in its own place and log only', () => {
  const buffer = encode(itemsOf([{ kind: 1, id: 2, payload: Buffer.from('x') }]));
  assert.equal(readCommitHeader(buffer, 0, buffer.length, 4608, 77), undefined);
  assert.equal(readCommitHeader(buffer, 0, buffer.length, 4096, 78), undefined);
});

test('any flipped bit is noticed: in the header the commit is gone, in a payload that entry alone', () => {
  const list = itemsOf([
    { kind: 1, id: 2, payload: Buffer.from('first') },
    { kind: 3, id: 4, payload: Buffer.from('second') },
  ]);
  const clean = encode(list);
  const { length, tableBytes } = readCommitHeader(clean, 0, clean.length, 4096, 77) as CommitHeader;
  for (let bit = 0; bit < length * 8; bit++) {
    const buffer = Buffer.from(clean);
    buffer[bit >> 3]! ^= 1 << (bit & 7);
    const header = readCommitHeader(buffer, 0, buffer.length, 4096, 77);
    if (bit >> 3 < tableBytes) {
      assert.ok(header === undefined || typeof header === 'number', `bit ${bit}`);
      assert.ok(readRuinedHeader(buffer, place) !== undefined, 'but one can see that there was one');
      continue;
    }
    const intact: boolean[] = [];
    readCommitEntries(buffer, 0, header as CommitHeader, true, (entry) => intact.push(entry.intact));
    assert.deepEqual(intact, bit >> 3 < tableBytes + 5 ? [false, true] : [true, false], `bit ${bit}`);
  }
  assert.equal(readRuinedHeader(Buffer.alloc(512), place), undefined);
  const older = Buffer.alloc(4096);
  encodeCommit(older, [], { ...place, position: place.position - 512, commit: place.commit - 1 });
  assert.equal(readRuinedHeader(older, place), undefined, 'an old commit of a recycled file');
});

test('a header that is not all there asks for more', () => {
  const buffer = encode(
    itemsOf(Array.from({ length: 5 }, (_, i) => ({ kind: i, id: i, payload: Buffer.alloc(3) }))),
  );
  assert.equal(readCommitHeader(buffer, 0, 20, 4096, 77), 48);
  assert.equal(readCommitHeader(buffer, 0, 60, 4096, 77), 48 + 5 * 16);
});

test('a commit of another place, in a file that was used before, is no ruined one of this place', () => {
  const buffer = encode(itemsOf([{ kind: 1, id: 1, payload: Buffer.from('x') }]));
  assert.equal(readRuinedHeader(buffer, place), readRuinedHeader(buffer, { ...place, position: 1 }));
  assert.ok(readRuinedHeader(buffer, place)! > 0);
  assert.equal(readRuinedHeader(buffer, { ...place, position: 8192, commit: 30 }), undefined);
});
