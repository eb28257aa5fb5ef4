import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogError } from '../../src/log/index.ts';
import type { FaultyFiles, FileCall } from '../support/faulty-files.ts';
import { SeededRandom } from '../../src/util/index.ts';
import { openLog } from './kit.ts';
import { Recorder, everything, goOn, judge } from './torture.ts';

/*
 * Exhaustive, on small scripts: the process dies, or the power goes, at every single call to the files that
 * changes something; every call fails; and both again during the recovery. Afterwards everything acknowledged
 * must be there, and a whole number of commits beyond.
 */
const harmless: readonly FileCall['kind'][] = ['read', 'size', 'list', 'space', 'lock', 'close', 'file-size'];

test('whatever a crash at any call leaves, everything acknowledged is there and nothing is half there', async () => {
  const random = new SeededRandom(17);
  for (const seed of [1, 2, 3]) {
    const recorder = new Recorder(seed);
    await recorder.run(everything(50));
    assert.deepEqual(recorder.host.damage, []);
    assert.ok(recorder.points.length > 50);
    for (const [i, point] of recorder.points.entries()) {
      for (const disk of point.disks) {
        const judged = await judge(recorder, point, disk);
        if (i % 12 === 0) await goOn(recorder, judged, disk, random);
        await judged.log.close();
      }
    }
  }
});

test('the same holds when recovery itself is cut short at any call', async () => {
  const random = new SeededRandom(11);
  const recorder = new Recorder(4);
  await recorder.run(everything(40), 6);
  let cuts = 0;
  for (const point of recorder.points) {
    for (const disk of point.disks) {
      const second: FaultyFiles[] = [];
      disk.before = (call) => {
        if (harmless.includes(call.kind)) return undefined;
        const inFlight =
          call.kind === 'write'
            ? [{ path: call.path, position: call.position!, bytes: new Uint8Array(call.bytes!) }]
            : [];
        second.push(disk.crash(random.next() < 0.5 ? 'power' : 'process', random, { inFlight }));
        return undefined;
      };
      const { log } = await openLog(disk, recorder.options);
      disk.before = undefined;
      await log.close();
      for (const left of second) {
        cuts++;
        const judged = await judge(recorder, point, left);
        await judged.log.close();
      }
    }
  }
  assert.ok(cuts > 500);
});

test('whichever call fails, and however, nothing acknowledged is lost', async () => {
  const random = new SeededRandom(5);
  for (const code of ['EIO', 'ENOSPC', 'EMFILE']) {
    for (let failing = 1; ; failing += 3) {
      const recorder = new Recorder(6, {}, []);
      let hit = false;
      const { files } = recorder;
      const fail = (call: FileCall): { code: string; written: number } | undefined => {
        if (files.calls !== failing) return undefined;
        hit = true;
        return { code, written: call.bytes === undefined ? 0 : random.int(call.bytes.length + 1) };
      };
      const acked = await recorder.attempt(everything(30), fail);
      for (const mode of ['power', 'process'] as const) {
        const { log } = await judge(recorder, { ackedSeal: acked }, files.crash(mode, random));
        await log.close();
      }
      if (!hit) break;
    }
  }
});

test('an error always reaches the caller as one of the log’s own', async () => {
  const recorder = new Recorder(7, {}, []);
  const { files } = recorder;
  files.before = () => ({ code: 'EIO' });
  await assert.rejects(openLog(files, recorder.options), LogError);
});
