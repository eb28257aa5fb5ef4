import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeCheckpoint, encodeCheckpoint, type PartitionRow } from '../../src/log/checkpoint.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { SeededRandom } from '../../src/util/index.ts';
import { append, openLog, readAll, smallLimits, until } from './kit.ts';

const offset = fc.oneof(fc.nat(), fc.constant(2 ** 50));
const plainObjects = { noNullPrototype: true } as const;
const row: fc.Arbitrary<PartitionRow> = fc.record(
  {
    id: fc.integer({ min: 1, max: 2 ** 40 }),
    startOffset: offset,
    endOffset: offset,
    flushedEnd: offset,
    maxTimestampMs: fc.integer({ min: -1, max: 2 ** 45 }),
    deleted: fc.boolean(),
    segments: fc.array(
      fc.record(
        {
          baseOffset: fc.nat(),
          endOffset: fc.nat().map((n) => n + 2 ** 31),
          bytes: fc.nat(2 ** 30),
          maxTimestampMs: fc.integer({ min: -1, max: 2 ** 45 }),
          sealed: fc.boolean(),
        },
        plainObjects,
      ),
      { maxLength: 4 },
    ),
  },
  plainObjects,
);

function whole(pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(pieces));
}

const uuid = new Uint8Array(16).fill(9);
const mark = { number: 7, commit: 2 ** 40, position: 512 * 9, timestampMs: 5 };

test('a checkpoint is read back as it was written', () => {
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 5 }),
      fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 3 }),
      (rows, pieces) => {
        const found = decodeCheckpoint(whole(encodeCheckpoint(uuid, mark, rows, pieces)), uuid);
        assert.deepEqual(found, { ...mark, partitions: rows, snapshot: whole(pieces) });
      },
    ),
  );
});

test('any flipped bit, missing byte or foreign log makes it worthless', () => {
  const rows = fc.sample(row, { numRuns: 2, seed: 1 });
  const bytes = whole(encodeCheckpoint(uuid, mark, rows, [Buffer.from('state')]));
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Uint8Array.from(bytes);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(decodeCheckpoint(flipped, uuid), undefined, `bit ${bit}`);
  }
  for (let length = 0; length < bytes.length; length++)
    assert.equal(decodeCheckpoint(bytes.subarray(0, length), uuid), undefined);
  assert.equal(decodeCheckpoint(bytes, new Uint8Array(16)), undefined);
});

test('a checkpoint comes by itself as the journal grows, without stopping commits, and frees the journal', async () => {
  const files = new FaultyFiles();
  const { log, host } = await openLog(files, smallLimits);
  const partition = host.create(1);
  for (let i = 0; i < 200; i++) {
    append(partition, 'x'.repeat(3000));
    await log.flush();
  }
  assert.ok(host.snapshots >= 3, `${host.snapshots} checkpoints`);
  await until(() => log.stats.checkpoints >= 3);
  assert.ok(log.stats.journalLiveBytes < 400_000, `${log.stats.journalLiveBytes} live`);
  assert.ok(log.stats.journalDiskBytes < 800_000, `${log.stats.journalDiskBytes} on disk`);
  await log.close();
});

test('the journal is kept as far back as the older checkpoint needs it', async () => {
  const files = new FaultyFiles();
  const { log, host } = await openLog(files, { ...smallLimits, checkpointBytes: 1e9 });
  const partition = host.create(1);
  let freedAt = -1;
  for (let i = 0; i < 6; i++) {
    for (let j = 0; j < 30; j++) {
      append(partition, 'x'.repeat(3000));
      await log.flush();
    }
    await log.checkpoint();
    const first = files.paths().includes('data/journal/0000000000000000.journal');
    if (!first && freedAt < 0) freedAt = i;
  }
  assert.ok(freedAt >= 1, 'not by the first checkpoint, which has none before it');
  await log.close();
});

test('segments are synced before the checkpoint that lists them, and that before the journal is freed', async () => {
  const files = new FaultyFiles();
  const order: string[] = [];
  files.before = ({ kind, path, to }) => {
    if (kind === 'sync' && path.endsWith('.log')) order.push('segment synced');
    if (kind === 'sync-dir' && path.endsWith('topics/1')) order.push('segment entry synced');
    if (kind === 'sync' && path.includes('checkpoint')) order.push('checkpoint synced');
    if (kind === 'rename' && to!.includes('checkpoint')) order.push('checkpoint in place');
    if (kind === 'sync-dir' && path === 'data') order.push('its entry synced');
    return undefined;
  };
  const { log, host } = await openLog(files, smallLimits);
  append(host.create(1), 'x');
  await log.flush();
  order.length = 0;
  await log.checkpoint();
  assert.deepEqual(order, [
    'segment synced',
    'segment entry synced',
    'checkpoint synced',
    'checkpoint in place',
    'its entry synced',
  ]);
  await log.close();
});

test('the state in a checkpoint is that of its commit, whatever is committed while it is made', async () => {
  const files = new FaultyFiles();
  const { log, host } = await openLog(files, smallLimits);
  const partition = host.create(1);
  for (let i = 0; i < 30; i++) {
    append(partition, `value ${i}`);
    host.put(1, 1, `text ${i}`);
    const done = log.checkpoint();
    append(partition, `more ${i}`);
    host.put(1, 2, `later ${i}`);
    await log.flush();
    await done;
  }
  const left = await openLog(files.crash('power', new SeededRandom(4)), smallLimits);
  assert.deepEqual(left.host.state, host.state);
  assert.equal((await readAll(left.log.partition(1)!)).length, 60);
  await left.log.close();
  await log.close();
});

test('records trimmed during a checkpoint stay until the trim is durable, in segments and in memory', async () => {
  for (const flushed of [true, false]) {
    const files = new FaultyFiles();
    const { log, host } = await openLog(files, { ...smallLimits, unflushedBytesMax: 1e6 });
    const partition = host.create(1);
    for (let i = 0; i < 100; i++) append(partition, `value ${i} ${'.'.repeat(80)}`);
    await log.flush();
    if (flushed) {
      await partition.roll();
      await log.checkpoint();
    }
    let left: FaultyFiles | undefined;
    let trimmed = false;
    host.onDurable = () => {
      if (trimmed) return;
      trimmed = true;
      host.trim(1, 100); // into the commit after the checkpoint's
      files.before = ({ kind, path }) => {
        if (kind === 'write' && path.endsWith('.journal')) left ??= files.crash('power', new SeededRandom(1));
        return undefined;
      };
    };
    await log.checkpoint();
    await log.flush();
    files.before = undefined;
    const { log: recovered, host: recoveredHost } = await openLog(left!, smallLimits);
    assert.equal(recovered.stats.recovery.commits, 0, 'the checkpoint was done, and the trim was not');
    assert.deepEqual(recoveredHost.damage, []);
    assert.equal((await readAll(recovered.partition(1)!, 0)).length, 100);
    await recovered.close();
    await log.close();
  }
});
