import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MemoryFiles, OverlayFiles, type Files } from '../../src/log/index.ts';

const names = ['d/a', 'd/b', 'd/sub/c', 'd/sub/d'] as const;

type Step =
  | { readonly kind: 'write'; readonly path: string; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly path: string; readonly length: number }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string };

const path = fc.constantFrom(...names);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('write' as const),
      path,
      position: fc.nat(40),
      bytes: fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.constant(new Uint8Array(15))),
    }),
    fc.record({ kind: fc.constant('truncate' as const), path, length: fc.nat(50) }),
    fc.record({ kind: fc.constant('rename' as const), path, to: path }),
    fc.record({ kind: fc.constant('remove' as const), path }),
  ),
);

async function perform(files: Files, step: Step): Promise<void> {
  if (step.kind === 'rename') return files.rename(step.path, step.to);
  if (step.kind === 'remove') return files.remove(step.path);
  const file = await files.open(step.path, { create: true });
  if (step.kind === 'write') await file.write(step.bytes, step.position);
  else await file.truncate(step.length);
  await file.close();
}

async function contentOf(files: Files): Promise<{ [path: string]: string }> {
  const content: { [path: string]: string } = {};
  for (const dir of ['d', 'd/sub']) content[dir] = (await files.list(dir)).join();
  for (const name of names) {
    const size = await files.size(name);
    if (size === undefined) continue;
    const file = await files.open(name);
    const bytes = Buffer.alloc(size + 5, 0xee);
    const count = await file.read(bytes, 0);
    const tail = Buffer.alloc(7);
    content[name] =
      `${bytes.toString('hex', 0, count)} ${tail.toString('hex', 0, await file.read(tail, 10))}`;
  }
  return content;
}

test('an overlay shows files as they would be after the same changes, and does not change those below', async () => {
  await fc.assert(
    fc.asyncProperty(steps, steps, async (before, after) => {
      const base = new MemoryFiles();
      await base.makeDir('d/sub');
      for (const step of before) await perform(base, step).catch(() => undefined);
      const untouched = await contentOf(base);
      const expected = base.copy();
      const overlay = await OverlayFiles.over(base, 'd');
      for (const step of after) {
        const outcomes = await Promise.allSettled([perform(expected, step), perform(overlay, step)]);
        assert.equal(outcomes[0].status, outcomes[1].status);
      }
      assert.deepEqual(await contentOf(overlay), await contentOf(expected));
      assert.deepEqual(await contentOf(base), untouched);
    }),
    { numRuns: 300 },
  );
});

test('the lock of an overlay is that of the files below', async () => {
  const base = new MemoryFiles();
  await base.makeDir('d');
  const overlay = await OverlayFiles.over(base, 'd');
  const lock = await overlay.lock('d');
  await assert.rejects(base.lock('d'), { code: 'data-dir-locked' });
  await lock.release();
  await (await base.lock('d')).release();
});
