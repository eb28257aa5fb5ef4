import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultyFiles } from '../support/faulty-files.ts';
import { SeededRandom } from '../../src/util/index.ts';
import { append, openLog, readAll, smallLimits } from './kit.ts';

/** A small data directory with a bit of everything, and its content. */
async function small(
  clean: boolean,
): Promise<{ files: FaultyFiles; values: Map<string, string>; texts: string }> {
  const files = new FaultyFiles();
  const { log, host } = await openLog(files, smallLimits);
  const values = new Map<string, string>();
  host.create(1);
  host.create(2);
  await log.flush();
  for (let i = 0; i < 60; i++) {
    for (const id of i % 5 === 0 ? [1, 2] : [1]) {
      const value = `value ${i} of ${id} ${'y'.repeat(90)}`;
      values.set(`${id}/${append(log.partition(id)!, value)}`, value);
    }
    host.put(1, i % 7, `text ${i}`);
    await log.flush();
    if (i === 20 || i === 40) await log.checkpoint();
  }
  if (clean) await log.close();
  return {
    files: files.crash('process', new SeededRandom(1)),
    values,
    texts: JSON.stringify(host.state.texts),
  };
}

/** Bits `first`, `first + step`, … of every file, but for the zeros at the end of the journal's. */
function* bits(files: FaultyFiles, step: number): Generator<{ path: string; bit: number }> {
  let first = 0;
  for (const path of files.paths()) {
    const bytes = files.bytes(path)!;
    const used = Math.min(bytes.length, bytes.findLastIndex((byte) => byte !== 0) + 600);
    for (let bit = first++ % step; bit < used * 8; bit += step) yield { path, bit };
  }
}

for (const clean of [true, false]) {
  test(`a flipped bit after ${clean ? 'a clean stop' : 'a crash'} is noticed or harmless: nothing wrong is served, no partition goes`, async () => {
    const { files, values, texts } = await small(clean);
    for (const { path, bit } of bits(files, 401)) {
      const where = `bit ${bit & 7} of byte ${bit >> 3} of ${path}`;
      const damaged = files.fork();
      damaged.damage(path, (bytes) => {
        bytes[bit >> 3]! ^= 1 << (bit & 7);
      });
      const { log, host } = await openLog(damaged, smallLimits);
      let found = 0;
      for (const id of [1, 2]) {
        for (const { offset, value } of await readAll(log.openPartition(id))) {
          assert.equal(value, values.get(`${id}/${offset}`), where);
          found++;
        }
      }
      const lost =
        found < values.size ||
        JSON.stringify(host.state.texts) !== texts ||
        Object.keys(host.state.partitions).length < 2;
      const told = host.damage.length > 0 || log.stats.recovery.tornBytes > 0;
      assert.ok(told || !lost, `silent loss: ${where}`);
      await log.close();
    }
  });
}
