import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeTemporaryDirectory } from './support/index.ts';

const reporter = fileURLToPath(new URL('support/short-reporter.js', import.meta.url));

async function runTests(source: string): Promise<{ code: number; out: string; log: string }> {
  await using directory = await makeTemporaryDirectory();
  const [path, log] = [join(directory.path, 'x.test.mjs'), join(directory.path, 'log')];
  await writeFile(path, `import { describe, test } from 'node:test';\n${source}`);
  const reporters = [`--test-reporter=${reporter}`, '--test-reporter-destination=stdout'];
  const logging = ['--test-reporter=tap', `--test-reporter-destination=${log}`];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return await new Promise((resolve) => {
    execFile(process.execPath, ['--test', ...reporters, ...logging, path], { env }, (error, out) => {
      void readFile(log, 'utf8').then((log) => resolve({ code: Number(error?.code ?? 0), out, log }));
    });
  });
}

test('a run that passes is dots and a count', async () => {
  const { code, out, log } = await runTests(`
    describe('things', () => { test('one', () => {}); test('two', () => {}); });
    test('three', { skip: 'no kcat' }, () => {});
  `);
  assert.equal(code, 0);
  assert.match(
    out,
    /^\.\.-\n\n1 skipped: no kcat\nThe full log is in dist\/test\.log \(\d+ s\)\.\n2 passed, 0 failed, 1 skipped\n$/,
  );
  assert.match(log, /TAP version 13/);
});

test('a failure stands there in full, once, and the exit code is not 0', async () => {
  const { code, out } = await runTests(`
    describe('things', () => { test('one', () => {}); test('two', () => { throw new Error('it broke'); }); });
  `);
  assert.equal(code, 1);
  assert.equal(out.split('FAILED').length, 2, out);
  assert.match(out, /FAILED {2}two\n {8}\S+x\.test\.mjs:\d+\n {8}Error: it broke\n/);
  assert.match(out, /There are failures[^\n]*\n1 passed, 1 failed, 0 skipped\n$/);
});
